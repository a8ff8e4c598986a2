// SPDX-License-Identifier: Apache-2.0
#include "cli/help_format.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "support/columns.hpp"

namespace ferry::cli {
namespace {

constexpr std::size_t kNames = 30;  // columns for an option's name and value

// "  NAME   explanation", or the explanation on the next lines where the name is long.
std::string entry(const std::string &name, const std::string &explanation) {
  const std::string names = "  " + name;
  if (explanation.empty()) return names + "\n";
  const std::string text = text::wrapped(explanation, kNames, kHelpWidth);
  if (text::columns(names) + 2 > kNames) return names + "\n" + text;
  return text::padded(names, kNames) + text.substr(kNames);
}

// Each line that is too long is broken, but for examples, which begin with blanks.
std::string paragraphs(const std::string &text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    out += line.empty() || line.front() == ' ' ? line + "\n" : text::wrapped(line, 0, kHelpWidth);
    at = end + 1;
  }
  return out;
}

class HelpFormat : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option *option, bool is_positional) const override {
    return entry(make_option_name(option, is_positional) + make_option_opts(option), make_option_desc(option));
  }
  // Usage says what is required, and how often.
  std::string make_option_opts(const CLI::Option *option) const override {
    return option->get_positional() ? "" : Formatter::make_option_opts(option);
  }
  std::string make_subcommand(const CLI::App *command) const override {
    return entry(command->get_name(), command->get_description());
  }
  std::string make_description(const CLI::App *command) const override {
    return paragraphs(command->get_description() + "\n");
  }
  std::string make_footer(const CLI::App *command) const override { return paragraphs(command->get_footer()); }
  // Without the second blank line that CLI11 puts between groups.
  std::string make_help(const CLI::App *command, std::string name, CLI::AppFormatMode mode) const override {
    std::string out = Formatter::make_help(command, std::move(name), mode);
    for (std::size_t at = out.find("\n\n\n"); at != std::string::npos; at = out.find("\n\n\n")) out.erase(at, 1);
    return out;
  }
};

}  // namespace

void set_help_format(CLI::App &app) {
  app.formatter(std::make_shared<HelpFormat>());
  app.set_help_flag("-h,--help", "show this help");
}

}  // namespace ferry::cli
