// SPDX-License-Identifier: Apache-2.0
#include "exporters/report/test_report.hpp"

#include <nlohmann/json.hpp>

#include "exporters/report/html_kit.hpp"
#include "exporters/report/text_form.hpp"

#include "support/base64.hpp"
#include "support/columns.hpp"
#include "support/text.hpp"

namespace ferry::report {
namespace {

constexpr std::size_t kTestLabel = 11;  // columns

Ink ink_of_test(Test::Verdict verdict) {
  switch (verdict) {
    case Test::Verdict::booted: return Ink::good;
    case Test::Verdict::failed: return Ink::bad;
    case Test::Verdict::unknown: return Ink::careful;
  }
  return Ink::plain;
}

std::string test_line(const TextForm &form, const std::string &label, const std::string &value) {
  const std::string text = text::wrapped(text::printable(value), kTestLabel + 2, form.width);
  return "  " + inked(form, Ink::faint, text::padded(label, kTestLabel)) + text.substr(kTestLabel + 2);
}

std::string guest_of(const Test &test) {
  return test.host_name + (test.host_name.empty() || test.os.empty() ? "" : ", ") + test.os;
}

Json refusal_of_test(const Refusal &refusal) {
  const Json whole = Json::parse(refusal_as_json(kTestSchema, refusal));
  return whole["refusal"];
}

}  // namespace

std::string_view to_string(Test::Verdict verdict) {
  switch (verdict) {
    case Test::Verdict::booted: return "booted";
    case Test::Verdict::failed: return "failed";
    case Test::Verdict::unknown: return "unknown";
  }
  return {};
}

std::string test_verdict(const Test &test) {
  const char *what = test.verdict == Test::Verdict::booted   ? "boots"
                     : test.verdict == Test::Verdict::failed ? "does not boot"
                                                             : "nobody can tell whether it boots";
  return std::string(what) + ": " + test.seen + ", after " + human_duration(test.seconds);
}

Json test_to_json(const Test &test) {
  Json out{{"verdict", to_string(test.verdict)}};
  const auto add = [&out](const char *key, const auto &value) {
    if (!value.empty()) out[key] = value;
  };
  add("sign", test.sign);
  out["seen"] = test.seen;
  out["seconds"] = test.seconds;
  add("host_name", test.host_name);
  add("os", test.os);
  add("addresses", test.addresses);
  add("text", test.text);
  add("screenshot", test.screenshot);
  add("notes", test.notes);
  return out;
}

Test test_from_json(const Json &json) {
  Test out;
  const std::string verdict = json.at("verdict");
  for (const auto one : {Test::Verdict::booted, Test::Verdict::failed})
    if (to_string(one) == verdict) out.verdict = one;
  const auto read = [&json](const char *key, auto &into) {
    if (const auto found = json.find(key); found != json.end()) found->get_to(into);
  };
  read("sign", out.sign);
  read("seen", out.seen);
  read("seconds", out.seconds);
  read("host_name", out.host_name);
  read("os", out.os);
  read("addresses", out.addresses);
  read("text", out.text);
  read("screenshot", out.screenshot);
  read("notes", out.notes);
  return out;
}

std::string test_part(const Test &test) {
  std::string out = "<dl>\n";
  const auto fact = [&out](std::string_view name, const std::string &value) {
    if (!value.empty()) out += "<dt>" + std::string(name) + "</dt><dd>" + html::escaped(value) + "</dd>\n";
  };
  fact("Guest", guest_of(test));
  for (const std::string &address : test.addresses) fact("Address", address);
  for (const std::string &note : test.notes) fact("Note", note);
  fact("Picture", test.screenshot);
  out += "</dl>\n";
  if (!test.picture.empty())
    out +=
        "<img alt=\"The machine's screen at the end of the test\" style=\"max-width: 100%\" "
        "src=\"data:image/png;base64," +
        base64::encoded(test.picture) + "\">\n";
  if (!test.text.empty()) {
    out += "<pre>";
    for (const std::string &line : test.text) out += html::escaped(line) + "\n";
    out += "</pre>\n";
  }
  return out;
}

std::string test_json(const TestDocument &document) {
  Json out{{"schema", std::string(kTestSchema)}, {"tool", document.tool}};
  if (!document.made.empty()) out["made"] = document.made;
  if (!document.command.empty()) out["command"] = document.command;
  out["machine"] = document.machine;
  if (document.test) out["test"] = test_to_json(*document.test);
  if (document.refusal) out["refusal"] = refusal_of_test(*document.refusal);
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string test_text(const TestDocument &document, const TextForm &form) {
  const std::string name = text::printable(document.machine);
  if (!document.test) {
    const std::string why = document.refusal ? document.refusal->detail.message : "";
    return text::wrapped(name + ": not started: " + text::printable(why), 0, form.width);
  }
  const Test &test = *document.test;
  const std::string verdict = text::printable(test_verdict(test));
  std::string out = text::wrapped(name + ": " + verdict, 0, form.width);
  const std::string word = verdict.substr(0, verdict.find(':'));
  if (const std::size_t at = out.find(word, name.size()); form.colour && at != std::string::npos)
    out.replace(at, word.size(), inked(form, ink_of_test(test.verdict), word));
  if (form.detail == Detail::result) return out;
  if (const std::string guest = guest_of(test); !guest.empty()) out += test_line(form, "guest", guest);
  for (const std::string &address : test.addresses) out += test_line(form, "address", address);
  for (const std::string &note : test.notes) out += test_line(form, "note", note);
  if (!test.screenshot.empty()) out += test_line(form, "picture", test.screenshot);
  if (test.verdict == Test::Verdict::booted && form.detail != Detail::all) return out;
  if (!test.text.empty()) out += "\n";
  for (const std::string &line : test.text) out += "    | " + text::printable(line) + "\n";
  return out;
}

std::string test_html(const TestDocument &document) {
  const std::string verdict(document.test ? to_string(document.test->verdict) : "refused");
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">";
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>virt-ferry test</title>";
  out += "<style>" + std::string(html::style()) + "</style></head><body>\n<header><h1>" +
         html::escaped(document.machine) + "</h1>\n<div class=\"mild\">" + html::escaped(document.tool) +
         (document.made.empty() ? "" : ", " + html::escaped(document.made)) + "<br>" + html::code(document.command) +
         "</div></header>\n<main>\n";
  const char *colour = verdict == "booted" ? "kept" : verdict == "unknown" ? "warning" : "failed";
  out += "<p class=\"verdict " + std::string(colour) + "\">";
  if (document.test) {
    out += html::escaped(test_verdict(*document.test)) + "</p>\n" + test_part(*document.test);
  } else {
    out += "not started: " + html::escaped(document.refusal ? document.refusal->detail.message : "") + "</p>\n";
  }
  return out + "</main>\n</body></html>\n";
}

}  // namespace ferry::report
