// SPDX-License-Identifier: Apache-2.0
// The disks that VirtualBox itself wrote, converted: every state of every machine reads, through QEMU, as
// VirtualBox reads it (expected.sha256 in the corpus).
#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <iostream>
#include <set>

#include "converters/disk.hpp"
#include "exporters/libvirt/target.hpp"
#include "migration/run.hpp"
#include "migration/survey.hpp"
#include "tests/corpus/support.hpp"
#include "tests/kit/files.hpp"

#include "support/digest.hpp"

namespace ferry::corpus {
namespace {

namespace fs = std::filesystem;

// The sha256 of the first `size` bytes; what follows must be zeros (a snapshot is served with the size of the
// current state, and raw images end on a sector).
std::string digest_of(const fs::path &raw, std::uint64_t size) {
  std::ifstream in(raw, std::ios::binary);
  Digest digest("sha256");
  std::vector<char> block(1U << 20U);
  std::uint64_t read = 0;
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())), in.gcount() > 0) {
    const auto got = static_cast<std::uint64_t>(in.gcount());
    const std::uint64_t mine = read < size ? std::min(got, size - read) : 0;
    digest.update(block.data(), mine);
    EXPECT_TRUE(std::all_of(block.begin() + static_cast<long>(mine), block.begin() + static_cast<long>(got),
                            [](char c) { return c == 0; }))
        << "data after the end of the disk";
    read += got;
  }
  EXPECT_GE(read, size);
  return digest.finish();
}

// "virtualbox's path below the root", or "x.ova!member".
std::string key_of(const ImageFile &image, const fs::path &root) {
  const fs::path &file = image.pieces.at(0).file;
  std::string key = fs::canonical(file).lexically_relative(fs::canonical(root)).string();
  if (file.extension() == ".ova") key += "!" + image.declared_location;
  return key;
}

class Disks : public testing::TestWithParam<const char *> {
 protected:
  void SetUp() override {
    if (test::corpus().empty()) GTEST_SKIP() << "no corpus";
    if (!test::has_program("qemu-img")) GTEST_SKIP() << "qemu-img is not installed";
    root_ = unpack(GetParam(), scratch_);
    if (root_.empty()) GTEST_SKIP() << "the archive cannot be unpacked";
    digests_ = expected_digests(root_);
  }

  std::vector<ImportedMachine> machines() {
    std::vector<ImportedMachine> out;
    for (const fs::path &file : machine_files(root_)) {
      for (ImportedMachine &imported :
           migration::import_source(migration::find_source(file.string()), import_options(file, root_))) {
        out.push_back(std::move(imported));
      }
    }
    return out;
  }

  void expect_content(const fs::path &qcow2, const std::string &snapshot, std::uint64_t size,
                      const std::string &digest) {
    const fs::path raw = scratch_.path() / "content.raw";
    std::vector<std::string> command{"qemu-img", "convert", "-f", "qcow2", "-O", "raw"};
    if (!snapshot.empty()) command.insert(command.end(), {"-l", "snapshot.name=" + snapshot});
    command.insert(command.end(), {qcow2.string(), raw.string()});
    ASSERT_EQ(test::run(command), 0) << "qemu-img convert";
    EXPECT_EQ(digest_of(raw, size), digest);
    fs::remove(raw);
  }

  static void expect_clean(const fs::path &qcow2) {
    EXPECT_EQ(test::run({"qemu-img", "check", "-q", "-f", "qcow2", qcow2.string()}), 0) << "qemu-img check";
  }

  std::string expected_of(const Medium &medium) const {
    const auto found = digests_.find(key_of(medium.chain.back(), root_));
    return found == digests_.end() ? "" : found->second;
  }

  Scratch scratch_;
  fs::path root_;
  std::map<std::string, std::string> digests_;
};

