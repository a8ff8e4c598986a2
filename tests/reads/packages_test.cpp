// SPDX-License-Identifier: Apache-2.0
// How much of a package plan and migrate read, counted in the bytes that its file gave.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <string>

#include "converters/qemu_img.hpp"
#include "exporters/libvirt/target.hpp"
#include "migration/migrate.hpp"
#include "tests/kit/files.hpp"
#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"
#include "tests/reads/counting.hpp"

#include "support/digest.hpp"
#include "support/subprocess.hpp"

namespace ferry::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLarge = std::uint64_t{72} << 20U, kSmall = std::uint64_t{2} << 20U;  // bytes of the disk

// One disk, as VirtualBox and ovftool pack it.
std::string envelope(std::uint64_t capacity) {
  return R"(<?xml version="1.0"?>
<Envelope ovf:version="1.0" xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
<References><File ovf:id="file1" ovf:href="disk.vmdk"/></References>
<DiskSection><Info/><Disk ovf:capacity=")" +
         std::to_string(capacity) +
         R"(" ovf:diskId="disk1" ovf:fileRef="file1" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/></DiskSection>
<VirtualSystem ovf:id="machine"><Info/><OperatingSystemSection ovf:id="96"><Info/></OperatingSystemSection><VirtualHardwareSection><Info/>
<Item><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>1</rasd:VirtualQuantity></Item>
<Item><rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>512</rasd:VirtualQuantity><rasd:AllocationUnits>MegaBytes</rasd:AllocationUnits></Item>
<Item><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceType>20</rasd:ResourceType><rasd:ResourceSubType>AHCI</rasd:ResourceSubType><rasd:Address>0</rasd:Address></Item>
<Item><rasd:InstanceID>4</rasd:InstanceID><rasd:ResourceType>17</rasd:ResourceType><rasd:HostResource>/disk/disk1</rasd:HostResource><rasd:Parent>3</rasd:Parent><rasd:AddressOnParent>0</rasd:AddressOnParent></Item>
</VirtualHardwareSection></VirtualSystem></Envelope>)";
}

// Data that hardly deflate, so that the package is as large as they are.
void write_disk(const fs::path &file, std::uint64_t capacity) {
  Bytes bytes(capacity);
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    const std::uint64_t value = random() & 0x7f7f7f7f7f7f7f7fU;
    std::memcpy(bytes.data() + i, &value, 8);
  }
  const fs::path raw = file.string() + ".raw";
  write_file(raw, bytes);
  EXPECT_TRUE(subprocess::run(
                  {.program = "qemu-img",
                   .arguments = {"convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", raw, file}})
                  .ok());
}

std::string digest_line(const std::string &algorithm, const fs::path &file) {
  Digest digest(algorithm);
  const Bytes bytes = read_file(file);
  digest.update(bytes.data(), bytes.size());
  return algorithm + "(" + file.filename().string() + ")= " + digest.finish() + "\n";
}

enum class Manifest { none, first, last };

struct Package : testing::Test {
  TempFolder folder;
  Package() {
    setenv("HOME", folder.path().c_str(), 1);
    setenv("XDG_STATE_HOME", (folder.path() / "state").c_str(), 1);
  }
  void SetUp() override {
    if (!qemu_img::available()) GTEST_SKIP() << "qemu-img makes the disk";
  }

  fs::path make(std::uint64_t capacity, Manifest manifest, const std::string &algorithm, bool gzip) const {
    const fs::path parts = folder.path() / "parts";
    fs::create_directories(parts);
    write_file(parts / "machine.ovf", std::string_view(envelope(capacity)));
    if (!fs::exists(parts / "disk.vmdk")) write_disk(parts / "disk.vmdk", capacity);
    write_file(parts / "machine.mf", std::string_view(digest_line(algorithm, parts / "machine.ovf") +
                                                      digest_line(algorithm, parts / "disk.vmdk")));
    std::vector<std::string> members = {"machine.ovf"};
    if (manifest == Manifest::first) members.emplace_back("machine.mf");
    members.emplace_back("disk.vmdk");
    if (manifest == Manifest::last) members.emplace_back("machine.mf");
    fs::path package = folder.path() / "package" / "machine.ova";
    fs::create_directories(package.parent_path());
    fs::remove(package);
    std::vector<std::string> arguments = {"-C", parts, "--format=ustar", gzip ? "-czf" : "-cf", package};
    arguments.insert(arguments.end(), members.begin(), members.end());
    EXPECT_TRUE(subprocess::run({.program = "tar", .arguments = arguments}).ok());
    return package;
  }

