// SPDX-License-Identifier: Apache-2.0
// Disks of VMware's with a redo log: what the new disk holds with --disk-changes and without.
#include <gtest/gtest.h>

#include "exporters/libvirt/target.hpp"
#include "migration/migrate.hpp"
#include "tests/kit/disk_images.hpp"
#include "tests/kit/scratch.hpp"
#include "tests/paths.hpp"

#include "support/subprocess.hpp"

namespace ferry::migration {
namespace {

using test::Block;
using test::Bytes;
using test::Layer;

class RedoLog : public testing::Test {
 protected:
  void SetUp() override {
    if (subprocess::find_program("qemu-img").empty()) GTEST_SKIP() << "qemu-img is not installed";
    options_.dest = scratch_.folder() / "out";
    options_.define = false;
    std::filesystem::create_directories(scratch_.folder() / "m");
    image("d.vmdk", base_, {.cid = 0x11111111});
    image("d.vmdk.REDO_a1", delta_, {.cid = 0x22222222, .parent_cid = 0x11111111, .parent_name = "d.vmdk"});
    scratch_.write(
        "m/m.vmx",
        "config.version = \"8\"\nvirtualHW.version = \"18\"\nguestOS = \"ubuntu-64\"\nmemsize = \"64\"\n"
        "scsi0.present = \"TRUE\"\nscsi0.virtualDev = \"pvscsi\"\nscsi0:0.present = \"TRUE\"\n"
        "scsi0:0.fileName = \"d.vmdk\"\nscsi0:0.mode = \"undoable\"\nscsi0:0.redo = \".\\d.vmdk.REDO_a1\"\n");
  }

  void image(const std::string &name, const Layer &layer, const test::Identity &identity) const {
    const std::string extent = "RW " + std::to_string(layer.size / 512) + " SPARSE \"" + name + "\"";
    test::write_file(
        scratch_.folder() / "m" / name,
        test::make_hosted_sparse(layer, {.descriptor = test::vmdk_descriptor("monolithicSparse", extent, identity)}));
  }

  // What a guest reads from the new disk.
  Bytes migrated() {
    Host host{std::make_unique<libvirt::Target>(libvirt::load_host_profile(std::filesystem::path(FERRY_SOURCE_DIR) /
                                                                           "fixtures/hosts/debian-12.json")),
              nullptr, std::nullopt};
    std::vector<Planned> planned =
        plan_source(find_source((scratch_.folder() / "m/m.vmx").string()), options_, *host.target, {});
    if (planned.at(0).report.refusal) throw Error(ErrorKind::internal, planned[0].report.refusal->detail);
    findings_ = planned[0].plan->findings;
    migrate_planned(planned[0], options_, host, nullptr, {});
    if (planned[0].report.refusal) throw Error(ErrorKind::internal, planned[0].report.refusal->detail);
    const std::filesystem::path raw = scratch_.folder() / "raw";
    const auto result = subprocess::run(
        {.program = "qemu-img",
         .arguments = {"convert", "-O", "raw", planned[0].plan->disks.at(0).target.string(), raw.string()}});
    EXPECT_TRUE(result.ok()) << result.errors;
    return test::read_file(raw);
  }
  [[nodiscard]] bool found(std::string_view id) const {
    return std::any_of(findings_.begin(), findings_.end(), [&](const Finding &one) { return one.id == id; });
  }

  static constexpr std::uint64_t kGrain = 65536;
  Layer base_{.size = 4 * kGrain,
              .block_size = kGrain,
              .blocks = {Block::data, Block::data, Block::absent, Block::data},
              .tag = 1};
  Layer delta_{.size = 4 * kGrain,
               .block_size = kGrain,
               .blocks = {Block::absent, Block::data, Block::data, Block::absent},
               .tag = 2};
  tests::Scratch scratch_;
  Options options_;
  std::vector<Finding> findings_;
};

TEST_F(RedoLog, IsLeftBehindAndSaidSo) {
  EXPECT_EQ(migrated(), test::expected_content({base_}));
  EXPECT_TRUE(found("vmx.redo-log"));
}

TEST_F(RedoLog, IsLeftBehindAsAsked) {
  options_.keep_disk_changes = false;
  EXPECT_EQ(migrated(), test::expected_content({base_}));
  EXPECT_TRUE(found("vmx.redo-log-left"));
}

TEST_F(RedoLog, BecomesAPartOfTheDiskAsAsked) {
  options_.keep_disk_changes = true;
  EXPECT_EQ(migrated(), test::expected_content({base_, delta_}));
  EXPECT_TRUE(found("vmx.redo-log-taken"));
}

}  // namespace
}  // namespace ferry::migration
