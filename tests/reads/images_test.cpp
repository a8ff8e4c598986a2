// SPDX-License-Identifier: Apache-2.0
// How often the images of a machine with snapshots are opened, by plan and migrate together, and what happens when
// there are more of them than a process may hold open.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <thread>

#include "converters/qemu_img.hpp"
#include "exporters/libvirt/target.hpp"
#include "migration/migrate.hpp"
#include "tests/kit/disk_images.hpp"
#include "tests/kit/files.hpp"
#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"
#include "tests/reads/counting.hpp"

#include "support/subprocess.hpp"

namespace ferry::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBlock = std::uint64_t{64} << 10U, kBlocks = 16;
const fs::path kHost = fs::path(FERRY_SOURCE_DIR) / "fixtures/hosts/debian-12.json";

Uuid numbered(unsigned number) {
  const std::string digits = std::to_string(number);
  return Uuid::parse("5aa50000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits).value();
}

std::string braced(const Uuid &uuid) { return "{" + uuid.text() + "}"; }

// A VirtualBox machine with `disks` disks and a line of `snapshots`, each of which added a block to each disk.
class Machine {
 public:
  Machine(const TempFolder &folder, unsigned snapshots, unsigned disks)
      : folder_(folder.path() / ("machine-" + std::to_string(snapshots))), snapshots_(snapshots), disks_(disks) {
    fs::create_directories(folder_ / "Snapshots");
    for (unsigned disk = 0; disk < disks; ++disk) {
      for (unsigned state = 0; state <= snapshots; ++state) write(disk, state);
    }
    write_file(settings(), to_bytes(xml()));
  }

  [[nodiscard]] const fs::path &folder() const { return folder_; }
  [[nodiscard]] fs::path settings() const { return folder_ / "machine.vbox"; }
  [[nodiscard]] std::size_t images() const { return std::size_t{disks_} * (snapshots_ + 1); }

 private:
  static Bytes to_bytes(const std::string &text) { return {text.begin(), text.end()}; }
  static Uuid id(unsigned disk, unsigned state) { return numbered(1000 * (disk + 1) + state); }
  [[nodiscard]] static std::string file(unsigned disk, unsigned state) {
    if (state == 0) return "disk" + std::to_string(disk) + ".vdi";
    return "Snapshots/" + braced(id(disk, state)) + ".vdi";
  }

  void write(unsigned disk, unsigned state) const {
    Layer layer{.size = kBlock * kBlocks, .block_size = kBlock, .blocks = std::vector(kBlocks, Block::absent)};
    layer.blocks[(7 * state + disk) % kBlocks] = Block::data;
    layer.tag = 1 + (state + disk) % 200;
    Identity identity{.id = id(disk, state), .modification = numbered(500000 + 1000 * disk + state)};
    if (state > 0) {
      identity.parent = id(disk, state - 1);
      identity.parent_modification = numbered(500000 + 1000 * disk + state - 1);
    }
    write_file(folder_ / file(disk, state), make_vdi(layer, identity));
  }

  [[nodiscard]] std::string hardware(unsigned state) const {
    std::string out =
        R"(<Hardware><CPU count="1"/><Memory RAMSize="512"/></Hardware><StorageControllers><StorageController name="SATA" type="AHCI" PortCount="4">)";
    for (unsigned disk = 0; disk < disks_; ++disk) {
      out += R"(<AttachedDevice type="HardDisk" port=")" + std::to_string(disk) + R"(" device="0"><Image uuid=")" +
             braced(id(disk, state)) + R"("/></AttachedDevice>)";
    }
    return out + "</StorageController></StorageControllers>";
  }

  [[nodiscard]] std::string xml() const {
    std::string registry, tree;
    for (unsigned disk = 0; disk < disks_; ++disk) {
      std::string nested;
      for (unsigned state = snapshots_ + 1; state-- > 0;) {
        nested = R"(<HardDisk uuid=")" + braced(id(disk, state)) + R"(" location=")" + file(disk, state) +
                 R"(" format="VDI">)" + nested + "</HardDisk>";
      }
      registry += nested;
    }
    for (unsigned i = snapshots_; i-- > 0;) {
      tree = R"(<Snapshot uuid=")" + braced(numbered(900000 + i)) + R"(" name="s)" + std::to_string(i) +
             R"(" timeStamp="2024-05-01T10:00:00Z">)" + hardware(i) +
             (tree.empty() ? "" : "<Snapshots>" + tree + "</Snapshots>") + "</Snapshot>";
    }
    return R"(<?xml version="1.0"?><VirtualBox xmlns="http://www.virtualbox.org/" version="1.19-linux"><Machine uuid=")" +
           braced(numbered(1)) + R"(" name="machine" OSType="Debian_64" snapshotFolder="Snapshots" currentSnapshot=")" +
           braced(numbered(900000 + snapshots_ - 1)) + R"("><MediaRegistry><HardDisks>)" + registry +
           "</HardDisks></MediaRegistry>" + tree + hardware(snapshots_) + "</Machine></VirtualBox>";
  }

  fs::path folder_;
  unsigned snapshots_, disks_;
};

migration::Options options_for(const fs::path &dest) {
  migration::Options out;
  out.dest = dest;
  out.define = false;
  return out;
}

