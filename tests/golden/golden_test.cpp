// SPDX-License-Identifier: Apache-2.0
// Golden cases: fixtures/<importer>/<case>/ holds one source and what is expected of it: expected.json (the model),
// expected.xml (the domain on the recorded Debian 12 host) and expected.findings; or expected.refusal alone.
// UPDATE_GOLDEN=1 rewrites them; read the diff.
#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "exporters/libvirt/target.hpp"
#include "migration/plan.hpp"
#include "model/differences.hpp"
#include "model/json.hpp"
#include "tests/golden/cases.hpp"
#include "tests/kit/imagined_survey.hpp"
#include "tests/paths.hpp"

#include "support/xml.hpp"

namespace ferry {
namespace {

namespace fs = std::filesystem;

std::string findings_text(const std::vector<Finding> &findings) {
  std::string out;
  for (const Finding &finding : findings) {
    out += std::string(to_string(finding.severity)) + " " + finding.id;
    if (finding.where.line) out += " line " + std::to_string(*finding.where.line);
    out += ": " + finding.message + "\n";
  }
  return out;
}

const fs::path kSchemas = "/usr/share/libvirt/schemas";

void expect_valid(const std::string &xml, const char *schema) {
  const fs::path file = kSchemas / schema;
  if (!fs::exists(file)) return;  // without libvirt's schemas the comparison still holds; Schemas.are_there says it
  for (const std::string &message : xml::validate_relaxng(xml, file))
    ADD_FAILURE() << schema << " " << message << "\n" << xml;
}

const fs::path kSource = FERRY_SOURCE_DIR;

migration::MachinePlan plan(const ImportedMachine &imported) {
  migration::Options options;
  options.dest = "/home/user/images";
  options.identity.seed = 1;  // the planner's own depends on where the source lies
  const libvirt::Target host(libvirt::load_host_profile(kSource / "fixtures/hosts/debian-12.json"));
  return migration::make_plan(imported, tests::imagined_survey(imported.machine), options, host);
}

TEST(Schemas, AreThere) {
  for (const char *schema : {"domain.rng", "domainsnapshot.rng"}) {
    if (!fs::exists(kSchemas / schema)) GTEST_SKIP() << "no " << kSchemas / schema << ": nothing is held to it";
  }
}

class Golden : public testing::TestWithParam<fs::path> {};

TEST_P(Golden, IsAsExpected) {
  const fs::path folder = GetParam();
  try {
    std::string model, domains, findings;
    for (const ImportedMachine &imported : test::machines_of(folder)) {
      model += to_json(imported.machine, folder).dump(2) + "\n";
      const migration::MachinePlan planned = plan(imported);
      domains += planned.domain_xml;
      expect_valid(planned.domain_xml, "domain.rng");
      for (const auto &snapshot : planned.snapshots) {
        domains += "<!-- snapshot " + snapshot.name + " -->\n" + snapshot.xml;
        expect_valid(snapshot.xml, "domainsnapshot.rng");
      }
      findings += findings_text(planned.findings);
      EXPECT_EQ(differences(from_exact_json(to_exact_json(imported)), imported), std::vector<std::string>{});
      EXPECT_EQ(imported.ledger.misspelt(), std::vector<std::string>{});
      EXPECT_EQ(planned.imported.ledger.misspelt(), std::vector<std::string>{});
      for (const LedgerEntry &entry : planned.imported.ledger.entries()) {
        EXPECT_NE(entry.disposition, Disposition::unknown) << entry.where.text();
        EXPECT_NE(entry.disposition, Disposition::unsettled) << entry.where.text() << " in " << entry.field;
      }
    }
    ASSERT_FALSE(fs::exists(folder / "expected.refusal")) << "a refusal was expected";
    test::compare_golden(folder / "expected.json", model);
    test::compare_golden(folder / "expected.xml", domains);
    test::compare_golden(folder / "expected.findings", findings);
  } catch (const Error &error) {
    ASSERT_FALSE(fs::exists(folder / "expected.json")) << error.what();
    test::compare_golden(folder / "expected.refusal",
                         std::string(to_string(error.kind())) + ": " + error.what() + "\n");
  }
}

INSTANTIATE_TEST_SUITE_P(cases, Golden, testing::ValuesIn(test::golden_cases()), test::golden_case_name);

}  // namespace
}  // namespace ferry
