// SPDX-License-Identifier: Apache-2.0
// VirtualBox machines with several states, from .vbox to qcow2: what a guest reads of each state afterwards.
#include <algorithm>
#include <gtest/gtest.h>

#include "exporters/libvirt/target.hpp"
#include "migration/migrate.hpp"
#include "tests/disk/vdi_builder.hpp"
#include "tests/firmware/builder.hpp"
#include "tests/kit/scratch.hpp"
#include "tests/paths.hpp"

#include "support/subprocess.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBlock = test::VdiBuilder::kBlockSize;
constexpr std::size_t kBlocks = 4;

// As VdiBuilder makes it of `identity`.
std::string uuid(unsigned identity) { return "{0000000" + std::to_string(identity) + "-0000-0000-8000-000000000000}"; }
std::string snapshot_uuid(unsigned number) {
  return "{9000000" + std::to_string(number) + "-0000-4000-8000-000000000000}";
}

std::string drive(const std::string &image, const std::string &controller = "AHCI") {
  return "<StorageControllers><StorageController name='c' type='" + controller +
         "' PortCount='2'><AttachedDevice type='HardDisk' port='0' device='0'><Image uuid='" + image +
         "'/></AttachedDevice></StorageController></StorageControllers>";
}
std::string disk(unsigned identity, const std::string &inside, const std::string &attributes = "") {
  return "<HardDisk uuid='" + uuid(identity) + "' location='" + std::to_string(identity) + ".vdi' format='VDI' " +
         attributes + ">" + inside + "</HardDisk>";
}
std::string registry(const std::string &disks) {
  return "<MediaRegistry><HardDisks>" + disks + "</HardDisks></MediaRegistry>";
}
const std::string kHardware = "<Hardware><Memory RAMSize='64'/></Hardware>";

std::string snapshot(unsigned number, const std::string &attributes, const std::string &state,
                     const std::string &children = "") {
  return "<Snapshot uuid='" + snapshot_uuid(number) + "' name='s" + std::to_string(number) +
         "' timeStamp='2024-01-01T00:00:0" + std::to_string(number) + "Z' " + attributes + ">" + state +
         (children.empty() ? "" : "<Snapshots>" + children + "</Snapshots>") + "</Snapshot>";
}

std::string machine(const std::string &attributes, const std::string &content) {
  return "<?xml version='1.0'?>\n<VirtualBox xmlns='http://www.virtualbox.org/' version='1.16-linux'>\n<Machine "
         "uuid='{aabbccdd-0011-2233-4455-66778899aabb}' name='m' OSType='Debian_64' " +
         attributes + ">\n" + content + "\n</Machine></VirtualBox>\n";
}

class VboxStates : public testing::Test {
 protected:
  void SetUp() override {
    if (subprocess::find_program("qemu-img").empty()) GTEST_SKIP() << "qemu-img is not installed";
    // What lies in the home folder itself belongs to no machine; these machines' common folder is another.
    setenv("HOME", (scratch_.folder() / "home").c_str(), 1);
    options_.dest = scratch_.folder() / "out";
    options_.define = false;
    fs::create_directories(*options_.dest);
  }

  // An image with `marks`: one letter for each block; a blank is a block that the image does not have.
  void vdi(const std::string &folder, unsigned identity, unsigned parent, const std::string &marks) const {
    fs::create_directories(scratch_.folder() / folder);
    test::VdiBuilder image(scratch_.folder() / folder / (std::to_string(identity) + ".vdi"), kBlocks * kBlock,
                           static_cast<std::uint8_t>(identity), static_cast<std::uint8_t>(parent));
    for (std::size_t i = 0; i < marks.size(); ++i) {
      if (marks[i] == ' ') continue;
      const std::string block(kBlock, marks[i]);
      image.block(i, block.data(), block.size());
    }
    image.finish();
  }

  void migrate(const std::string &file) {
    Host host{std::make_unique<libvirt::Target>(
                  libvirt::load_host_profile(fs::path(FERRY_SOURCE_DIR) / "fixtures/hosts/debian-12.json")),
              nullptr, std::nullopt};
    std::vector<Planned> planned =
        plan_source(find_source((scratch_.folder() / file).string()), options_, *host.target, {});
    ASSERT_EQ(planned.size(), 1U);
    ASSERT_TRUE(planned[0].plan) << planned[0].report.refusal->detail.message;
    plan_ = *planned[0].plan;
    for (const LedgerEntry &entry : plan_.imported.ledger.entries()) {
      EXPECT_NE(entry.disposition, Disposition::unknown) << entry.where.text();
      EXPECT_NE(entry.disposition, Disposition::unsettled) << entry.where.text() << " in " << entry.field;
    }
    migrate_planned(planned[0], options_, host, nullptr, {});
    ASSERT_FALSE(planned[0].report.refusal) << planned[0].report.refusal->detail.message;
  }

