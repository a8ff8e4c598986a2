// SPDX-License-Identifier: Apache-2.0
#include "importers/qemu/context.hpp"

#include <algorithm>
#include <map>

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

namespace fs = std::filesystem;

bool is_secret(const Option &option, const Key &key) {
  if (key.name == "osk" || key.name == "password" || key.name == "passwd")
    return key.value != "on" && key.value != "off";
  return option.name == "object" && key.name == "data";
}

}  // namespace

Context::Context(const Launch &started, const ImportOptions &given)
    : launch(started), import(given), options(parse_options(started)) {
  std::map<std::string, std::size_t> total, seen;
  for (const Option &option : options) ++total[option.written];
  for (Option &option : options) {
    std::string name = option.written;
    if (total[name] > 1) name += "[" + std::to_string(++seen[name]) + "]";
    option.where.path = name;
    const auto enter = [&](const std::string &path, const std::string &value) {
      return out.ledger.enter({option.where.file, option.where.line, path}, shown(value, launch.opens));
    };
    if (option.keys.empty()) {
      option.entry = enter(name, option.argument);
      if (!option.known) {
        settle(option, Disposition::dropped, "QEMU has no such option");
        raise(kUnknownOption, option.where, "QEMU has no option " + text::printable(option.written) + ".");
      }
      continue;
    }
    for (Key &key : option.keys) {
      key.entry = enter(key.name.empty() ? name : name + "." + key.name, key.value);
      if (is_secret(option, key)) out.ledger.hide(key.entry);
    }
  }
}

std::vector<Option *> Context::all(std::string_view name) {
  std::vector<Option *> out_options;
  for (Option &option : options) {
    if (option.known && option.name == name) out_options.push_back(&option);
  }
  return out_options;
}

Option *Context::last(std::string_view name) {
  const auto found = all(name);
  return found.empty() ? nullptr : found.back();
}

const Key *Context::find(const Option &option, std::string_view key) {
  const auto found =
      std::find_if(option.keys.rbegin(), option.keys.rend(), [&](const Key &one) { return one.name == key; });
  return found == option.keys.rend() ? nullptr : &*found;
}

std::string Context::peek(const Option &option, std::string_view key) {
  const Key *found = find(option, key);
  return found == nullptr ? std::string{} : found->value;
}

void Context::ask(std::string_view text, const Place &where) {
  for (const std::size_t number : opens_in(text)) {
    if (std::find(asked_.begin(), asked_.end(), number) == asked_.end()) asked_.push_back(number);
  }
  (void)where;
}

// A variable that nobody sets is nothing in a list of words or features, as it is for the shell. Anywhere else it is
// asked for: half a path is no path.
std::string Context::value_of(const Option &option, const Key &key) {
  if (!has_open(key.value)) return key.value;
  bool unset = true;
  for (const std::size_t number : opens_in(key.value)) {
    unset = unset && launch.opens.at(number).kind == Open::Kind::unset;
  }
  std::string rest = without_opens(key.value);
  const bool list = option.name == "append" || option.name == "cpu";
  if (unset && !rest.empty() && list) {
    raise(kOpenValue, option.where,
          "'" + text::printable(shown(key.value, launch.opens)) + "' is taken as '" + text::printable(rest) +
              "': nothing sets the variable.");
    return rest;
  }
  ask(key.value, option.where);
  return rest;
}

std::optional<std::string> Context::text(Option &option, std::string_view key, std::string_view field) {
  std::optional<std::string> out_text;
  for (Key &one : option.keys) {
    if (one.name != key) continue;
    one.taken = true;
    out.ledger.take(one.entry, field);
    out_text = value_of(option, one);
  }
  return out_text;
}

std::vector<std::string> Context::texts(Option &option, std::string_view key, std::string_view field) {
  std::vector<std::string> out_texts;
  for (Key &one : option.keys) {
    if (one.name != key) continue;
    one.taken = true;
    out.ledger.take(one.entry, field);
    out_texts.push_back(value_of(option, one));
  }
  return out_texts;
}

