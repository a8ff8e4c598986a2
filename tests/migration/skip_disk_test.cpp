// SPDX-License-Identifier: Apache-2.0
// --skip-disk: which disks go, what is said, and what becomes of snapshots.
#include <algorithm>
#include <gtest/gtest.h>

#include "exporters/libvirt/target.hpp"
#include "migration/option_values.hpp"
#include "migration/plan.hpp"
#include "tests/kit/imagined_survey.hpp"
#include "tests/paths.hpp"

namespace ferry::migration {
namespace {

struct SkipDisk : testing::Test {
  ImportedMachine imported;
  Options options;
  libvirt::HostProfile host =
      libvirt::load_host_profile(std::filesystem::path(FERRY_SOURCE_DIR) / "fixtures/hosts/debian-12.json");
  Survey survey;

  SkipDisk() {
    options.dest = "/images";
    imported.machine.source.file = "/machines/web/web.vbox";
    imported.machine.name = "web";
    imported.machine.hardware = hardware({"system", "data"});
    survey = tests::imagined_survey(imported.machine);
  }

  static Hardware hardware(const std::vector<std::string> &disks, const std::string &leaf = "") {
    Hardware out;
    out.memory.bytes = std::uint64_t{1} << 30U;
    Controller &controller = out.controllers.emplace_back();
    controller.name = "SATA";
    for (const std::string &name : disks) {
      Drive &drive = controller.drives.emplace_back();
      drive.port = static_cast<unsigned>(controller.drives.size() - 1);
      drive.medium.emplace();
      for (const std::string &file : {name + ".vdi", name + leaf + "-now.vdi"}) {
        ImageFile &image = drive.medium->chain.emplace_back();
        image.declared_location = file;
        image.pieces.push_back({"/machines/web/" + file, 0, {}});
        image.declared_format = ImageFormat::vdi;
      }
    }
    return out;
  }

  void fail(const std::string &field, ErrorKind kind) {
    MediumFacts &facts = survey.media.at(field);
    facts.info.reset();
    facts.error = Error(kind, {.message = "it is not to be had"});
  }

  void skip(const std::string &value) { apply_option(options, "skip-disk", value); }
  MachinePlan plan() const { return make_plan(imported, survey, options, libvirt::Target(host)); }

  static std::size_t skipped(const MachinePlan &plan) {
    return static_cast<std::size_t>(std::count_if(plan.findings.begin(), plan.findings.end(), [](const Finding &one) {
      return one.id == "disk.skipped" && one.severity == Severity::critical;
    }));
  }

  Error refusal() const {
    try {
      (void)plan();
    } catch (const Error &error) {
      return error;
    }
    ADD_FAILURE() << "it was planned";
    return {ErrorKind::internal, {}};
  }
};

constexpr auto kSecond = "hardware.controllers.0.drives.1";

TEST_F(SkipDisk, ANumberLeavesOutThatDiskAndNoOther) {
  skip("1");
  const MachinePlan planned = plan();
  ASSERT_EQ(planned.disks.size(), 1U);
  EXPECT_EQ(planned.disks[0].medium.chain.back().declared_location, "data-now.vdi");
  EXPECT_EQ(planned.disks[0].target, "/images/web.qcow2");
  EXPECT_EQ(skipped(planned), 1U);
  EXPECT_EQ(planned.domain_xml.find("web-2.qcow2"), std::string::npos);
  for (const Finding &finding : planned.findings) EXPECT_NE(finding.id, "disk.left-out") << "said twice";
}

TEST_F(SkipDisk, ANumberThatNoDiskHasIsWrongUsage) {
  skip("3");
  EXPECT_EQ(refusal().kind(), ErrorKind::usage);
}

TEST_F(SkipDisk, ARefusalNamesTheOptionAndTheNumber) {
  fail(kSecond, ErrorKind::missing);
  const Error error = refusal();
  EXPECT_EQ(error.kind(), ErrorKind::missing);
  EXPECT_NE(error.detail().advice.find("--skip-disk 2"), std::string::npos) << error.detail().advice;
  EXPECT_NE(error.detail().advice.find("--skip-disk missing"), std::string::npos) << error.detail().advice;
}

TEST_F(SkipDisk, WordsLeaveOutWhatHasThatFaultOnly) {
  fail(kSecond, ErrorKind::unsupported);
  skip("missing");
  EXPECT_EQ(refusal().kind(), ErrorKind::unsupported);
  skip("unsupported");
  const MachinePlan planned = plan();
  EXPECT_EQ(planned.disks.size(), 1U);
  EXPECT_EQ(skipped(planned), 1U);
}

TEST_F(SkipDisk, ADamagedDiskGoesByItsNumber) {
  fail(kSecond, ErrorKind::malformed);
  skip("missing");
  skip("unsupported");
  EXPECT_EQ(refusal().kind(), ErrorKind::malformed);
  skip("2");
  EXPECT_EQ(plan().disks.size(), 1U);
}

TEST_F(SkipDisk, AnOptionThatDoesNotSuitADiskIsNoReasonToLeaveItOut) {
  fail(kSecond, ErrorKind::usage);  // --disk-mode overlay of a chain
  skip("unsupported");
  skip("missing");
  const Error error = refusal();
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_EQ(error.detail().advice.find("--skip-disk"), std::string::npos);
}

TEST_F(SkipDisk, SnapshotsGoOnWithoutIt) {
  Snapshot &snapshot = imported.machine.snapshots.emplace_back();
  snapshot.name = "clean";
  snapshot.hardware = hardware({"system", "data"}, "-clean");
  survey = tests::imagined_survey(imported.machine);
  fail(kSecond, ErrorKind::missing);
  fail("snapshots.0.hardware.controllers.0.drives.1", ErrorKind::missing);
  skip("missing");
  const MachinePlan planned = plan();
  ASSERT_EQ(planned.snapshots.size(), 1U) << "the snapshot is kept";
  EXPECT_EQ(planned.disks.at(0).snapshots.size(), 1U);
  EXPECT_EQ(planned.snapshots[0].xml.find("data"), std::string::npos);
}

TEST_F(SkipDisk, ADiskThatStaysInASnapshotOnlyIsNotBroughtBack) {
  Snapshot &snapshot = imported.machine.snapshots.emplace_back();
  snapshot.name = "clean";
  snapshot.hardware = hardware({"data"}, "-clean");  // at another port by then
  survey = tests::imagined_survey(imported.machine);
  skip("2");
  const MachinePlan planned = plan();
  EXPECT_EQ(planned.disks.size(), 1U);
  EXPECT_EQ(planned.snapshots.size(), 1U);
}

TEST_F(SkipDisk, WhatIsNoNumberAndNoWordIsWrongUsage) {
  for (const char *value : {"0", "-1", "all", "", "1,2"}) {
    EXPECT_THROW(skip(value), Error) << value;
  }
}

}  // namespace
}  // namespace ferry::migration
