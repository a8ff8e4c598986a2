// SPDX-License-Identifier: Apache-2.0
// docs/findings.md is the catalog; ids are well-formed and unique; and every one is raised by some test or fixture.
#include "migration/finding_catalog.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "tests/support/folder.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = FERRY_SOURCE_DIR;

std::string page() {
  std::string out =
      "# Findings\n\n"
      "What virt-ferry can have to say of a machine, beside what it does. A finding is never in the way of the\n"
      "migration; what is, is a refusal with its own words. `info` needs no reading, `warning` tells of something\n"
      "that the user may notice, `critical` of something that probably needs the user's hand. The ids are stable:\n"
      "scripts may rely on them. Each report gives with the id the place in the source, the values, and advice.\n\n"
      "| id | severity | when | what to do |\n|---|---|---|---|\n";
  for (const FindingKind *kind : finding_catalog()) {
    out += "| `" + std::string(kind->id) + "` | " + std::string(to_string(kind->severity)) + " | " +
           std::string(kind->meaning) + " | " + std::string(kind->advice) + " |\n";
  }
  return out;
}

TEST(FindingCatalog, is_what_the_page_lists) {
  const fs::path file = kSource / "docs" / "findings.md";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(file, std::ios::binary) << page();
  EXPECT_EQ(test::read_text(file), page()) << "run with UPDATE_GOLDEN=1 and read the diff";
}

// The pattern that the report's schema holds ids to.
std::string id_pattern() {
  const auto schema = nlohmann::json::parse(test::read_text(kSource / "docs" / "report.schema.json"));
  const auto flat = schema.flatten();
  for (const auto &pattern : flat.items()) {
    if (pattern.key().ends_with("findings/items/properties/id/pattern")) return pattern.value();
  }
  ADD_FAILURE() << "the schema says nothing of finding ids";
  return "";
}

TEST(FindingCatalog, ids_are_unique_and_well_formed) {
  const std::regex well_formed(id_pattern());
  std::set<std::string_view> seen;
  for (const FindingKind *kind : finding_catalog()) {
    const std::string id(kind->id);
    EXPECT_TRUE(std::regex_match(id, well_formed)) << id;
    EXPECT_TRUE(seen.insert(kind->id).second) << id << " twice";
  }
  EXPECT_GT(seen.size(), 100U);
}

TEST(FindingCatalog, rows_are_sentences) {
  for (const FindingKind *kind : finding_catalog()) {
    EXPECT_TRUE(kind->meaning.ends_with(".")) << kind->id << ": " << kind->meaning;
    EXPECT_TRUE(kind->advice.ends_with(".")) << kind->id << ": " << kind->advice;
    EXPECT_EQ((std::string(kind->meaning) + std::string(kind->advice)).find_first_of("|\n"), std::string::npos)
        << kind->id << " would break the table";
  }
}

// The constants' names by id, from the sources: `kDiskTransient = {"disk.transient"`.
std::map<std::string, std::string> constants() {
  const std::regex row(R"(FindingKind\s+(\w+)\s*=?\s*\{\s*"([a-z0-9.-]+)\")");
  std::map<std::string, std::string> out;
  for (const char *folder : {"importers", "converters", "exporters", "migration"}) {
    for (const auto &entry : fs::recursive_directory_iterator(kSource / folder)) {
      if (entry.path().filename() != "findings.hpp") continue;
      const std::string text = test::read_text(entry.path());
      for (std::sregex_iterator hit(text.begin(), text.end(), row), end; hit != end; ++hit) out[(*hit)[2]] = (*hit)[1];
    }
  }
  return out;
}

TEST(FindingCatalog, every_finding_is_raised_by_a_test) {
  std::set<std::string> words;
  const std::regex word(R"([A-Za-z0-9_][A-Za-z0-9_.-]*)");
  for (const char *folder : {"fixtures", "tests"}) {
    for (const auto &entry : fs::recursive_directory_iterator(kSource / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".cpp" && extension != ".findings" && extension != ".sh" && extension != ".py") continue;
      const std::string text = test::read_text(entry.path());
      for (std::sregex_iterator hit(text.begin(), text.end(), word), end; hit != end; ++hit) {
        std::string found = hit->str();
        while (found.ends_with('.')) found.pop_back();
        words.insert(found);
      }
    }
  }
  const std::map<std::string, std::string> names = constants();
  for (const FindingKind *kind : finding_catalog()) {
    const auto name = names.find(std::string(kind->id));
    const bool named = words.contains(std::string(kind->id)) || (name != names.end() && words.contains(name->second));
    EXPECT_TRUE(named) << kind->id;
  }
}

}  // namespace
}  // namespace ferry::migration
