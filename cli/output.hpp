// SPDX-License-Identifier: Apache-2.0
// Where results go (stdout or -o FILE) and how errors look (stderr).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "exporters/report/report.hpp"

#include "support/error.hpp"

namespace CLI {
class App;
}

namespace ferry::cli {

// What a command writes: each may take the place of an earlier one of its kind.
enum class Output { report, host_profile, manifest };

struct OutputOptions {
  std::string format = "text";
  std::string file;        // empty: stdout
  bool overwrite = false;  // replace also what is not ours
  Output what = Output::report;
  bool verbose = false, quiet = false;
  std::string command;          // what was typed, for the report
  std::string colour = "auto";  // when text has colours: auto (on a terminal, unless NO_COLOR is set), always, never
};

// A report that must not be written where it was asked for: nor is one that says so.
class OutputRefused : public Error {
 public:
  using Error::Error;
};

// Declares --format (text, json and, with `html`, html) and -o; with `html` also -v, -q and --color.
void add_output_options(CLI::App &command, OutputOptions &options, bool html);
// Declares -o alone, for a command with one form.
void add_output_file(CLI::App &command, OutputOptions &options);

// The file is written under a temporary name and renamed. It may take the place of an earlier report of ours,
// and with `overwrite` of another file; never of a machine, an image, or anything in `touched`, under any name.
// Throws OutputRefused: conflict for such a file, unsafe for a folder, device or FIFO (standard output is '-' or
// /dev/stdout), io when its folder cannot be written. Makes nothing. Called before long work, so that it is not done
// for nothing.
void check_output(const OutputOptions &options, const std::vector<std::filesystem::path> &touched);
// Throws as check_output() when things changed meanwhile, io or no_space when it cannot be written.
void write_output(const OutputOptions &options, const std::string &text);
// How text looks there.
[[nodiscard]] report::TextForm text_form(const OutputOptions &options);
// Says in the document which program made it, when and for whom.
void stamp(const OutputOptions &options, report::Document &document);
void write_report(const OutputOptions &options, report::Document &document);
// The same in the form of a batch: totals and a table, where it is text.
void write_batch_report(const OutputOptions &options, report::Document &document);

// Runs a command whose JSON has this schema. What it throws goes on, but a program that reads JSON finds it there too.
void with_refusal(const OutputOptions &options, std::string_view schema, const std::function<void()> &command);

// "virt-ferry: what went wrong", then found, expected and advice on lines of their own.
void print_error(const Error &error);

}  // namespace ferry::cli