  // The blocks of the disk in a snapshot, or in the current state; '.' is a block of zeros.
  [[nodiscard]] std::string marks(const std::string &snapshot = {}, std::size_t number = 0) const {
    const fs::path raw = scratch_.folder() / "state.raw";
    std::vector<std::string> arguments{"convert", "-f", "qcow2", "-O", "raw"};
    if (!snapshot.empty()) arguments.insert(arguments.end(), {"-l", "snapshot.name=" + snapshot});
    arguments.insert(arguments.end(), {plan_.disks.at(number).target.string(), raw.string()});
    const subprocess::Result result = subprocess::run({.program = "qemu-img", .arguments = arguments});
    if (!result.ok()) return result.errors;
    std::ifstream in(raw, std::ios::binary);
    std::string out;
    for (std::size_t i = 0; i < kBlocks; ++i) {
      std::string block(kBlock, '?');
      in.read(block.data(), static_cast<std::streamsize>(block.size()));
      const bool even = block.find_first_not_of(block.front()) == std::string::npos;
      out += !even ? '!' : block.front() == '\0' ? '.' : block.front();
    }
    return out;
  }

  [[nodiscard]] bool has(std::string_view id) const {
    return std::any_of(plan_.findings.begin(), plan_.findings.end(), [&](const Finding &f) { return f.id == id; });
  }

  tests::Scratch scratch_;
  Options options_;
  MachinePlan plan_;
};

// s1 - s2 (taken while running) - the current state
//    \ s3, on an IDE controller
TEST_F(VboxStates, EveryBranchHasItsOwnContent) {
  vdi("m", 1, 0, "aaa ");
  vdi("m", 2, 1, " b  ");
  vdi("m", 3, 1, "  cc");
  vdi("m", 4, 2, "d   ");
  const std::string branches = snapshot(2, "stateFile='s2.sav'", kHardware + drive(uuid(2))) +
                               snapshot(3, "", kHardware + drive(uuid(3), "PIIX4"));
  scratch_.write("m/m.vbox",
                 machine("aborted='true' currentSnapshot='" + snapshot_uuid(2) + "'",
                         registry(disk(1, disk(2, disk(4, "")) + disk(3, ""), "type='Normal'")) +
                             snapshot(1, "", kHardware + drive(uuid(1)), branches) + kHardware + drive(uuid(4))));
  migrate("m/m.vbox");
  EXPECT_EQ(marks(), "dba.");
  EXPECT_EQ(marks("s1"), "aaa.");
  EXPECT_EQ(marks("s2"), "aba.");
  EXPECT_EQ(marks("s3"), "aacc");
  EXPECT_EQ(plan_.disks.size(), 1U);
  EXPECT_TRUE(has("vbox.aborted"));
  EXPECT_TRUE(has("snapshot.memory-dropped"));
  for (const SnapshotPlan &planned : plan_.snapshots) EXPECT_EQ(planned.current, planned.name == "s2");
  EXPECT_NE(plan_.snapshots.at(2).xml.find("bus=\"ide\""), std::string::npos);
  EXPECT_EQ(plan_.snapshots.at(1).xml.find("bus=\"ide\""), std::string::npos);
}

TEST_F(VboxStates, ACurrentSnapshotThatIsNotThereLosesNoState) {
  vdi("m", 1, 0, "aaaa");
  vdi("m", 2, 1, "bb  ");
  scratch_.write("m/m.vbox", machine("currentSnapshot='" + snapshot_uuid(7) + "'",
                                     registry(disk(1, disk(2, ""), "type='Normal'")) +
                                         snapshot(1, "", kHardware + drive(uuid(1))) + kHardware + drive(uuid(2))));
  migrate("m/m.vbox");
  EXPECT_EQ(marks(), "bbaa");
  EXPECT_EQ(marks("s1"), "aaaa");
  EXPECT_TRUE(has("vbox.current-snapshot"));
  EXPECT_FALSE(plan_.snapshots.at(0).current);
}

