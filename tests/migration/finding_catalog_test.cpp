// SPDX-License-Identifier: Apache-2.0
// docs/findings.md is the catalog; it has all of the code's; ids are well-formed and unique; and every
// one is raised by some fixture or expected by some test.
#include "migration/finding_catalog.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "exporters/report/told.hpp"
#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

std::string page() {
  std::string out =
      "# Findings\n\n"
      "What virt-ferry may have to say about a machine, besides what it does. A finding never stops a migration; what\n"
      "does is a refusal, with words of its own. `info` need not be read, `warning` is about something that the user "
      "may\n"
      "notice, `critical` about something that probably needs the user's attention. The ids are stable: scripts may "
      "rely\n"
      "on them. With each id, a report gives the place in the source, the values, and advice where something can be "
      "done.\n\n"
      "| id | severity | when | what to do |\n|---|---|---|---|\n";
  for (const FindingKind *kind : finding_catalog()) {
    out += "| `" + std::string(kind->id) + "` | " + std::string(to_string(kind->severity)) + " | " +
           std::string(kind->meaning) + " | " + std::string(kind->advice) + " |\n";
  }
  return out;
}

TEST(FindingCatalog, IsWhatThePageLists) {
  const fs::path file = test::tree() / "docs" / "findings.md";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(file, std::ios::binary) << page();
  EXPECT_EQ(test::read_text(file), page()) << "run with UPDATE_GOLDEN=1 and read the diff";
}

// The pattern that the report's schema holds ids to.
std::string id_pattern() {
  const auto schema = nlohmann::json::parse(test::read_text(test::tree() / "docs" / "report.schema.json"));
  const auto flat = schema.flatten();
  for (const auto &pattern : flat.items()) {
    if (pattern.key().ends_with("findings/items/properties/id/pattern")) return pattern.value();
  }
  ADD_FAILURE() << "the schema says nothing of finding ids";
  return "";
}

TEST(FindingCatalog, IdsAreUniqueAndWellFormed) {
  const std::regex well_formed(id_pattern());
  std::set<std::string_view> seen;
  for (const FindingKind *kind : finding_catalog()) {
    const std::string id(kind->id);
    EXPECT_TRUE(std::regex_match(id, well_formed)) << id;
    EXPECT_TRUE(seen.insert(kind->id).second) << id << " twice";
  }
  EXPECT_GT(seen.size(), 100U);
}

// `nic.port-busy` in a page sends its reader to a line that is not there. Not for devices.md, which names members too.
TEST(FindingCatalog, HasTheIdsThatThePagesName) {
  std::set<std::string> ids, families;
  for (const FindingKind *kind : finding_catalog()) {
    ids.emplace(kind->id);
    families.emplace(kind->id.substr(0, kind->id.find('.')));
  }
  const std::regex named("`([a-z0-9]+)[.]([a-z0-9-]+)`");
  std::size_t found = 0;
  for (const auto &entry : fs::directory_iterator(test::tree() / "docs")) {
    if (entry.path().extension() != ".md" || entry.path().filename() == "devices.md") continue;
    const std::string page_text = test::read_text(entry.path());
    for (std::sregex_iterator at(page_text.begin(), page_text.end(), named), end; at != end; ++at) {
      if (!families.contains(at->str(1)) || at->str() == "`guest.image`") continue;  // that one is a test
      ++found;
      EXPECT_TRUE(ids.contains(at->str(1) + "." + at->str(2))) << entry.path() << ": " << at->str();
    }
  }
  EXPECT_GT(found, 200U);
}

// What a report leaves out for people, since another finding tells it.
TEST(FindingCatalog, HasBothSidesOfWhatIsImplied) {
  std::set<std::string_view> ids;
  for (const FindingKind *kind : finding_catalog()) ids.insert(kind->id);
  for (const report::ImpliedFinding &rule : report::implied_findings()) {
    EXPECT_TRUE(ids.contains(rule.what)) << rule.what;
    EXPECT_TRUE(ids.contains(rule.by)) << rule.by;
  }
}

