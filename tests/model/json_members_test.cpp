// SPDX-License-Identifier: Apache-2.0
// Every member of the model's structs stands in model/members.hpp or observed_members.hpp. With json_fields_test.cpp,
// which wants each of those in a golden case, a new member of the model fails until a fixture has it.
#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

namespace ferry {
namespace {

const std::filesystem::path kModel = std::filesystem::path(FERRY_SOURCE_DIR) / "model";

std::string without_comments(const std::string &text) {
  return std::regex_replace(text, std::regex("//[^\n]*"), std::string());
}

// The names that a struct's body declares at its own level: `std::optional<bool> pae, long_mode;` has two.
std::vector<std::string> members_of(std::string body) {
  static const std::regex kInnermostBraces(R"(\{[^{}]*\})");
  static const std::regex kInnermostAngles("<[^<>;]*>");
  static const std::regex kName(R"((\w+)\s*(=[^,;]*)?[,;])");
  static const std::regex kIsNoMember(R"(^\s*(enum|struct|friend|using|static|\[\[)|\()");
  // A nested struct or enum becomes `struct Remote `, a default `{}` nothing.
  while (std::regex_search(body, kInnermostBraces)) body = std::regex_replace(body, kInnermostBraces, "");
  body = std::regex_replace(body, std::regex("operator<=>|operator=="), "operator");
  while (std::regex_search(body, kInnermostAngles)) body = std::regex_replace(body, kInnermostAngles, "");
  std::vector<std::string> out;
  const std::regex statement("[^;]*;");
  for (std::sregex_iterator at(body.begin(), body.end(), statement), end; at != end; ++at) {
    const std::string text = at->str();
    if (std::regex_search(text, kIsNoMember)) continue;
    for (std::sregex_iterator hit(text.begin(), text.end(), kName); hit != end; ++hit) out.push_back((*hit)[1]);
  }
  return out;
}

// "Drive" -> its members; "Display::Remote" under "Remote".
std::map<std::string, std::vector<std::string>> structs() {
  const std::regex head(R"(\bstruct (\w+) \{)");
  std::map<std::string, std::vector<std::string>> out;
  for (const char *header :
       {"finding.hpp", "guest_os.hpp", "hardware.hpp", "ledger.hpp", "machine.hpp", "medium.hpp", "observed.hpp"}) {
    const std::string text = without_comments(test::read_text(kModel / header));
    for (std::sregex_iterator hit(text.begin(), text.end(), head), end; hit != end; ++hit) {
      const auto begin = static_cast<std::size_t>(hit->position() + hit->length());
      std::size_t at = begin;
      for (int depth = 1; at < text.size() && depth != 0; ++at) depth += text[at] == '{' ? 1 : text[at] == '}' ? -1 : 0;
      out[(*hit)[1]] = members_of(text.substr(begin, at - 1 - begin));
    }
  }
  return out;
}

TEST(JsonMembers, AreFound) {
  EXPECT_EQ(
      members_of("bool a = f(1); std::optional<std::map<A, B>> c, d{}; struct N { int x; };\n"
                 " friend auto operator<=>(const N &, const N &) = default; enum class E { one, two }; E e = E::one;"),
      (std::vector<std::string>{"c", "d", "e"}));
  const auto found = structs();
  ASSERT_TRUE(found.contains("Drive") && found.contains("Remote") && found.contains("Machine"));
  EXPECT_EQ(found.at("SavedState"), (std::vector<std::string>{"file", "origin"}));
  EXPECT_EQ(found.at("Drive").size(), 24U);
}

TEST(JsonMembers, AllAreDescribed) {
  // Kinds and verdicts are no part of a machine; of an import the parts are described.
  const std::set<std::string> others{"FindingKind", "ImportedMachine", "LedgerCounts", "Settlement"};
  const std::string code = test::read_text(kModel / "members.hpp") + test::read_text(kModel / "observed_members.hpp");
  for (const auto &[name, members] : structs()) {
    for (const std::string &member : members) {
      if (others.contains(name)) continue;
      const std::regex described("\"" + member + R"(",\s*&(?:\w+::)?)" + name + "::" + member + "\\b");
      EXPECT_TRUE(std::regex_search(code, described)) << name << "::" << member << " is not described";
    }
  }
}

}  // namespace
}  // namespace ferry