// libvirt would go back to a state of the other disks alone.
TEST_F(VboxStates, OfDisksThatLibvirtDoesNotKnowTheSnapshotsAreInTheImagesAlone) {
  vdi("m", 1, 0, "aaaa");
  vdi("m", 2, 1, "bb  ");
  scratch_.write("m/m.vbox",
                 machine("currentSnapshot='" + snapshot_uuid(1) + "'",
                         registry(disk(1, disk(2, ""), "type='Normal'")) +
                             snapshot(1, "", kHardware + drive(uuid(1), "NVMe")) + kHardware + drive(uuid(2), "NVMe")));
  options_.hardware.disk_bus = target::DiskBus::nvme;
  migrate("m/m.vbox");
  EXPECT_EQ(marks(), "bbaa");
  EXPECT_EQ(marks("s1"), "aaaa");
  EXPECT_TRUE(plan_.snapshots.empty());
  EXPECT_TRUE(has("snapshot.in-images"));
  EXPECT_TRUE(has("disk.nvme-by-arguments"));
  // Whoever asks which files the machine has is told of them.
  target::MachineFiles files;
  libvirt::Target(libvirt::load_host_profile(fs::path(FERRY_SOURCE_DIR) / "fixtures/hosts/debian-12.json"))
      .add_files(plan_.domain_xml, files);
  EXPECT_TRUE(files.disks.contains(plan_.disks.at(0).target));
}

// The source machine lists the clone's image below the snapshot that it was made of.
TEST_F(VboxStates, ALinkedCloneOfASnapshotHasTheSnapshotBelowIt) {
  vdi("source", 1, 0, "aaaa");
  vdi("source", 2, 1, "bb  ");
  vdi("clone", 3, 1, " c  ");
  const std::string clone = "<HardDisk uuid='" + uuid(3) + "' location='../clone/3.vdi' format='VDI'/>";
  scratch_.write("source/source.vbox",
                 machine("currentSnapshot='" + snapshot_uuid(1) + "'",
                         registry(disk(1, disk(2, "") + clone, "type='Normal'")) +
                             snapshot(1, "", kHardware + drive(uuid(1))) + kHardware + drive(uuid(2))));
  scratch_.write("clone/clone.vbox", machine("", kHardware + drive(uuid(3))));
  migrate("clone/clone.vbox");
  EXPECT_EQ(marks(), "acaa");
  EXPECT_TRUE(has("vbox.foreign-registry"));
}

TEST_F(VboxStates, AMultiAttachDiskIsThisMachinesOwn) {
  vdi("m", 1, 0, "aaaa");
  vdi("m", 2, 1, "b   ");
  vdi("m", 3, 1, " c  ");  // another machine's
  scratch_.write("m/m.vbox", machine("", registry(disk(1, disk(2, "") + disk(3, ""), "type='MultiAttach'")) +
                                             kHardware + drive(uuid(2))));
  migrate("m/m.vbox");
  EXPECT_EQ(marks(), "baaa");
}

TEST_F(VboxStates, AnImmutableDiskStartsAsItsBase) {
  vdi("m", 1, 0, "aaaa");
  vdi("m", 2, 1, "b   ");
  const std::string text =
      machine("", registry(disk(1, disk(2, "", "autoReset='true'"), "type='Immutable'")) + kHardware + drive(uuid(2)));
  scratch_.write("m/m.vbox", text);
  migrate("m/m.vbox");
  EXPECT_EQ(marks(), "aaaa");
  EXPECT_NE(plan_.domain_xml.find("<transient/>"), std::string::npos);
  EXPECT_TRUE(has("vbox.auto-reset"));
}

TEST_F(VboxStates, AnImmutableDisksChangesAreKeptWhereThatIsAskedFor) {
  vdi("m", 1, 0, "aaaa");
  vdi("m", 2, 1, "b   ");
  scratch_.write("m/m.vbox", machine("", registry(disk(1, disk(2, "", "autoReset='true'"), "type='Immutable'")) +
                                             kHardware + drive(uuid(2))));
  options_.keep_disk_changes = true;
  migrate("m/m.vbox");
  EXPECT_EQ(marks(), "baaa");
  EXPECT_EQ(plan_.domain_xml.find("<transient/>"), std::string::npos);
  EXPECT_TRUE(has("vbox.auto-reset-kept"));
  EXPECT_FALSE(has("vbox.auto-reset"));
}

TEST_F(VboxStates, AnImmutableDiskThatIsNotResetKeepsWhatWasWritten) {
  vdi("m", 1, 0, "aaaa");
  vdi("m", 2, 1, "b   ");
  scratch_.write("m/m.vbox", machine("", registry(disk(1, disk(2, "", "autoReset='false'"), "type='Immutable'")) +
                                             kHardware + drive(uuid(2))));
  migrate("m/m.vbox");
  EXPECT_EQ(marks(), "baaa");
  EXPECT_EQ(plan_.domain_xml.find("<transient/>"), std::string::npos);
}