std::vector<migration::DriveRef> disks_of(const Hardware &hardware) {
  std::vector<migration::DriveRef> out;
  for (const migration::DriveRef &ref : migration::drives_of(hardware, "")) {
    const bool disk = ref.drive->kind == DriveKind::disk && ref.drive->medium.has_value();
    if (disk && ref.drive->medium->chain.back().declared_format != ImageFormat::iscsi) out.push_back(ref);
  }
  return out;
}

TEST_P(Disks, EveryStateReadsAsVirtualboxReadsIt) {
  std::set<std::string> done;
  std::set<std::string> without_digest;
  for (const ImportedMachine &imported : machines()) {
    const Machine &machine = imported.machine;
    SCOPED_TRACE(machine.source.file.string());
    std::vector<const Hardware *> states{&machine.hardware};
    for (const Snapshot &snapshot : machine.snapshots) states.push_back(&snapshot.hardware);
    for (const Hardware *state : states) {
      for (const migration::DriveRef &ref : disks_of(*state)) {
        const std::string key = key_of(ref.drive->medium->chain.back(), root_);
        SCOPED_TRACE(key);
        if (!done.insert(key).second) continue;
        const std::string digest = expected_of(*ref.drive->medium);
        if (digest.empty()) without_digest.insert(key);
        const fs::path target = scratch_.path() / "disk.qcow2";
        try {
          const disk::ConvertResult result = disk::convert(
              {.medium = *ref.drive->medium, .target = target, .open = migration::open_options(machine)}, nullptr, {});
          expect_clean(target);
          if (!digest.empty()) expect_content(target, {}, result.virtual_size, digest);
        } catch (const Error &error) {
          ADD_FAILURE() << error.what();
        }
        fs::remove(target);
      }
    }
  }
  std::cout << done.size() << " disk states compared, of " << digests_.size() << " images with a digest\n";
  EXPECT_TRUE(without_digest.empty()) << without_digest.size() << ", such as " << *without_digest.begin();
}

TEST_P(Disks, MachinesKeepTheirSnapshots) {
  std::size_t with_snapshots = 0, states = 0;
  for (const ImportedMachine &imported : machines()) {
    const Machine &machine = imported.machine;
    if (machine.source.file.extension() == ".vbox-prev") continue;  // its disks are the .vbox's own
    if (disks_of(machine.hardware).empty() || machine.snapshots.empty()) continue;
    SCOPED_TRACE(machine.source.file.string());
    ++with_snapshots;
    const Scratch dest;
    migration::Options options;
    options.dest = dest.path();
    options.define = false;
    options.discard_saved_state = true;
    try {
      const migration::Host target_host{std::make_unique<libvirt::Target>(host()), nullptr, std::nullopt};
      const migration::MachinePlan plan = migration::make_plan(
          imported, migration::survey(imported, options, dest.path()), options, *target_host.target);
      const migration::RunResult result = migration::run_plan(plan, options, target_host, nullptr, {});
      EXPECT_EQ(plan.snapshots.size(), machine.snapshots.size());
      for (const migration::DiskPlan &disk : plan.disks) {
        SCOPED_TRACE(disk.target.filename().string());
        expect_clean(disk.target);
        expect_content(disk.target, {}, disk.info.virtual_size, expected_of(disk.medium));
        for (const disk::SnapshotState &state : disk.snapshots) {
          SCOPED_TRACE(state.name);
          const disk::DiskInfo info = disk::inspect(state.medium, migration::open_options(machine), {});
          expect_content(disk.target, state.name, info.virtual_size, expected_of(state.medium));
          ++states;
        }
      }
    } catch (const Error &error) {
      ADD_FAILURE() << error.what();
    }
  }
  std::cout << with_snapshots << " machines with snapshots, " << states << " disk states in internal snapshots\n";
  EXPECT_GE(states, std::string(GetParam()) == "virtualbox-6.1" ? 10U : 0U);
}

INSTANTIATE_TEST_SUITE_P(, Disks, testing::Values("virtualbox-6.1", "virtualbox-7.0"),
                         [](const auto &tested) { return std::string(tested.param).substr(11, 1); });

}  // namespace
}  // namespace ferry::corpus
