// SPDX-License-Identifier: Apache-2.0
#include "cli/output.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <unistd.h>

#include "cli/interrupts.hpp"
#include "cli/progress_display.hpp"
#include "cli/terminal.hpp"
#include "converters/images/image.hpp"
#include "migration/kept_reports.hpp"
#include "migration/source.hpp"

#include "hosts/url.hpp"
#include "support/file.hpp"
#include "support/text.hpp"

namespace ferry::cli {
namespace {

namespace fs = std::filesystem;

// The first line of a text report in a file. JSON and HTML ones say what they are anyway.
constexpr std::string_view kTextMark = "# virt-ferry-text/1";

// Columns: longer lines are hard to read, and in fewer every word stands alone.
constexpr std::size_t kNarrowest = 40, kWidest = 100;

bool is_stdout(const std::string &name) {
  constexpr std::array<std::string_view, 5> kNames{"", "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string head_of(const fs::path &file) {
  constexpr std::streamsize kEnough = 4096;  // bytes; an HTML report's title stands in the first 200
  std::string head(kEnough, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(head.data(), kEnough);
  head.resize(static_cast<std::size_t>(in.gcount()));
  return head;
}

bool is_report(const std::string &head) {
  return head.starts_with(kTextMark) || head.starts_with("{\n  \"schema\": \"virt-ferry-") ||
         (head.starts_with("<!DOCTYPE html>") && head.find("<title>virt-ferry ") != std::string::npos);
}

bool is_host_profile(const std::string &head) { return head.starts_with("{\n  \"virt_ferry_host_profile\": "); }

bool is_image(const fs::path &file) {
  try {
    ImageFile image;
    image.pieces.push_back({file, 0, std::nullopt});
    const ImageFormat format = image::detect_format(image);
    return format != ImageFormat::raw && format != ImageFormat::unknown;
  } catch (const Error &) {
    return false;  // too short to be one
  }
}

// What the user knows that file as.
std::string name_of(Output what) {
  switch (what) {
    case Output::report: return "report";
    case Output::host_profile: return "host profile";
    case Output::manifest: return "manifest";
  }
  return "file";
}

[[noreturn]] void refuse(ErrorKind kind, const fs::path &file, std::string message, std::string found,
                         std::string advice) {
  throw OutputRefused(
      kind,
      {.where = {.file = file}, .message = std::move(message), .found = std::move(found), .advice = std::move(advice)});
}

void refuse_touched(const file::Status &status, const fs::path &shown, const std::vector<fs::path> &touched,
                    const std::string &name) {
  for (const fs::path &one : touched) {
    const auto other = file::status_of(one);
    if (!other || !other->same_file(status)) continue;
    refuse(ErrorKind::conflict, shown, "the " + name + " would replace a file that this command reads or makes",
           one.string(), "Choose another file for the " + name + ".");
  }
}

// `file`: with links resolved.
void refuse_other_than_report(const fs::path &file, const OutputOptions &options) {
  const std::string head = head_of(file);
  // Not in the place of an earlier manifest: people edit them.
  if (options.what != Output::manifest && is_report(head)) return;
  if (options.what == Output::host_profile && is_host_profile(head)) return;
  const bool machine = migration::detect_source(file).has_value();
  const std::string name = name_of(options.what), choose = "Choose another file for the " + name;
  if (machine || is_image(file)) {
    refuse(ErrorKind::conflict, file, "the " + name + " would replace a file that is not a " + name,
           machine ? "a virtual machine" : "a disk image", choose + ".");
  }
  // An empty file is what mktemp(1) makes for it.
  if (options.overwrite || head.empty()) return;
  const bool any = options.what == Output::manifest;
  refuse(ErrorKind::conflict, file,
         "the " + name + " would replace a file" + (any ? "" : " that is not a report of virt-ferry"),
         is_host_profile(head) ? "a recorded host profile" : "", choose + ", or remove this one first.");
}

// Where the report goes, with symbolic links followed; those that lead nowhere too.
fs::path destination(const OutputOptions &options) {
  constexpr int kMostLinks = 40;  // as the kernel's own limit
  fs::path out = fs::absolute(options.file);
  std::error_code error;
  for (int i = 0; i < kMostLinks && fs::is_symlink(fs::symlink_status(out, error)); ++i) {
    const fs::path leads_to = fs::read_symlink(out, error);
    if (error) break;
    out = leads_to.is_absolute() ? leads_to : out.parent_path() / leads_to;
  }
  const fs::path folder = fs::canonical(out.parent_path(), error);
  return error ? out.lexically_normal() : folder / out.filename();
}

void refuse_bad_folder(const fs::path &folder, Output what) {
  const std::string advice =
      std::string("Name a file in a folder of yours with ") + (what == Output::manifest ? "--manifest." : "-o.");
  std::error_code error;
  if (!fs::is_directory(folder, error))
    refuse(ErrorKind::usage, folder, "the " + name_of(what) + " cannot be written: there is no such folder", {},
           advice);
  if (access(folder.c_str(), W_OK | X_OK) == 0) return;
  refuse(ErrorKind::io, folder, "the " + name_of(what) + " cannot be written: you may not write to its folder", {},
         advice);
}

// What is going to be made there does not exist yet.
void refuse_to_be_made(const fs::path &target, const std::vector<fs::path> &touched, const std::string &name) {
  for (const fs::path &one : touched) {
    std::error_code error;
    if (fs::weakly_canonical(one, error) != target || error) continue;
    refuse(ErrorKind::conflict, target, "the " + name + " would have the name of a file that this command makes", {},
           "Choose another file for the " + name + ".");
  }
}

// Whether there is a file that the report replaces.
file::Existing check_target(const OutputOptions &options, const fs::path &target,
                            const std::vector<fs::path> &touched) {
  const auto status = file::status_of(target);
  const std::string name = name_of(options.what);
  if (status && !status->is_regular()) {
    std::error_code error;
    const bool folder = fs::is_directory(target, error);
    const bool redirected = !folder && options.what != Output::manifest;
    refuse(ErrorKind::unsafe, target, "the " + name + " can only be written to a regular file",
           folder ? "a folder" : "a device, FIFO or socket",
           redirected ? "Leave out -o, or use -o /dev/stdout, and redirect that."
           : folder   ? "Name a file in it."
                      : "Name a file.");
  }
  refuse_bad_folder(target.parent_path(), options.what);
  if (status) refuse_touched(*status, target, touched, name);
  refuse_to_be_made(target, touched, name);
  if (!status) return file::Existing::keep;
  refuse_other_than_report(target, options);
  return file::Existing::replace;
}

// A terminal obeys some characters that JSON lets stand. They are only ever inside of strings, where an escape means
// the same.
std::string escaped_json(const std::string &json) {
  std::string out;
  for (const char32_t c : text::decode_utf8_lossy(json)) {
    if (text::is_hidden_control(c) || (c >= 0x7F && c < 0xA0)) {
      out += "\\u" + text::hex(c, 4);
    } else {
      text::append_utf8(out, c);
    }
  }
  return out;
}

void write_stdout(std::string_view text) {
  clear_progress_line();
  while (!text.empty()) {
    const ssize_t count = write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      throw Error(ErrorKind::io,
                  {.message = std::string("the report cannot be written to standard output: ") + std::strerror(errno)});
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

void add_output_options(CLI::App &command, OutputOptions &options, bool html) {
  const std::vector<std::string> formats =
      html ? std::vector<std::string>{"text", "json", "html"} : std::vector<std::string>{"text", "json"};
  command.add_option("--format", options.format, html ? "text, json or html [text]" : "text or json [text]")
      ->option_text("FORMAT")
      ->check(CLI::IsMember(formats).description(""))
      ->group("Report");
  add_output_file(command, options);
  if (!html) return;
  CLI::Option *verbose = command.add_flag("-v,--verbose", options.verbose,
                                          "every file, note and setting that is not carried over, in text");
  CLI::Option *quiet = command.add_flag("-q,--quiet", options.quiet, "only the result, one line for each machine");
  verbose->group("Report")->excludes(quiet);
  quiet->group("Report");
  command.add_option("--color", options.colour, "colours in text: auto, always or never [auto]")
      ->option_text("WHEN")
      ->check(CLI::IsMember(std::vector<std::string>{"auto", "always", "never"}).description(""))
      ->group("Report");
}

void add_output_file(CLI::App &command, OutputOptions &options) {
  command.add_option("-o,--output", options.file, "write the report to FILE instead of stdout")
      ->option_text("FILE")
      ->group("Report");
}

void check_output(const OutputOptions &options, const std::vector<fs::path> &touched) {
  if (!is_stdout(options.file)) {
    (void)check_target(options, destination(options), touched);
    return;
  }
  // As cat(1) does it: "plan x.vbox >> x.vbox".
  const file::Status status = file::status_of(STDOUT_FILENO, "/dev/stdout");
  if (status.is_regular()) refuse_touched(status, "/dev/stdout", touched, name_of(options.what));
}

void write_output(const OutputOptions &options, const std::string &text) {
  const Making making;  // a temporary file
  const std::string with_urls = hosts::with_urls(text);
  const std::string shown = options.format == "json" ? escaped_json(with_urls) : with_urls;
  if (is_stdout(options.file)) return write_stdout(shown);
  const fs::path target = destination(options);
  const file::Existing existing = check_target(options, target, {});
  const bool mark = options.what == Output::report && options.format == "text" && !is_report(shown);
  file::publish(target, mark ? std::string(kTextMark) + " by virt-ferry " FERRY_VERSION "\n" + shown : shown, existing);
}

report::TextForm text_form(const OutputOptions &options) {
  report::TextForm out;
  out.detail = options.verbose ? report::Detail::all : options.quiet ? report::Detail::result : report::Detail::usual;
  const bool terminal = is_stdout(options.file) && isatty(STDOUT_FILENO) != 0;
  // https://no-color.org: set and not empty. A terminal that is "dumb" knows no escapes.
  const auto is_set = [](const char *name) {
    const char *value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  const char *kind = std::getenv("TERM");
  const bool can = terminal && !is_set("NO_COLOR") && kind != nullptr && std::strcmp(kind, "dumb") != 0;
  out.colour = options.colour == "always" || (options.colour == "auto" && can);
  if (terminal) out.width = std::clamp(terminal_width(STDOUT_FILENO), kNarrowest, kWidest);
  return out;
}

void stamp(const OutputOptions &options, report::Document &document) {
  if (!document.made.empty()) return;
  document.tool = "virt-ferry " FERRY_VERSION;
  document.command = options.command;
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  std::array<char, 32> date{};
  if (gmtime_r(&now, &parts) != nullptr && std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%SZ", &parts) > 0)
    document.made = date.data();
  if (const char *user = std::getenv("USER"); user != nullptr) document.user = user;
}

void write_batch_report(const OutputOptions &options, report::Document &document) {
  if (options.format != "text") return write_report(options, document);
  stamp(options, document);
  write_output(options, report::batch_text(document, text_form(options)));
}

void write_report(const OutputOptions &options, report::Document &document) {
  stamp(options, document);
  const auto planned = std::count_if(document.machines.begin(), document.machines.end(),
                                     [](const auto &one) { return one.status == report::Status::planned; });
  if (planned > 1 && !document.rate) document.rate = migration::usual_rate();
  write_output(options, options.format == "json"   ? report::as_json(document)
                        : options.format == "html" ? report::as_html(document)
                                                   : report::as_text(document, text_form(options)));
}

void with_refusal(const OutputOptions &options, std::string_view schema, const std::function<void()> &command) {
  try {
    command();
  } catch (const OutputRefused &) {
    throw;
  } catch (const Error &error) {
    if (options.format == "json")
      write_output(options, report::refusal_as_json(schema, {error.kind(), error.detail()}));
    throw;
  }
}

void print_error(const Error &error) {
  const ErrorDetail &detail = error.detail();
  const std::string where = detail.where.text();
  std::string out =
      "virt-ferry: " + (where.empty() ? "" : text::printable(where) + ": ") + text::printable(detail.message) + "\n";
  if (!detail.found.empty()) out += "  found:    " + text::printable(detail.found) + "\n";
  if (!detail.expected.empty()) out += "  expected: " + text::printable(detail.expected) + "\n";
  if (!detail.advice.empty()) out += "  " + text::printable(detail.advice) + "\n";
  print_beside_progress(hosts::with_urls(out));
}

}  // namespace ferry::cli
