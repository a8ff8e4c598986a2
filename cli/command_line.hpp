// SPDX-License-Identifier: Apache-2.0
// The whole command line: all commands with their options, and what is said of one that is wrong.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace CLI {
class App;
}

namespace ferry::cli {

// All commands. `context` must outlive what is returned.
[[nodiscard]] std::unique_ptr<CLI::App> make_app(Context &context);

// The words as the parser wants them: "help COMMAND" is "COMMAND --help", no word at all "--help", "-V" "--version",
// and "--name=" gives --name an empty value rather than the word behind it.
[[nodiscard]] std::vector<std::string> prepared(std::vector<std::string> words);

// The words with options as they are declared: as with other GNU-like tools, "--verb" is --verbose where no other
// option of the command begins so. Throws Error usage for a beginning of several.
[[nodiscard]] std::vector<std::string> expanded(const CLI::App &app, std::vector<std::string> words);

// Throws Error usage for a command or an option that there is not, with the one that may have been meant.
void check_words(const CLI::App &app, const std::vector<std::string> &words);

// The command as a report shows it: quoted for a shell, without values of --set and passwords in addresses.
[[nodiscard]] std::string shown_command(const std::vector<std::string> &words);

// Parses, runs the command and gives its exit code. Throws Error, usage for a command line that is wrong.
[[nodiscard]] int run_command_line(const std::vector<std::string> &words, const std::stop_token &stop);

}  // namespace ferry::cli
