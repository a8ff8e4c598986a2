// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <gmock/gmock.h>
#include <map>

#include "support/error.hpp"

namespace ferry::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

// A value that each option takes; an option that is not here gets a name that any text will do for.
std::string value_of(const Words &command, const std::string &option) {
  if (command.back() == "convert" && option == "--format") return "raw";
  if (command.back() == "finish" && option == "--disk") return "scsi";
  static const std::map<std::string, std::string> kValues{{"--format", "json"},
                                                          {"--progress", "none"},
                                                          {"--color", "never"},
                                                          {"--jobs", "3"},
                                                          {"--input-format", "raw"},
                                                          {"--search", "/tmp"},
                                                          {"--mac", "new"},
                                                          {"--uuid", "new"},
                                                          {"--network", "1=user"},
                                                          {"--forward", "1:2222=22"},
                                                          {"--nic-names", "keep"},
                                                          {"--smbios", "keep"},
                                                          {"--disk-model", "keep"},
                                                          {"--disk-bus", "sata"},
                                                          {"--video", "vga"},
                                                          {"--shared-folders", "none"},
                                                          {"--snapshots", "flatten"},
                                                          {"--skip-disk", "missing"},
                                                          {"--look-inside", "off"},
                                                          {"--disk-changes", "keep"},
                                                          {"--if-done", "skip"},
                                                          {"--timeout", "60"},
                                                          {"--limit", "10"},
                                                          {"--pull-limit", "50M"},
                                                          {"--nic", "virtio"},
                                                          {"--guest-fix", "list"},
                                                          {"--disk-mode", "copy"},
                                                          {"--compress", "zstd"},
                                                          {"--cluster-size", "64K"},
                                                          {"--engine", "native"},
                                                          {"--removable", "copy"},
                                                          {"--allow-outside", "/tmp"},
                                                          {"--windows-root", "/tmp"},
                                                          {"--set", "A=b"},
                                                          {"--ovf-property", "a.b=c"},
                                                          {"--seed", "off"},
                                                          {"--firmware", "/etc/passwd"},
                                                          {"--hot-add", "off"},
                                                          {"--machine", "1"},
                                                          {"--base", "/tmp"},
                                                          {"--host-profile", "/etc/passwd"},
                                                          {"--target", "kubevirt"},
                                                          {"--virtualbox-registry", "/etc/passwd"}};
  const auto found = kValues.find(option);
  return found == kValues.end() ? "some-text" : found->second;
}

void collect_leaves(CLI::App &app, const Words &path, std::vector<Words> &out) {
  const auto below = app.get_subcommands([](CLI::App *) { return true; });
  if (below.empty()) out.push_back(path);
  for (CLI::App *command : below) {
    Words next = path;
    next.push_back(command->get_name());
    collect_leaves(*command, next, out);
  }
}

CLI::App &command_at(CLI::App &app, const Words &path) {
  CLI::App *command = &app;
  for (const std::string &name : path) command = command->get_subcommand(name);
  return *command;
}

// "migrate", "disk convert" ...
std::vector<Words> all_commands() {
  Context context;
  std::vector<Words> out;
  collect_leaves(*make_app(context), {}, out);
  return out;
}

Words positionals_of(const CLI::App &command) {
  Words out;
  for (const CLI::Option *option : command.get_options()) {
    if (!option->get_lnames().empty() || !option->get_snames().empty()) continue;
    // Files that exist; a command that takes several gets several.
    out.emplace_back(out.empty() ? "/tmp" : "/");
    if (option->get_items_expected_max() > 1) out.emplace_back("/usr");
  }
  return out;
}

Words given_positionals(const CLI::App &command) {
  Words out;
  for (const CLI::Option *option : command.get_options()) {
    if (!option->get_lnames().empty() || !option->get_snames().empty()) continue;
    out.insert(out.end(), option->results().begin(), option->results().end());
  }
  return out;
}

