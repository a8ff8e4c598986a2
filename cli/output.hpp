// SPDX-License-Identifier: Apache-2.0
// Where results go (stdout or -o FILE) and how errors look (stderr).
#pragma once

#include <string>

#include "exporters/report/report.hpp"

#include "support/error.hpp"

namespace CLI {
class App;
}

namespace ferry::cli {

struct OutputOptions {
  std::string format = "text";
  std::string file;  // empty: stdout
};

// Declares --format (text, json and, with `html`, html) and -o.
void add_output_options(CLI::App &command, OutputOptions &options, bool html);

// Throws Error io when FILE cannot be written. Called before long work, so that it is not done for nothing; an existing
// file keeps its content until the report is there.
void check_output(const OutputOptions &options);
// Throws Error io when it cannot be written.
void write_output(const OutputOptions &options, const std::string &text);
void write_report(const OutputOptions &options, report::Document &document);

// "virt-ferry: what went wrong", then found, expected and advice on lines of their own.
void print_error(const Error &error);

}  // namespace ferry::cli
