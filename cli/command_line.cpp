// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <optional>
#include <regex>

#include "cli/help_format.hpp"

#include "support/error.hpp"
#include "support/nearest.hpp"
#include "support/secrets.hpp"
#include "support/text.hpp"

namespace ferry::cli {
namespace {

using Words = std::vector<std::string>;

std::vector<const CLI::App *> commands_of(const CLI::App &command) {
  return command.get_subcommands([](const CLI::App *) { return true; });
}

// "virt-ferry disk convert"
std::string full_name(const CLI::App &command) {
  const CLI::App *above = command.get_parent();
  return above == nullptr ? command.get_name() : full_name(*above) + " " + command.get_name();
}

std::string help_advice(const CLI::App &command) { return "'" + full_name(command) + " --help' shows more."; }

Words option_names(const CLI::App &command) {
  Words out;
  for (const CLI::Option *option : command.get_options()) {
    for (const std::string &name : option->get_lnames()) out.push_back("--" + name);
  }
  return out;
}

// The first other command that has the option.
const CLI::App *command_with(const CLI::App &above, const std::string &option) {
  for (const CLI::App *command : commands_of(above)) {
    if (command->get_option_no_throw(option) != nullptr) return command;
    if (const CLI::App *below = command_with(*command, option)) return below;
  }
  return nullptr;
}

[[noreturn]] void unknown_option(const CLI::App &app, const CLI::App &command, const std::string &name) {
  std::string advice = help_advice(command);
  if (const auto meant = text::nearest(name, option_names(command))) {
    advice = "Did you mean '" + *meant + "'?";
  } else if (const CLI::App *other = command_with(app, name)) {
    advice = "'" + full_name(*other) + "' has it. " + advice;
  }
  throw Error(ErrorKind::usage,
              {.message = "'" + full_name(command) + "' has no option '" + name + "'", .advice = std::move(advice)});
}

[[noreturn]] void unknown_command(const CLI::App &command, const std::string &word) {
  Words names;
  for (const CLI::App *one : commands_of(command)) names.push_back(one->get_name());
  const auto meant = text::nearest(word, names);
  throw Error(ErrorKind::usage, {.message = "'" + full_name(command) + "' has no command '" + word + "'",
                                 .advice = meant ? "Did you mean '" + *meant + "'?" : help_advice(command)});
}

const CLI::App *command_named(const CLI::App &above, const std::string &name) {
  for (const CLI::App *one : commands_of(above)) {
    if (one->get_name() == name) return one;
  }
  return nullptr;
}

// The one option that begins with `name`; itself where none does.
std::string abbreviated(const CLI::App &command, const std::string &name) {
  Words candidates;
  for (const std::string &option : option_names(command)) {
    if (option.starts_with(name)) candidates.push_back(option);
  }
  if (candidates.size() == 1) return candidates.front();
  if (candidates.empty()) return name;
  std::sort(candidates.begin(), candidates.end());
  std::string list;
  for (const std::string &one : candidates) list += (list.empty() ? "" : ", ") + one;
  throw Error(ErrorKind::usage,
              {.message = "'" + name + "' is the beginning of several options of '" + full_name(command) + "'",
               .found = list,
               .expected = "one of them"});
}

// The option that `word` names, which may hold a value too: "--dest", "--dest=/srv", "-o", "-oFILE".
std::string option_name(const std::string &word) {
  return word.starts_with("--") ? word.substr(0, word.find('=')) : word.substr(0, 2);
}

// Our form of what CLI11 says of a value: "--format: xml not in {text,json,html}", "--search: Directory does not exist:
// /x".
std::optional<ErrorDetail> bad_value(const std::string &said) {
  static const std::regex kFolder(R"((--?[\w-]+): Directory (does not exist|is actually a file): (.*))");
  static const std::regex kMissing(R"((--?[\w-]+): \d+ required .* missing)");
  static const std::regex kForm(R"((--?[\w-]+): (.*) not in \{(.*)\})");
  std::smatch parts;
  if (std::regex_match(said, parts, kFolder)) {
    return ErrorDetail{.where = {.path = parts[1]},
                       .message = "the value cannot be understood",
                       .found = "\"" + parts[3].str() + "\"",
                       .expected = "an existing folder"};
  }
  if (std::regex_match(said, parts, kMissing))
    return ErrorDetail{.where = {{}, {}, parts[1]}, .message = "the option needs a value"};
  if (!std::regex_match(said, parts, kForm)) return std::nullopt;
  const std::string list = std::regex_replace(parts[3].str(), std::regex(","), ", ");
  return ErrorDetail{.where = {.path = parts[1]},
                     .message = "the value cannot be understood",
                     .found = "\"" + parts[2].str() + "\"",
                     .expected = (list.find(',') == std::string::npos ? "" : "one of ") + list};
}

// CLI11's own messages do not begin and end alike.
[[noreturn]] void wrong_usage(const CLI::App &app, const CLI::ParseError &error) {
  const CLI::App *command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  std::string message = error.what();
  while (message.ends_with('\n') || message.ends_with('.')) message.pop_back();
  if (const auto detail = bad_value(message)) throw Error(ErrorKind::usage, *detail);
  if (message == "A subcommand is required") message = "a command is required";
  throw Error(ErrorKind::usage, {.message = std::move(message), .advice = help_advice(*command)});
}

}  // namespace

std::unique_ptr<CLI::App> make_app(Context &context) {
  auto app = std::make_unique<CLI::App>(
      "Moves virtual machines from VirtualBox, VMware and QEMU scripts to libvirt/QEMU in your own session.",
      "virt-ferry");
  set_help_format(*app);
  app->set_version_flag("-V,--version", "virt-ferry " FERRY_VERSION, "show the version");
  app->require_subcommand(1);
  app->footer(kExitCodes);  // of the commands that have no other
  setup_inspect(*app, context);
  setup_plan(*app, context);
  setup_migrate(*app, context);
  setup_batch(*app, context);
  setup_list(*app, context);
  setup_runs(*app, context);
  setup_report(*app, context);
  setup_undo(*app, context);
  setup_script(*app, context);
  setup_test(*app, context);
  setup_finish(*app, context);
  setup_pull(*app, context);
  setup_resume(*app, context);
  setup_serve(*app, context);
  setup_disk(*app, context);
  setup_host(*app, context);
  app->footer(std::string("Start with 'virt-ferry list' or 'virt-ferry plan SOURCE': they change nothing.\n"
                          "'virt-ferry COMMAND --help' shows more.\n\n") +
              kExitCodes);
  return app;
}

Words prepared(Words words) {
  if (words.empty()) return {"--help"};
  if (words.front() == "help") {
    words.erase(words.begin());
    if (std::find(words.begin(), words.end(), "--help") == words.end()) words.emplace_back("--help");
  }
  Words out;
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (*word == "--") {
      out.insert(out.end(), word, words.end());
      break;
    }
    const std::size_t equals = word->find('=');
    if (word->starts_with("--") && equals != std::string::npos && equals + 1 == word->size()) {
      out.push_back(word->substr(0, equals));
      out.emplace_back();
    } else {
      out.push_back(*word);
    }
  }
  return out;
}