struct Images : testing::Test {
  TempFolder folder;
  Images() {
    setenv("HOME", folder.path().c_str(), 1);
    setenv("XDG_STATE_HOME", (folder.path() / "state").c_str(), 1);
    unsetenv("VBOX_USER_HOME");
  }
};

std::uint64_t opens_of_images() {
  std::uint64_t sum = 0;
  for (const auto &[file, reads] : counted_reads()) {
    if (file.extension() == ".vdi") sum += reads.opens;
  }
  return sum;
}

TEST_F(Images, AreOpenedOnceHoweverManySnapshotsThereAre) {
  for (const unsigned snapshots : {5U, 10U, 20U, 40U}) {
    const Machine machine(folder, snapshots, 2);
    const fs::path dest = folder.path() / ("dest-" + std::to_string(snapshots));
    migration::Host host{.target = std::make_unique<libvirt::Target>(libvirt::load_host_profile(kHost)),
                         .machines = nullptr,
                         .unreachable = {}};
    count_reads(machine.folder());
    auto planned = migration::plan_source({SourceKind::vbox, machine.settings()}, options_for(dest), *host.target, {});
    ASSERT_EQ(planned.size(), 1U);
    ASSERT_FALSE(planned[0].report.refusal) << planned[0].report.refusal->detail.message;
    const std::uint64_t by_plan = opens_of_images();
    migration::migrate_planned(planned[0], options_for(dest), host, nullptr, {});
    ASSERT_FALSE(planned[0].report.refusal) << planned[0].report.refusal->detail.message;
    const std::uint64_t by_both = opens_of_images();
    std::printf("%2u snapshots, %3zu image files: plan opens %3llu times, plan and migrate %3llu times\n", snapshots,
                machine.images(), static_cast<unsigned long long>(by_plan), static_cast<unsigned long long>(by_both));
    EXPECT_GE(by_plan, machine.images()) << "what counts does not count";
    EXPECT_LE(by_both, 3 * machine.images());
    for (const auto &[file, reads] : counted_reads()) EXPECT_LE(reads.opens, 3U) << file;
  }
}

// `files`: the limit on open files, as prlimit takes it: "SOFT:HARD".
subprocess::Result migrate_with(const std::string &files, const Machine &machine, const fs::path &dest) {
  return subprocess::run({.program = "prlimit",
                          .arguments = {"--nofile=" + files, "--", FERRY_PROGRAM, "migrate", machine.settings(),
                                        "--dest", dest, "--no-define", "--host-profile", kHost, "--progress", "none"}});
}

void expect_migrated(const std::string &files, const Machine &machine, const fs::path &dest, std::size_t snapshots) {
  const subprocess::Result result = migrate_with(files, machine, dest);
  ASSERT_TRUE(result.ok()) << files << ": " << result.errors << result.output;
  if (!qemu_img::available()) return;
  for (const char *disk : {"machine.qcow2", "machine-2.qcow2"}) {
    EXPECT_EQ(qemu_img::info({.format = ImageFormat::qcow2, .range = {.file = dest / disk}}).snapshots.size(),
              snapshots);
  }
}

TEST_F(Images, Of250SnapshotsOnTwoDisksMigrateThoughFewerFilesMayBeOpen) {
  expect_migrated("256:256", Machine(folder, 250, 2), folder.path() / "dest", 250);
}

TEST_F(Images, AreClosedForOthersWhereTheLimitIsVeryLow) {
  expect_migrated("64:64", Machine(folder, 60, 2), folder.path() / "dest", 60);
}

TEST_F(Images, RaiseTheSoftLimit) { expect_migrated("24:", Machine(folder, 30, 2), folder.path() / "dest", 30); }

// Processes whose command line names a file below `folder`. Others come and go meanwhile.
std::size_t processes_about(const fs::path &folder) {
  std::size_t out = 0;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry->path() / "cmdline", std::ios::binary);
    const std::string line{std::istreambuf_iterator<char>(file), {}};
    if (line.find(folder.string()) != std::string::npos) ++out;
  }
  return out;
}

TEST_F(Images, ALimitThatIsTooLowLeavesNoProcess) {
  constexpr auto kLongest = std::chrono::seconds(20);  // a process that was told to end may still be there for a moment
  const Machine machine(folder, 1, 1);
  for (int files = 3; files <= 14; ++files) {
    const std::string limit = std::to_string(files);
    (void)migrate_with(limit + ":" + limit, machine, folder.path() / ("dest" + limit));
    const auto until = std::chrono::steady_clock::now() + kLongest;
    while (processes_about(folder.path()) > 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    ASSERT_EQ(processes_about(folder.path()), 0U) << limit;
  }
}

TEST_F(Images, ALimitThatIsTooLowToWorkWithIsNamed) {
  const Machine machine(folder, 5, 2);
  for (const char *files : {"5:5", "8:8", "12:12", "16:16"}) {
    const subprocess::Result result = migrate_with(files, machine, folder.path() / "dest");
    if (result.ok()) break;
    EXPECT_EQ(result.errors.find("Check the file's permissions"), std::string::npos) << files << ": " << result.errors;
    fs::remove_all(folder.path() / "dest");
  }
}

}  // namespace
}  // namespace ferry::test