  struct Times {
    double by_plan = 0, by_both = 0;  // the file's size
  };
  Times migrate(const fs::path &package, ErrorKind *refusal = nullptr) const {
    migration::Options options;
    options.dest = folder.path() / "dest";
    options.define = false;
    fs::remove_all(*options.dest);
    migration::Host host{.target = std::make_unique<libvirt::Target>(
                             libvirt::load_host_profile(fs::path(FERRY_SOURCE_DIR) / "fixtures/hosts/debian-12.json")),
                         .machines = nullptr,
                         .unreachable = {}};
    count_reads(package.parent_path());
    const auto size = static_cast<double>(fs::file_size(package));
    const auto times = [&] { return static_cast<double>(counted_reads()[package].bytes) / size; };
    Times out;
    auto planned = migration::plan_source(migration::find_source(package), options, *host.target, {});
    out.by_plan = times();
    EXPECT_EQ(planned.size(), 1U);
    EXPECT_FALSE(planned[0].report.refusal) << planned[0].report.refusal->detail.message;
    migration::migrate_planned(planned[0], options, host, nullptr, {});
    out.by_both = times();
    if (refusal != nullptr) {
      EXPECT_TRUE(planned[0].report.refusal);
      if (planned[0].report.refusal) *refusal = planned[0].report.refusal->kind;
    } else {
      EXPECT_FALSE(planned[0].report.refusal) << planned[0].report.refusal->detail.message;
    }
    return out;
  }
};

TEST_F(Package, ThatIsCompressedIsReadAtMostTwiceByPlanAndMigrate) {
  for (const Manifest manifest : {Manifest::none, Manifest::first, Manifest::last}) {
    const Times times = migrate(make(kLarge, manifest, "SHA256", true));
    std::printf("gzip'd package, %s manifest: plan reads it %.6f times, plan and migrate %.6f times\n",
                manifest == Manifest::none    ? "no"
                : manifest == Manifest::first ? "a first"
                                              : "a last",
                times.by_plan, times.by_both);
    EXPECT_GE(times.by_plan, 1.0) << "what counts does not count";
    EXPECT_LE(times.by_plan, 1.1);
    EXPECT_LE(times.by_both, 2.0);
  }
}

TEST_F(Package, ThatIsNotCompressedIsReadByMigrateOnly) {
  for (const Manifest manifest : {Manifest::none, Manifest::first}) {
    const Times times = migrate(make(kLarge, manifest, "SHA256", false));
    std::printf("package, %s manifest: plan reads it %.2f times, plan and migrate %.2f times\n",
                manifest == Manifest::none ? "no" : "a", times.by_plan, times.by_both);
    EXPECT_LE(times.by_plan, 0.2);
    EXPECT_LE(times.by_both, 1.2);
  }
}

TEST_F(Package, ThatIsNotWhatItsManifestSaysIsRefusedWhateverTheOrderAndTheDigest) {
  for (const Manifest manifest : {Manifest::first, Manifest::last}) {
    for (const std::string algorithm : {"SHA1", "SHA256", "SHA384", "SHA512"}) {
      for (const bool gzip : {false, true}) {
        (void)make(kSmall, manifest, algorithm, gzip);
        const fs::path parts = folder.path() / "parts", disk = parts / "disk.vmdk";
        Bytes bytes = read_file(disk);
        const Bytes sound = bytes;
        bytes[bytes.size() / 2] ^= 1U;
        write_file(parts / "changed", bytes);
        fs::path package = folder.path() / "package" / "machine.ova";
        // The manifest is of the sound disk.
        const std::string text = read_text(parts / "machine.mf");
        write_file(disk, bytes);
        std::vector<std::string> arguments = {"-C",    parts,        "--format=ustar", gzip ? "-czf" : "-cf",
                                              package, "machine.ovf"};
        if (manifest == Manifest::first) arguments.emplace_back("machine.mf");
        arguments.emplace_back("disk.vmdk");
        if (manifest == Manifest::last) arguments.emplace_back("machine.mf");
        ASSERT_TRUE(subprocess::run({.program = "tar", .arguments = arguments}).ok());
        write_file(disk, sound);
        ErrorKind refusal = ErrorKind::internal;
        (void)migrate(package, &refusal);
        EXPECT_EQ(refusal, ErrorKind::malformed) << algorithm << (gzip ? ", gzip'd" : "");
        EXPECT_FALSE(fs::exists(folder.path() / "dest" / "machine.qcow2"));
      }
    }
  }
}

}  // namespace
}  // namespace ferry::test