Words expanded(const CLI::App &app, Words words) {
  const CLI::App *command = &app;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string &word = words[i];
    if (word == "--") break;
    if (word.size() > 1 && word.front() == '-') {
      const CLI::Option *option = command->get_option_no_throw(option_name(word));
      if (option == nullptr && word.starts_with("--")) {
        const std::string name = option_name(word), whole = abbreviated(*command, name);
        word.replace(0, name.size(), whole);
        option = command->get_option_no_throw(whole);
      }
      // Its value, whatever that looks like.
      if (option != nullptr && option->get_items_expected_max() > 0 && word == option_name(word)) ++i;
    } else if (const CLI::App *next = command_named(*command, word)) {
      command = next;
    }
  }
  return words;
}

void check_words(const CLI::App &app, const Words &words) {
  const CLI::App *command = &app;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string &word = words[i];
    if (word == "--") return;
    if (word.size() > 1 && word.front() == '-') {
      const std::string name = option_name(word);
      const CLI::Option *option = command->get_option_no_throw(name);
      if (option == nullptr) unknown_option(app, *command, name);
      if (option->get_items_expected_max() > 0 && word == name) ++i;  // its value, whatever that looks like
      continue;
    }
    if (commands_of(*command).empty()) continue;  // a SOURCE or the like
    const CLI::App *next = command_named(*command, word);
    if (next == nullptr) unknown_command(*command, word);
    command = next;
  }
}

std::string shown_command(const Words &words) {
  std::string out = "virt-ferry";
  bool is_variable = false;  // NAME=VALUE of --set: what a script calls OSK or PASSWORD
  for (const std::string &word : words) {
    const bool joined = word.starts_with("--set=");
    std::string shown = secrets::without_credentials(word);
    if (is_variable || joined) {
      const std::size_t equals = shown.find('=', joined ? 6 : 0);
      if (equals != std::string::npos) shown = shown.substr(0, equals + 1) + std::string(secrets::kHidden);
    }
    is_variable = word == "--set";
    out += " " + text::shell_word(shown);
  }
  return out;
}

int run_command_line(const Words &words, const std::stop_token &stop) {
  Context context;
  context.stop = stop;
  context.command = shown_command(words);
  const auto app = make_app(context);
  Words arguments = expanded(*app, prepared(words));
  check_words(*app, arguments);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  try {
    app->parse(std::move(arguments));
  } catch (const CLI::ParseError &error) {
    // Help and version are exceptions too.
    if (error.get_exit_code() != 0) wrong_usage(*app, error);
    app->exit(error, std::cout, std::cerr);
  }
  return context.exit_code;
}

}  // namespace ferry::cli
