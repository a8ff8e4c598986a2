// SPDX-License-Identifier: Apache-2.0
// The form of what people read: help fits a terminal, errors and advice have one form each, and what an advice names
// exists.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "cli/command_line.hpp"
#include "cli/help_format.hpp"
#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

#include "support/columns.hpp"

namespace ferry::cli {
namespace {

namespace fs = std::filesystem;

void expect_help_fits(const CLI::App &command) {
  std::istringstream help(command.help());
  std::size_t lines = 0;
  bool blank = false;
  for (std::string line; std::getline(help, line); ++lines) {
    EXPECT_LE(text::columns(line), kHelpWidth) << command.get_name() << ": " << line;
    EXPECT_FALSE(blank && line.empty()) << command.get_name() << " has two blank lines before line " << lines + 1;
    blank = line.empty();
  }
  EXPECT_GT(lines, 5U) << command.get_name();
  for (const CLI::App *below : command.get_subcommands([](const CLI::App *) { return true; })) expect_help_fits(*below);
}

TEST(Help, FitsATerminalOf80Columns) {
  Context context;
  expect_help_fits(*make_app(context));
}

TEST(Help, WrapsWhatIsLongerBesideItsName) {
  CLI::App app("A program.", "program");
  set_help_format(app);
  bool flag = false;
  app.add_flag("--short", flag, std::string(20, 'a') + " " + std::string(20, 'b') + " " + std::string(20, 'c'));
  std::string value;
  app.add_option("--an-option-that-has-a-long-name", value, "what it is")->option_text("VALUE");
  app.add_option("FILE", value, "a file")->required();
  const std::string help = app.help();
  EXPECT_NE(help.find("  --short                     " + std::string(20, 'a') + " " + std::string(20, 'b') + "\n" +
                      std::string(30, ' ') + std::string(20, 'c') + "\n"),
            std::string::npos)
      << help;
  EXPECT_NE(help.find("  --an-option-that-has-a-long-name VALUE\n" + std::string(30, ' ') + "what it is\n"),
            std::string::npos)
      << help;
  EXPECT_NE(help.find("  FILE                        a file\n"), std::string::npos) << help;
}

struct Literal {
  std::string file;    // "migration/plan.cpp"
  std::string before;  // what stands before it: ".advice = "
  std::string text;    // its pieces joined
  std::string after;   // the first character behind it
};

// The string literals of `code`, neighbours joined.
void add_literals(const std::string &file, const std::string &code, std::vector<Literal> &out) {
  for (std::size_t at = code.find('"'); at != std::string::npos; at = code.find('"', at)) {
    if (at > 0 && (code[at - 1] == '\'' || code[at - 1] == 'R')) {  // a character; a raw string
      at = code[at - 1] == 'R' ? std::min(code.find(")\"", at), code.find(")re\"", at)) : at;
      if (at == std::string::npos) return;
      at = code.find('"', at) + 1;
      continue;
    }
    Literal literal{.file = file,
                    .before = code.substr(at < 20 ? 0 : at - 20, std::min<std::size_t>(at, 20)),
                    .text = {},
                    .after = {}};
    while (at < code.size() && code[at] == '"') {
      for (++at; at < code.size() && code[at] != '"' && code[at] != '\n'; ++at) {
        literal.text += code[at];
        if (code[at] == '\\') literal.text += code[++at];
      }
      at = code.find_first_not_of(" \n", at + 1);
    }
    if (at < code.size()) literal.after = code[at];
    out.push_back(std::move(literal));
  }
}

// The string literals of the program's sources, without those of comments and includes.
std::vector<Literal> literals() {
  std::vector<Literal> out;
  for (const char *folder : {"support", "model", "importers", "converters", "exporters", "migration", "cli"}) {
    for (const auto &entry : fs::recursive_directory_iterator(fs::path(FERRY_SOURCE_DIR) / folder)) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
      std::string code;
      std::istringstream lines(test::read_text(entry.path()));
      for (std::string line; std::getline(lines, line);) {
        const std::size_t first = line.find_first_not_of(' ');
        if (first == std::string::npos || line[first] == '#' || line.compare(first, 2, "//") == 0) continue;
        code += line + "\n";
      }
      add_literals(fs::relative(entry.path(), FERRY_SOURCE_DIR).string(), code, out);
    }
  }
  return out;
}

std::set<std::string> options_of(const CLI::App &app, const std::vector<std::string> &path) {
  const CLI::App *command = &app;
  for (const std::string &name : path) command = command->get_subcommand(name);
  std::set<std::string> out;
  for (const CLI::Option *option : command->get_options()) {
    for (const std::string &name : option->get_lnames()) out.insert("--" + name);
  }
  return out;
}

// A piece of a script that is written: "swtpm ... --ctrl type=unixio,path=${run}/tpm.sock".
bool is_shell(const std::string &text) {
  static const std::regex kOnlyOptions(R"re(\s*--[\s\S]*\\n)re");
  return text.find("${") != std::string::npos || std::regex_match(text, kOnlyOptions);
}

// Options of other programs, with the program.
const std::map<std::string, std::string> kOfOthers{{"--old-password", "VBoxManage"},
                                                   {"--autoreset", "VBoxManage"},
                                                   {"--sparse", "tar"},
                                                   {"--tpm2", "--tpm2"},
                                                   {"--regenerate-all", "dracut"},
                                                   {"--add-drivers", "dracut"},
                                                   {"--disk-only", "virsh"},
                                                   {"--managed-save", "virsh"},
                                                   {"--live", "virsh"},
                                                   {"--command", "run --command=vir"},
                                                   {"--description", "--description=virt-ferry"},
                                                   {"--all", "virsh"},
                                                   {"--no-create", "virtctl"},
                                                   {"--image-path", "virtctl"}};

TEST(Texts, NameOptionsThatTheCommandHas) {
  Context context;
  const auto app = make_app(context);
  const std::set<std::string> machine = options_of(*app, {"migrate"}), batch = options_of(*app, {"batch"});
  const std::set<std::string> plan = options_of(*app, {"plan"}), disk = options_of(*app, {"disk", "convert"});
  // What a disk alone does not have is meant for its machine: snapshots, registries, other folders.
  const std::set<std::string> of_machines{"--snapshots", "--virtualbox-registry", "--allow-outside", "--skip-disk"};
  std::set<std::string> all;
  for (const CLI::App *command : app->get_subcommands([](const CLI::App *) { return true; }))
    all.merge(options_of(*app, {command->get_name()}));
  const std::regex name(R"re((^|[^\w-])(--[a-z][a-z0-9-]*[a-z0-9]))re");
  std::size_t seen = 0;
  for (const Literal &literal : literals()) {
    if (literal.text.find(' ') == std::string::npos || is_shell(literal.text)) continue;
    for (std::sregex_iterator hit(literal.text.begin(), literal.text.end(), name), end; hit != end; ++hit) {
      const std::string option = (*hit)[2];
      const auto other = kOfOthers.find(option);
      if (other != kOfOthers.end() && literal.text.find(other->second) != std::string::npos) continue;
      ++seen;
      const std::string where = literal.file + ": " + option + " in \"" + literal.text + "\"";
      const bool by_command = literal.file.starts_with("cli/") || literal.text.find("virt-ferry ") != std::string::npos;
      if (by_command) {
        EXPECT_TRUE(all.contains(option) || disk.contains(option)) << where;
        continue;
      }
      EXPECT_TRUE(machine.contains(option) || all.contains(option)) << where;
      if (literal.file.starts_with("importers/") || literal.file.starts_with("exporters/")) {
        EXPECT_TRUE(plan.contains(option)) << where;
        EXPECT_TRUE(batch.contains(option)) << where;
      }
      if (literal.file.starts_with("converters/")) {
        EXPECT_TRUE(plan.contains(option)) << where;
        EXPECT_TRUE(disk.contains(option) || of_machines.contains(option)) << where;
      }
    }
  }
  EXPECT_GT(seen, 60U);
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

TEST(Texts, MessagesBeginInLowerCaseWithoutAFullStop) {
  const std::set<std::string> names{"QEMU", "OpenSSL", "XML", "Linux", "VirtualBox", "VMware"};
  std::size_t seen = 0;
  for (const Literal &literal : literals()) {
    if (literal.before.find(".message = ") == std::string::npos || literal.text.empty()) continue;
    ++seen;
    const std::string first = literal.text.substr(0, literal.text.find(' '));
    EXPECT_TRUE(!is_upper(literal.text.front()) || names.contains(first)) << literal.file << ": " << literal.text;
    const bool complete = literal.after == "}" || literal.after == ",";
    EXPECT_FALSE(complete && literal.text.ends_with(".")) << literal.file << ": " << literal.text;
  }
  EXPECT_GT(seen, 150U);
}

TEST(Texts, AdviceIsASentence) {
  std::size_t seen = 0;
  for (const Literal &literal : literals()) {
    if (literal.before.find(".advice = ") == std::string::npos || literal.text.empty()) continue;
    ++seen;
    EXPECT_FALSE(is_lower(literal.text.front())) << literal.file << ": " << literal.text;
    EXPECT_FALSE(literal.text.starts_with("Nothing ")) << literal.file << ": " << literal.text;
    const bool complete = literal.after == "}" || literal.after == ",";
    EXPECT_TRUE(!complete || literal.text.ends_with(".") || literal.text.ends_with("?"))
        << literal.file << ": " << literal.text;
  }
  EXPECT_GT(seen, 100U);
}

// Forms that are no English, or not ours: each was in a text once.
TEST(Texts, AreInPlainEnglish) {
  const std::regex odd(R"re(\b(is no [a-z]+ (that|which)|which (QEMU )?has not|is no valid|none such|Removed are)\b|)re"
                       R"re(\b[Nn]othing (needs|has) to be done\b)re");
  for (const Literal &literal : literals())
    EXPECT_FALSE(std::regex_search(literal.text, odd)) << literal.file << ": " << literal.text;
}

}  // namespace
}  // namespace ferry::cli
