// SPDX-License-Identifier: Apache-2.0
// Every golden case as a machine of KubeVirt: the manifests of those that have an expected.yaml, and all of them
// against the schemas of Kubernetes' objects (fixtures/kubevirt).
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "exporters/kubevirt/target.hpp"
#include "migration/plan.hpp"
#include "tests/golden/cases.hpp"
#include "tests/kit/folder.hpp"
#include "tests/kit/imagined_survey.hpp"
#include "tests/paths.hpp"

#include "support/subprocess.hpp"

namespace ferry {
namespace {

namespace fs = std::filesystem;

migration::Options for_cluster() {
  migration::Options out;
  out.target = migration::TargetKind::kubevirt;
  out.define = false;
  out.keep_snapshots = false;
  out.dest = "/home/user/images";
  out.identity.seed = 1;
  return out;
}

migration::MachinePlan cluster_plan(const ImportedMachine &imported) {
  const kubevirt::Target target("/home/user", "Europe/Berlin");
  return migration::make_plan(imported, tests::imagined_survey(imported.machine), for_cluster(), target);
}

class KubeVirt : public testing::TestWithParam<fs::path> {};

TEST_P(KubeVirt, SettlesEverySetting) {
  std::string manifests;
  try {
    for (const ImportedMachine &imported : test::machines_of(GetParam())) {
      const migration::MachinePlan planned = cluster_plan(imported);
      manifests += planned.domain_xml;
      EXPECT_EQ(planned.document.extension(), ".yaml");
      EXPECT_EQ(planned.imported.ledger.misspelt(), std::vector<std::string>{});
      for (const LedgerEntry &entry : planned.imported.ledger.entries()) {
        EXPECT_NE(entry.disposition, Disposition::unknown) << entry.where.text();
        EXPECT_NE(entry.disposition, Disposition::unsettled) << entry.where.text() << " in " << entry.field;
      }
    }
  } catch (const Error &) {
    // What cannot be planned has a golden text of its own (Golden), or is a machine that no cluster on x86 runs.
    EXPECT_FALSE(fs::exists(GetParam() / "expected.yaml"));
    return;
  }
  if (fs::exists(GetParam() / "expected.yaml")) test::compare_golden(GetParam() / "expected.yaml", manifests);
}

INSTANTIATE_TEST_SUITE_P(cases, KubeVirt, testing::ValuesIn(test::golden_cases()), test::golden_case_name);

TEST(KubeVirtManifests, SayWhatOneMachineLoses) {
  ImportedMachine imported = test::machines_of(fs::path(FERRY_SOURCE_DIR) / "fixtures/vbox/piix3-bios-nat").front();
  Hardware &hardware = imported.machine.hardware;
  hardware.tpm.emplace().version = Tpm::Version::v1_2;
  hardware.clock.base = Clock::Base::local_time;
  for (Controller &controller : hardware.controllers)
    for (Drive &drive : controller.drives) drive.serial = "no good serial";
  const kubevirt::Target nowhere("/home/user", "");
  const migration::MachinePlan planned =
      migration::make_plan(imported, tests::imagined_survey(imported.machine), for_cluster(), nowhere);
  std::set<std::string> raised;
  for (const Finding &finding : planned.findings) raised.insert(finding.id);
  EXPECT_THAT(raised, testing::IsSupersetOf({"kubevirt.tpm-old", "kubevirt.time-zone", "kubevirt.serial-number"}));
  EXPECT_EQ(planned.next_steps.front(), "kubectl apply -f /home/user/images/" + planned.name + ".yaml");
}

TEST(KubeVirtManifests, ThePodNetworkIsForACardThatIsConnected) {
  ImportedMachine imported = test::machines_of(fs::path(FERRY_SOURCE_DIR) / "fixtures/vbox/piix3-bios-nat").front();
  std::vector<Nic> &cards = imported.machine.hardware.nics;
  ASSERT_FALSE(cards.empty());
  cards = {cards.front(), cards.front()};
  cards.front().mode = NicMode::host_only;
  cards.front().pci_slot.reset();
  const std::string manifest = cluster_plan(imported).domain_xml;
  EXPECT_THAT(manifest, testing::HasSubstr("name: \"net2\""));
  EXPECT_THAT(manifest, testing::Not(testing::HasSubstr("name: \"net1\"")));
  EXPECT_THAT(manifest, testing::Not(testing::HasSubstr("state: \"down\"")));
}

TEST(KubeVirtManifests, AReadOnlyDiskStaysOneWhereItCan) {
  ImportedMachine imported = test::machines_of(fs::path(FERRY_SOURCE_DIR) / "fixtures/vbox/piix3-bios-nat").front();
  for (Controller &controller : imported.machine.hardware.controllers)
    for (Drive &drive : controller.drives)
      if (drive.medium) drive.medium->type = MediumType::readonly;
  const auto plan_on = [&](target::DiskBus bus) {
    migration::Options options = for_cluster();
    options.hardware.disk_bus = bus;
    return migration::make_plan(imported, tests::imagined_survey(imported.machine), options,
                                kubevirt::Target("/home/user", "Europe/Berlin"));
  };
  const auto is_told = [](const migration::MachinePlan &plan) {
    return std::any_of(plan.findings.begin(), plan.findings.end(),
                       [](const Finding &finding) { return finding.id == "kubevirt.disk-writable"; });
  };
  const migration::MachinePlan virtio = plan_on(target::DiskBus::virtio), sata = plan_on(target::DiskBus::sata);
  EXPECT_THAT(virtio.domain_xml, testing::HasSubstr("readonly: true"));
  EXPECT_FALSE(is_told(virtio));
  EXPECT_THAT(sata.domain_xml, testing::Not(testing::HasSubstr("readonly")));
  EXPECT_TRUE(is_told(sata));
}

// And say what the machines lose in a cluster.
TEST(KubeVirtManifests, AreValid) {
  std::set<std::string> raised;
  const test::TempFolder folder;
  std::size_t count = 0;
  for (const fs::path &one : test::golden_cases()) {
    try {
      for (const ImportedMachine &imported : test::machines_of(one)) {
        const migration::MachinePlan planned = cluster_plan(imported);
        folder.write(one.filename().string() + "-" + std::to_string(++count) + ".yaml", planned.domain_xml);
        for (const Finding &finding : planned.findings) raised.insert(finding.id);
      }
    } catch (const Error &) {  // as above
    }
  }
  EXPECT_GT(count, 30U);
  EXPECT_THAT(raised,
              testing::IsSupersetOf({"kubevirt.arguments-dropped", "kubevirt.bus-changed", "kubevirt.device-dropped",
                                     "kubevirt.forward-dropped", "kubevirt.kernel-dropped", "kubevirt.macos",
                                     "kubevirt.nic-dropped", "kubevirt.nic-model", "kubevirt.nic-place",
                                     "kubevirt.pod-network", "kubevirt.removable-dropped", "kubevirt.seed-dropped",
                                     "kubevirt.tpm-empty", "kubevirt.variables-empty"}));
  const subprocess::Result result = subprocess::run(
      {.program = "python3",
       .arguments = {(fs::path(FERRY_SOURCE_DIR) / "tests/golden/validate_manifests.py").string(),
                     (fs::path(FERRY_SOURCE_DIR) / "fixtures/kubevirt").string(), folder.path().string()}});
  EXPECT_TRUE(result.ok()) << result.output << result.errors;
}

}  // namespace
}  // namespace ferry