// Parses PATH, the first `before` positionals, `words`, the rest; looks where everything went.
void expect_taken(const Words &path, const std::string &option, std::size_t before, const Words &words,
                  const Words &values) {
  Context context;
  const auto app = make_app(context);
  CLI::App &command = command_at(*app, path);
  command.callback([] {});
  const Words positionals = positionals_of(command);
  Words line = path;
  const auto middle = positionals.begin() + static_cast<std::ptrdiff_t>(before);
  line.insert(line.end(), positionals.begin(), middle);
  line.insert(line.end(), words.begin(), words.end());
  line.insert(line.end(), middle, positionals.end());
  const std::string shown = CLI::detail::join(line, " ");
  try {
    Words ready = prepared(line);
    check_words(*app, ready);
    std::reverse(ready.begin(), ready.end());
    app->parse(std::move(ready));
  } catch (const std::exception &error) {
    ADD_FAILURE() << shown << ": " << error.what();
    return;
  }
  EXPECT_EQ(given_positionals(command), positionals) << shown;
  const CLI::Option *parsed = command.get_option(option);
  EXPECT_EQ(parsed->count(), values.empty() ? 1U : values.size()) << shown;
  if (!values.empty()) {
    EXPECT_EQ(parsed->results(), values) << shown;
  }
}

class EveryCommand : public ::testing::TestWithParam<Words> {};

TEST_P(EveryCommand, TakesEveryOptionBeforeBetweenAndAfterItsArguments) {
  Context context;
  const auto app = make_app(context);
  const CLI::App &command = command_at(*app, GetParam());
  const std::size_t arguments = positionals_of(command).size();
  std::size_t options = 0;
  for (const CLI::Option *option : command.get_options()) {
    if (option->get_lnames().empty() || option == command.get_help_ptr()) continue;
    const std::string name = "--" + option->get_lnames().front();
    const std::string value = value_of(GetParam(), name);
    ++options;
    for (std::size_t before = 0; before <= arguments; ++before) {
      if (option->get_items_expected_max() == 0) {
        expect_taken(GetParam(), name, before, {name}, {});
        continue;
      }
      expect_taken(GetParam(), name, before, {name, value}, {value});
      expect_taken(GetParam(), name, before, {name + "=" + value}, {value});
      // An option that may come more than once does not take a second value either.
      if (option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll)
        expect_taken(GetParam(), name, before, {name, value, name, value}, {value, value});
    }
  }
  EXPECT_GT(options, GetParam() == Words{"undo"} ? 1U : 0U);
}

std::string test_name(const ::testing::TestParamInfo<Words> &info) { return CLI::detail::join(info.param, "_"); }
INSTANTIATE_TEST_SUITE_P(Line, EveryCommand, ::testing::ValuesIn(all_commands()), test_name);

TEST(CommandLine, KnowsTheCommandsThatItTests) { EXPECT_GE(all_commands().size(), 9U); }

TEST(CommandLine, HelpIsACommandTooAndWhatIsShownWithoutOne) {
  EXPECT_THAT(prepared({}), ElementsAre("--help"));
  EXPECT_THAT(prepared({"help"}), ElementsAre("--help"));
  EXPECT_THAT(prepared({"help", "disk", "convert"}), ElementsAre("disk", "convert", "--help"));
}

TEST(CommandLine, AnEmptyValueDoesNotTakeTheNextWord) {
  EXPECT_THAT(prepared({"migrate", "--name=", "web"}), ElementsAre("migrate", "--name", "", "web"));
  EXPECT_THAT(prepared({"migrate", "--", "--name="}), ElementsAre("migrate", "--", "--name="));
}

std::string said_of(const Words &words) {
  try {
    (void)run_command_line(words, {});
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
    return error.what();
  }
  return {};
}

TEST(CommandLine, MisspeltCommandsGetTheNearestRightOne) {
  EXPECT_THAT(said_of({"migrat", "web"}), HasSubstr("Did you mean 'migrate'?"));
  EXPECT_THAT(said_of({"paln", "web"}), HasSubstr("Did you mean 'plan'?"));
  EXPECT_THAT(said_of({"disk", "covnert", "a", "b"}), HasSubstr("Did you mean 'convert'?"));
  EXPECT_THAT(said_of({"help", "batc"}), HasSubstr("Did you mean 'batch'?"));
  EXPECT_THAT(said_of({"xyzzy"}), HasSubstr("'virt-ferry --help' shows more."));
}