std::optional<bool> Context::flag(Option &option, std::string_view key, std::string_view field) {
  const auto value = text(option, key, field);
  return value ? parse_bool(*value) : std::nullopt;
}

std::optional<std::uint64_t> Context::number(Option &option, std::string_view key, std::string_view field) {
  const auto value = text(option, key, field);
  if (!value || value->empty()) return std::nullopt;
  const auto parsed = parse_number(*value);
  if (!parsed) {
    throw Error(ErrorKind::malformed, {.where = option.where,
                                       .message = "the value of " + std::string(key) + " is not a number",
                                       .found = "'" + text::printable(*value) + "'",
                                       .advice = "Correct the command and try again."});
  }
  return parsed;
}

void Context::take(Option &option, std::string_view field) {
  option.taken = true;
  if (option.keys.empty()) out.ledger.take(option.entry, field);
}

void Context::settle(Option &option, Disposition disposition, std::string_view note) {
  option.taken = true;
  if (option.keys.empty()) out.ledger.settle(option.entry, disposition, note);
  for (Key &key : option.keys) {
    key.taken = true;
    out.ledger.settle(key.entry, disposition, note);
  }
}

void Context::settle(Option &option, std::string_view key, Disposition disposition, std::string_view note) {
  for (Key &one : option.keys) {
    if (one.name != key) continue;
    one.taken = true;
    out.ledger.settle(one.entry, disposition, note);
  }
}

void Context::settle_rest(Option &option, Disposition disposition, std::string_view note) {
  if (option.keys.empty() && !option.taken) settle(option, disposition, note);
  for (Key &key : option.keys) {
    if (key.taken) continue;
    key.taken = true;
    out.ledger.settle(key.entry, disposition, note);
  }
}

void Context::take_rest(Option &option, std::string_view field) {
  if (option.keys.empty() && !option.taken) take(option, field);
  for (Key &key : option.keys) {
    if (key.taken) continue;
    key.taken = true;
    out.ledger.take(key.entry, field);
  }
}

void Context::raise(const FindingKind &kind, const Place &where, const std::string &message, std::string advice) {
  out.findings.push_back(ferry::raise(kind, where, message, std::move(advice)));
}

void Context::finish() {
  if (asked_.empty()) return;
  std::string questions, names;
  for (const std::size_t number : asked_) {
    const Open &open = launch.opens.at(number);
    if (names.find("--set " + open.name + "=") != std::string::npos) continue;
    const std::string what = open.kind == Open::Kind::argument ? "an argument of the script"
                             : open.kind == Open::Kind::unset  ? "a variable that nothing sets"
                                                               : "what a command prints";
    questions += (questions.empty() ? "" : "; ") + text::printable(text::cut_utf8(open.text, 80)) + " (" + what;
    if (open.where.line) questions += ", line " + std::to_string(*open.where.line);
    questions += ")";
    names += (names.empty() ? "" : " ") + std::string("--set ") + open.name + "=...";
  }
  throw Error(ErrorKind::unsupported, {.where = launch.where,
                                       .message = "the command has values that only the running script would know",
                                       .found = questions,
                                       .advice = "Give them: " + names});
}

Context::Found Context::locate(const std::string &written, const Place &where) {
  std::error_code error;
  fs::path path(written);
  if (path.is_absolute()) return {path.lexically_normal(), fs::exists(path, error)};
  const fs::path folder = launch.where.file.parent_path();
  std::vector<fs::path> bases;
  if (import.base) bases.push_back(*import.base);
  if (launch.folder) bases.push_back(*launch.folder);
  if (!import.base && !launch.folder) {
    bases.push_back(folder);
    if (folder.has_parent_path()) bases.push_back(folder.parent_path());
  }
  for (const fs::path &base : bases) {
    const fs::path full = (base / path).lexically_normal();
    if (!fs::exists(full, error)) continue;
    if (!import.base && !launch.folder && !told_folder_ && launch.where.line) {
      told_folder_ = true;
      raise(kImageElsewhere, where, "Relative paths are taken below " + text::printable(base.string()) + ".");
    }
    return {full, true};
  }
  return {(bases.front() / path).lexically_normal(), false};
}

}  // namespace ferry::qemu
