// SPDX-License-Identifier: Apache-2.0
#include "cli/output.hpp"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>

#include "support/text.hpp"

namespace ferry::cli {
namespace {

[[noreturn]] void cannot_write(const std::string &file) {
  throw Error(ErrorKind::io, {.where = {file, {}, {}},
                              .message = std::string("the report cannot be written: ") + std::strerror(errno),
                              .advice = "Name a file in a folder of yours with -o."});
}

}  // namespace

void add_output_options(CLI::App &command, OutputOptions &options, bool html) {
  const std::vector<std::string> formats =
      html ? std::vector<std::string>{"text", "json", "html"} : std::vector<std::string>{"text", "json"};
  command.add_option("--format", options.format, html ? "text, json or html [text]" : "text or json [text]")
      ->option_text("FORMAT")
      ->check(CLI::IsMember(formats).description(""))
      ->group("Report");
  command.add_option("-o,--output", options.file, "write the report to FILE instead of stdout")
      ->option_text("FILE")
      ->group("Report");
}

void check_output(const OutputOptions &options) {
  if (options.file.empty() || options.file == "-") return;
  std::ofstream probe(options.file, std::ios::binary | std::ios::app);
  if (!probe) cannot_write(options.file);
}

void write_output(const OutputOptions &options, const std::string &text) {
  if (options.file.empty() || options.file == "-") {
    std::cout << text << std::flush;
    if (!std::cout) throw Error(ErrorKind::io, {.message = "the report cannot be written to standard output"});
    return;
  }
  std::ofstream out(options.file, std::ios::binary | std::ios::trunc);
  out << text << std::flush;
  if (!out) cannot_write(options.file);
}

void write_report(const OutputOptions &options, report::Document &document) {
  document.tool = "virt-ferry " FERRY_VERSION;
  write_output(options, options.format == "json"   ? report::as_json(document)
                        : options.format == "html" ? report::as_html(document)
                                                   : report::as_text(document));
}

void print_error(const Error &error) {
  const ErrorDetail &detail = error.detail();
  const std::string where = detail.where.text();
  std::string out =
      "virt-ferry: " + (where.empty() ? "" : text::printable(where) + ": ") + text::printable(detail.message) + "\n";
  if (!detail.found.empty()) out += "  found:    " + text::printable(detail.found) + "\n";
  if (!detail.expected.empty()) out += "  expected: " + text::printable(detail.expected) + "\n";
  if (!detail.advice.empty()) out += "  " + text::printable(detail.advice) + "\n";
  std::fputs(out.c_str(), stderr);
}

}  // namespace ferry::cli
