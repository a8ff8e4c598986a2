// SPDX-License-Identifier: Apache-2.0
// Golden cases: fixtures/<importer>/<case>/ holds one source and what is expected of it: expected.json (the model),
// expected.xml (the domain on the recorded Debian 12 host) and expected.findings; or expected.refusal alone.
// UPDATE_GOLDEN=1 rewrites them; read the diff.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "exporters/libvirt/target.hpp"
#include "migration/plan.hpp"
#include "migration/source.hpp"
#include "model/differences.hpp"
#include "model/json.hpp"
#include "tests/kit/folder.hpp"
#include "tests/kit/imagined_survey.hpp"
#include "tests/paths.hpp"

#include "support/xml.hpp"

namespace ferry {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = FERRY_SOURCE_DIR;

std::vector<fs::path> all_cases() {
  std::vector<fs::path> out;
  for (const char *importer : {"vbox", "vmx", "ovf", "qemu"}) {
    const fs::path folder = kSource / "fixtures" / importer;
    if (!fs::exists(folder)) continue;
    for (const auto &entry : fs::directory_iterator(folder)) {
      if (entry.is_directory()) out.push_back(entry.path());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// The checkout's own path must not stand in what is compared.
std::string portable(std::string text) {
  for (std::size_t at = text.find(kSource.string()); at != std::string::npos; at = text.find(kSource.string(), at)) {
    text.replace(at, kSource.string().size(), "@SOURCE@");
  }
  return text;
}

void compare(const fs::path &file, const std::string &actual) {
  const std::string text = portable(actual);
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(file, std::ios::binary) << text;
    return;
  }
  ASSERT_TRUE(fs::exists(file)) << "run with UPDATE_GOLDEN=1 and read what it writes: " << file;
  EXPECT_EQ(test::read_text(file), text) << file;
}

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
    ImportOptions import_options;
    import_options.use_host_registry = false;
    if (fs::exists(folder / "VirtualBox.xml")) import_options.virtualbox_registry = folder / "VirtualBox.xml";
    std::string model, domains, findings;
    fs::path source = folder;
    if (fs::exists(folder / "source")) {  // a case whose folder holds more than one machine names the one it is about
      const std::string name = test::read_text(folder / "source");
      source /= name.substr(0, name.find('\n'));
    }
    for (const ImportedMachine &imported :
         migration::import_source(migration::find_source(source.string()), import_options)) {
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
    compare(folder / "expected.json", model);
    compare(folder / "expected.xml", domains);
    compare(folder / "expected.findings", findings);
  } catch (const Error &error) {
    ASSERT_FALSE(fs::exists(folder / "expected.json")) << error.what();
    compare(folder / "expected.refusal", std::string(to_string(error.kind())) + ": " + error.what() + "\n");
  }
}

std::string case_name(const testing::TestParamInfo<fs::path> &tested) {
  std::string name = tested.param.parent_path().filename().string() + "_" + tested.param.filename().string();
  for (char &c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(cases, Golden, testing::ValuesIn(all_cases()), case_name);

}  // namespace
}  // namespace ferry
