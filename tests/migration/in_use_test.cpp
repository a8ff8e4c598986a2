// SPDX-License-Identifier: Apache-2.0
// Sources that something uses: locks of every kind, told from those that were left over.
#include "migration/in_use.hpp"

#include <algorithm>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "migration/survey.hpp"
#include "tests/kit/scratch.hpp"

#include "support/file.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

class InUse : public testing::Test {
 protected:
  InUse() {
    disk_ = scratch_.write("web/web.vmdk", std::string(4096, 'x'));
    machine_.source = {SourceKind::vmx, scratch_.write("web/web.vmx"), {}, {}};
    Controller &controller = machine_.hardware.controllers.emplace_back();
    Drive &drive = controller.drives.emplace_back();
    drive.medium.emplace();
    drive.medium->chain.emplace_back().pieces.push_back({disk_, 0, std::nullopt});
  }

  std::shared_ptr<Reader> reader_ = reader_here({}, {});

  void expect_used(const std::string &by) {
    try {
      (void)refuse_in_use(machine_, options_, *reader_);
      ADD_FAILURE() << "not refused: " << by;
    } catch (const Error &error) {
      EXPECT_EQ(exit_code(error.kind()), 3);
      EXPECT_NE(error.detail().found.find(by), std::string::npos) << error.detail().found;
      EXPECT_NE(error.detail().advice.find("--allow-in-use"), std::string::npos);
    }
    Options allowed;
    allowed.allow_in_use = true;
    EXPECT_TRUE(has(refuse_in_use(machine_, allowed, *reader_), "source.in-use"));
  }

  static bool has(const std::vector<Finding> &findings, std::string_view id) {
    return std::any_of(findings.begin(), findings.end(), [&](const Finding &finding) { return finding.id == id; });
  }

  tests::Scratch scratch_;
  fs::path disk_;
  Machine machine_;
  Options options_;
};

TEST_F(InUse, AMachineThatNothingUsesIsFree) { EXPECT_TRUE(refuse_in_use(machine_, options_, *reader_).empty()); }

struct LockCase {
  short type;
  off_t start, length;
  bool used;
};

TEST_F(InUse, OpenFileDescriptionLocks) {
  // QEMU's bytes: 100 reading, 101 writing, 103 resizing, 200 and on what others may not.
  for (const LockCase &one :
       {LockCase{F_WRLCK, 0, 0, true}, LockCase{F_RDLCK, 101, 1, true}, LockCase{F_RDLCK, 103, 1, true},
        LockCase{F_RDLCK, 100, 1, false}, LockCase{F_RDLCK, 201, 1, false}}) {
    const file::Descriptor held(open(disk_.c_str(), O_RDWR | O_CLOEXEC));
    struct flock lock {};
    lock.l_type = one.type;
    lock.l_whence = SEEK_SET;
    lock.l_start = one.start;
    lock.l_len = one.length;
    ASSERT_EQ(fcntl(held.get(), F_OFD_SETLK, &lock), 0);
    if (one.used) {
      expect_used("a lock");
    } else {
      EXPECT_TRUE(refuse_in_use(machine_, options_, *reader_).empty()) << "a reader harms nobody";
    }
  }
}

// The parts that a descriptor names are what a running machine has locked.
TEST_F(InUse, LocksOfExtents) {
  const fs::path extent = scratch_.write("web/web-flat.vmdk", std::string(4096, 'x'));
  const file::Descriptor held(open(extent.c_str(), O_RDWR | O_CLOEXEC));
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  ASSERT_EQ(fcntl(held.get(), F_OFD_SETLK, &lock), 0);
  EXPECT_TRUE(refuse_in_use(machine_, options_, *reader_).empty());
  EXPECT_THROW((void)refuse_in_use(machine_, options_, *reader_, {extent}), Error);
  // That they are asked for is the survey's.
  scratch_.write("web/web.vmdk",
                 "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
                 "createType=\"monolithicFlat\"\nRW 8 FLAT \"web-flat.vmdk\" 0\n");
  ImportedMachine imported;
  imported.machine = machine_;
  EXPECT_THROW((void)survey(imported, options_, scratch_.path() / "out"), Error);
}

TEST_F(InUse, LocksOfAnotherProcessNameIt) {
  int ready[2], end[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(end), 0);
  const pid_t child = fork();
  if (child == 0) {
    const int held = open(disk_.c_str(), O_RDWR);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    char byte = fcntl(held, F_SETLK, &lock) == 0 ? 'y' : 'n';
    const bool told = write(ready[1], &byte, 1) == 1;
    close(end[1]);
    _exit(told && read(end[0], &byte, 1) >= 0 ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  expect_used("process " + std::to_string(child));
  close(end[0]);
  close(end[1]);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
}

TEST_F(InUse, VmwaresLocksOfTheDeadAreToldFromThoseOfTheLiving) {
  // A pid that nobody has: the largest that Linux gives is 4194304.
  for (const char *lock : {"web/web.vmdk.lck/M12345.lck", "web/web.vmx.lck/M7.lck", "web/web.vmem.lck/M1.lck"}) {
    scratch_.write(lock, std::string("uuid=56 4d 4194305-12345(vmware-vmx) 1 X ").replace(0, 10, "uuid=564d0") +
                             std::string(400, '\0'));
    EXPECT_TRUE(has(refuse_in_use(machine_, options_, *reader_), "source.stale-lock")) << lock;
    scratch_.write(lock, "no lock that is known");
    expect_used("VMware's lock");
    fs::remove_all((scratch_ / lock).parent_path());
  }
  scratch_.write("web/web.vmdk.lck/E12345.lck", "waits");
  scratch_.write("web/other.vmx.lck/M1.lck", "another machine's");
  EXPECT_TRUE(refuse_in_use(machine_, options_, *reader_).empty());
}

TEST_F(InUse, APackageIsACopy) {
  scratch_.write("web/web.vmdk.lck/M12345.lck", "x");
  machine_.source.kind = SourceKind::ovf;
  EXPECT_TRUE(refuse_in_use(machine_, options_, *reader_).empty());
}

}  // namespace
}  // namespace ferry::migration