TEST(FindingCatalog, RowsAreSentences) {
  for (const FindingKind *kind : finding_catalog()) {
    EXPECT_TRUE(kind->meaning.ends_with(".")) << kind->id << ": " << kind->meaning;
    EXPECT_TRUE(kind->advice.empty() || kind->advice.ends_with(".")) << kind->id << ": " << kind->advice;
    EXPECT_FALSE(kind->advice.starts_with("Nothing ")) << kind->id << ": no advice where nothing has to be done";
    EXPECT_EQ((std::string(kind->meaning) + std::string(kind->advice)).find_first_of("|\n"), std::string::npos)
        << kind->id << " would break the table";
  }
}

struct Constant {
  std::string name;    // kDiskTransient
  std::string folder;  // the tests' of its component: "vbox", "export" ...
};

// From the sources, by id: `FindingKind kDiskTransient{finding_list, "disk.transient"`. Components may have constants
// of one name.
std::map<std::string, Constant> constants() {
  const std::map<std::string, std::string> tests_of{{"libvirt", "export"}, {"converters", "disk"}};
  const std::regex row(R"(FindingKind\s+(\w+)\s*\{\s*finding_list,\s*"([a-z0-9.-]+)\")");
  std::map<std::string, Constant> out;
  for (const char *folder : {"importers", "converters", "exporters", "migration"}) {
    for (const auto &entry : fs::recursive_directory_iterator(test::tree() / folder)) {
      if (entry.path().filename() != "findings.hpp") continue;
      const std::string component = entry.path().parent_path().filename().string();
      const auto tests = tests_of.find(component);
      const std::string text = test::read_text(entry.path());
      for (std::sregex_iterator hit(text.begin(), text.end(), row), end; hit != end; ++hit) {
        out[(*hit)[2]] = {(*hit)[1], tests == tests_of.end() ? component : tests->second};
      }
    }
  }
  return out;
}

TEST(FindingCatalog, HasEveryFindingOfTheCode) {
  std::set<std::string> listed;
  for (const FindingKind *kind : finding_catalog()) listed.insert(std::string(kind->id));
  const std::map<std::string, Constant> declared = constants();
  EXPECT_EQ(declared.size(), listed.size());
  for (const auto &[id, constant] : declared) EXPECT_TRUE(listed.contains(id)) << constant.name << ", " << id;
}

// The ids that the golden cases raise: "warning disk.transient line 12: ...".
std::set<std::string> raised_by_fixtures() {
  const std::regex line(R"((^|\n)[a-z]+ ([a-z0-9.-]+?)( line [0-9]+)?:)");
  std::set<std::string> out;
  for (const auto &entry : fs::recursive_directory_iterator(test::tree() / "fixtures")) {
    if (entry.path().filename() != "expected.findings") continue;
    const std::string text = test::read_text(entry.path());
    for (std::sregex_iterator hit(text.begin(), text.end(), line), end; hit != end; ++hit) out.insert((*hit)[2]);
  }
  return out;
}

// "folder word" of what tests expect: not what a comment says, nor what a test expects not to be there.
std::set<std::string> expected_by_tests() {
  const std::regex denial(R"(EXPECT_FALSE|ASSERT_FALSE|_NE\(|Not\(|, 0U?\))");
  const std::regex word(R"([A-Za-z0-9_][A-Za-z0-9_.-]*)");
  std::set<std::string> out;
  for (const auto &entry : fs::recursive_directory_iterator(test::tree() / "tests")) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".cpp" && extension != ".sh") continue;
    const std::string folder = entry.path().parent_path().filename().string();
    std::istringstream lines(test::read_text(entry.path()));
    for (std::string line; std::getline(lines, line);) {
      if (std::regex_search(line, denial)) continue;
      line.resize(std::min(line.size(), line.find("//")));
      for (std::sregex_iterator hit(line.begin(), line.end(), word), end; hit != end; ++hit) {
        out.insert(folder + " " + hit->str());
        out.insert(hit->str());
      }
    }
  }
  return out;
}

TEST(FindingCatalog, EveryFindingIsRaisedByAFixtureOrExpectedByATest) {
  const std::set<std::string> raised = raised_by_fixtures(), expected = expected_by_tests();
  EXPECT_GT(raised.size(), 80U);
  const std::map<std::string, Constant> names = constants();
  for (const FindingKind *kind : finding_catalog()) {
    const std::string id(kind->id);
    const auto constant = names.find(id);
    EXPECT_TRUE(raised.contains(id) || expected.contains(id) ||
                (constant != names.end() && expected.contains(constant->second.folder + " " + constant->second.name)))
        << id;
  }
}

}  // namespace
}  // namespace ferry::migration