TEST(CommandLine, MisspeltOptionsGetTheNearestRightOne) {
  EXPECT_THAT(said_of({"migrate", "web", "--verfy"}), HasSubstr("Did you mean '--verify'?"));
  EXPECT_THAT(said_of({"plan", "--snapshoots=flatten", "web"}), HasSubstr("Did you mean '--snapshots'?"));
  EXPECT_THAT(said_of({"disk", "convert", "a", "b", "--compresss", "zstd"}), HasSubstr("Did you mean '--compress'?"));
  EXPECT_THAT(said_of({"plan", "web", "--jobs", "2"}), HasSubstr("'virt-ferry migrate' has it."));
  // A value is not an option, whatever it looks like.
  EXPECT_THAT(said_of({"plan", "--name", "--verfy"}), ::testing::Not(HasSubstr("Did you mean")));
}

TEST(CommandLine, TheBeginningOfAnOptionIsEnoughWhereItIsOnesAlone) {
  Context context;
  const auto app = make_app(context);
  EXPECT_THAT(expanded(*app, {"plan", "--snap=flatten", "web", "--verb"}),
              ElementsAre("plan", "--snapshots=flatten", "web", "--verbose"));
  EXPECT_THAT(expanded(*app, {"disk", "convert", "a", "--compres", "--verf", "b"}),
              ElementsAre("disk", "convert", "a", "--compress", "--verf", "b"));  // the second is a value
  EXPECT_THAT(expanded(*app, {"plan", "--", "--verb"}), ElementsAre("plan", "--", "--verb"));
  EXPECT_THAT(expanded(*app, {"plan", "--verfy"}), ElementsAre("plan", "--verfy"));
  EXPECT_THAT(said_of({"migrate", "web", "--ver"}),
              HasSubstr("'--ver' is the beginning of several options of 'virt-ferry migrate'; found --verbose, "
                        "--verify"));
  EXPECT_THAT(said_of({"migrate", "web", "--disk-"}), HasSubstr("--disk-bus, --disk-changes, --disk-mode"));
}

TEST(CommandLine, ANameThatIsTypedIsTakenAsItIsOrNotAtAll) {
  for (const char *name : {"a/b", "../x", ".hidden", "-x", "a\nb", "{name}/x", "\xe2\x80\xae"})
    EXPECT_THAT(said_of({"plan", "/nowhere.vbox", std::string("--name=") + name}), HasSubstr("--name: the value"))
        << name;
  EXPECT_THAT(said_of({"plan", "/nowhere.vbox", "--name", "web \xc3\xbc 100%"}), ::testing::Not(HasSubstr("--name")));
  EXPECT_THAT(said_of({"plan", "/nowhere.vbox", "--name", "{name}-new"}), ::testing::Not(HasSubstr("--name")));
}

TEST(CommandLine, IsShownWithoutWhatMayBeSecret) {
  EXPECT_EQ(shown_command({"migrate", "my web.vbox", "--set", "OSK=abc", "--set=PASSWORD=x y", "--name", "it's"}),
            "virt-ferry migrate 'my web.vbox' --set 'OSK=(secret)' '--set=PASSWORD=(secret)' --name 'it'\\''s'");
  EXPECT_EQ(shown_command({"plan", "x", "--connect", "qemu+ssh://me:pass@host/session"}).find("pass@"),
            std::string::npos);
}

TEST(CommandLine, WhatIsMissingIsSaidWithTheCommandsHelp) {
  EXPECT_THAT(said_of({"migrate"}), HasSubstr("SOURCE is required. 'virt-ferry migrate --help' shows more."));
  EXPECT_THAT(said_of({"disk"}), HasSubstr("a command is required. 'virt-ferry disk --help' shows more."));
  EXPECT_THAT(said_of({"plan", "x.vbox", "--format", "xml"}),
              HasSubstr("--format: the value cannot be understood; found \"xml\"; expected one of text, json, html"));
  EXPECT_THAT(said_of({"disk", "info", "x.vdi", "--input-format", "qcow2"}),
              HasSubstr("--input-format: the value cannot be understood; found \"qcow2\"; expected raw"));
  EXPECT_THAT(said_of({"migrate", "/x", "--progress", "loud"}), HasSubstr("loud"));
  EXPECT_THAT(said_of({"plan", "x.vbox", "--name"}), HasSubstr("--name: the option needs a value"));
  EXPECT_THAT(
      said_of({"list", "--windows-root", "/no/such"}),
      HasSubstr("--windows-root: the value cannot be understood; found \"/no/such\"; expected an existing folder"));
}

}  // namespace
}  // namespace ferry::cli