// The snapshot has the image that the machine wrote on before it was taken; the one above it is emptied.
TEST_F(VboxStates, AnImmutableDiskUnderASnapshotStartsAsTheSnapshot) {
  vdi("m", 1, 0, "aaaa");
  vdi("m", 2, 1, "b   ");
  vdi("m", 3, 2, "  c ");
  scratch_.write(
      "m/m.vbox",
      machine("currentSnapshot='" + snapshot_uuid(1) + "'",
              registry(disk(1, disk(2, disk(3, "", "autoReset='true'"), "autoReset='true'"), "type='Immutable'")) +
                  snapshot(1, "", kHardware + drive(uuid(2))) + kHardware + drive(uuid(3))));
  migrate("m/m.vbox");
  EXPECT_EQ(marks(), "baaa");
}

TEST_F(VboxStates, AWriteThroughDiskIsTheSameInEveryState) {
  vdi("m", 1, 0, "aaaa");
  vdi("m", 2, 1, "b   ");
  vdi("m", 5, 0, "wwww");
  const auto two = [](unsigned first) {
    std::string out = drive(uuid(first));
    const std::string second = "<AttachedDevice type='HardDisk' port='1' device='0'><Image uuid='" + uuid(5) +
                               "'/></AttachedDevice></StorageController>";
    return out.replace(out.find("</StorageController>"), std::string_view("</StorageController>").size(), second);
  };
  scratch_.write("m/m.vbox",
                 machine("currentSnapshot='" + snapshot_uuid(1) + "'",
                         registry(disk(1, disk(2, ""), "type='Normal'") + disk(5, "", "type='Writethrough'")) +
                             snapshot(1, "", kHardware + two(1)) + kHardware + two(2)));
  migrate("m/m.vbox");
  EXPECT_EQ(marks("", 0), "baaa");
  EXPECT_EQ(marks("s1", 0), "aaaa");
  EXPECT_EQ(marks("", 1), "wwww");
  EXPECT_TRUE(plan_.disks.at(1).snapshots.empty());
}

// VirtualBox 7 keeps the variables of a snapshot in a file of its own.
TEST_F(VboxStates, ASnapshotStartsWithItsOwnEfiVariables) {
  if (!fs::exists("/usr/share/OVMF/OVMF_VARS_4M.fd")) GTEST_SKIP() << "OVMF is not installed";
  namespace builder = firmware::testing;
  const auto store = [](std::u16string_view loader) {
    const builder::Bytes option = builder::load_option(u"guest", builder::full_path(loader));
    const builder::Bytes volume = builder::store(
        {{.name = u"Boot0003", .data = option}, {.name = u"BootOrder", .data = builder::boot_order({3})}});
    return std::string(volume.begin(), volume.end());
  };
  const auto hardware = [](const std::string &variables, unsigned image) {
    return "<Hardware><Memory RAMSize='64'/><Firmware type='EFI'/>" +
           (variables.empty() ? "" : "<BIOS><NVRAM path='" + variables + "'/></BIOS>") + "</Hardware>" +
           drive(uuid(image));
  };
  vdi("m", 1, 0, "aaaa");
  vdi("m", 2, 1, "b   ");
  vdi("m", 3, 2, "c   ");
  scratch_.write("m/m.nvram", store(u"\\EFI\\now.efi"));
  scratch_.write("m/Snapshots/1.nvram", store(u"\\EFI\\then.efi"));
  scratch_.write("m/m.vbox",
                 machine("currentSnapshot='" + snapshot_uuid(2) + "'",
                         registry(disk(1, disk(2, disk(3, "")), "type='Normal'")) +
                             snapshot(1, "", hardware("Snapshots/1.nvram", 1), snapshot(2, "", hardware("", 2))) +
                             hardware("m.nvram", 3)));
  migrate("m/m.vbox");
  const auto holds = [&](const std::string &file, std::u16string_view text) {
    const builder::Bytes content = builder::read(*options_.dest / file), wanted = builder::utf16(text, false);
    return std::search(content.begin(), content.end(), wanted.begin(), wanted.end()) != content.end();
  };
  EXPECT_TRUE(holds("m_VARS.fd", u"now.efi"));
  EXPECT_FALSE(holds("m_VARS.fd", u"then.efi"));
  EXPECT_TRUE(holds("m_VARS-2.fd", u"then.efi"));
  EXPECT_FALSE(holds("m_VARS-2.fd", u"now.efi"));
  EXPECT_FALSE(fs::exists(*options_.dest / "m_VARS-3.fd"));
  EXPECT_NE(plan_.snapshots.at(0).xml.find("m_VARS-2.fd<"), std::string::npos);
  EXPECT_NE(plan_.snapshots.at(1).xml.find("m_VARS.fd<"), std::string::npos);
  EXPECT_NE(plan_.domain_xml.find("m_VARS.fd<"), std::string::npos);
}

}  // namespace
}  // namespace ferry::migration
