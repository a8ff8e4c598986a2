// SPDX-License-Identifier: Apache-2.0
// Whole plans of machines on disk: one image never becomes two disks, an older state is not taken without a word, what
// --start needs is looked at before, and what cannot be read is not dropped.
#include <algorithm>
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "exporters/libvirt/target.hpp"
#include "migration/migrate.hpp"
#include "migration/target_names.hpp"
#include "tests/disk/vdi_builder.hpp"
#include "tests/kit/scratch.hpp"
#include "tests/paths.hpp"

#include "support/file.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

struct DiskIdentity : testing::Test {
  tests::Scratch scratch;
  Options options;
  libvirt::HostProfile host = libvirt::load_host_profile(fs::path(FERRY_SOURCE_DIR) / "fixtures/hosts/debian-12.json");

  DiskIdentity() {
    options.dest = scratch.folder() / "out";
    options.define = false;
  }

  fs::path vdi(const std::string &name, unsigned identity, unsigned parent = 0) const {
    fs::path file = scratch.folder() / name;
    fs::create_directories(file.parent_path());
    test::VdiBuilder image(file, 4 * test::VdiBuilder::kBlockSize, static_cast<std::uint8_t>(identity),
                           static_cast<std::uint8_t>(parent));
    image.finish();
    return file;
  }

  // On a host of its own: what earlier plans reserved is in nobody's way.
  Planned plan(const fs::path &file) const {
    libvirt::Target fresh(host);
    return plan_beside(file, fresh);
  }
  Planned plan_beside(const fs::path &file, target::Target &target) const {
    std::vector<Planned> planned = plan_source(find_source(file.string()), options, target, {});
    EXPECT_EQ(planned.size(), 1U);
    return std::move(planned.at(0));
  }

  fs::path vmx(const std::string &text, const std::string &name = "m/m.vmx") const {
    return scratch.write(name,
                         "config.version = \"8\"\nvirtualHW.version = \"18\"\nguestOS = \"ubuntu-64\"\nmemsize = "
                         "\"64\"\nscsi0.present = \"TRUE\"\nscsi0.virtualDev = \"pvscsi\"\n" +
                             text);
  }
  static std::string disk(unsigned unit, const std::string &file, const std::string &more = "") {
    const std::string name = "scsi0:" + std::to_string(unit);
    return name + ".present = \"TRUE\"\n" + name + ".fileName = \"" + file + "\"\n" + more;
  }

  static std::string uuid(unsigned identity) {
    return "{0000000" + std::to_string(identity) + "-0000-0000-8000-000000000000}";
  }
  fs::path vbox(const std::string &registry, const std::string &attached, const std::string &more = "") const {
    return scratch.write(
        "v/m.vbox",
        "<?xml version='1.0'?>\n<VirtualBox xmlns='http://www.virtualbox.org/' version='1.16-linux'>\n<Machine "
        "uuid='{aabbccdd-0011-2233-4455-66778899aabb}' name='m' OSType='Debian_64'><MediaRegistry><HardDisks>" +
            registry + "</HardDisks></MediaRegistry>" + more +
            "<Hardware><Memory RAMSize='64'/></Hardware><StorageControllers><StorageController name='c' type='AHCI' "
            "PortCount='2'><AttachedDevice type='HardDisk' port='0' device='0'><Image uuid='" +
            attached + "'/></AttachedDevice></StorageController></StorageControllers></Machine></VirtualBox>\n");
  }
  static std::string registered(unsigned identity, const std::string &location, const std::string &inside = "",
                                const std::string &more = "") {
    return "<HardDisk uuid='" + uuid(identity) + "' location='" + location + "' format='VDI' " + more + ">" + inside +
           "</HardDisk>";
  }

  static const Finding *find(const Planned &planned, std::string_view id) {
    const auto &findings = planned.report.findings;
    const auto hit = std::find_if(findings.begin(), findings.end(), [&](const Finding &f) { return f.id == id; });
    return hit == findings.end() ? nullptr : &*hit;
  }
};

// The second disk lies on another datastore; a file of its name beside the machine is the first disk's.
TEST_F(DiskIdentity, AFileOfTheRightNameIsNotASecondDisks) {
  vdi("m/srv.vdi", 1);
  for (const bool swapped : {false, true}) {
    const std::string own = "srv.vdi", other = "/vmfs/volumes/other/srv/srv.vdi";
    const Planned planned = plan(vmx(disk(0, swapped ? other : own) + disk(1, swapped ? own : other)));
    ASSERT_TRUE(planned.report.refusal);
    EXPECT_EQ(planned.report.refusal->kind, ErrorKind::missing);
    EXPECT_NE(planned.report.refusal->detail.found.find("\"srv.vdi\""), std::string::npos);
    EXPECT_NE(planned.report.refusal->detail.found.find("\"/vmfs/volumes/other/srv/srv.vdi\""), std::string::npos);
    const std::string advice = "--skip-disk " + std::string(swapped ? "1" : "2");
    EXPECT_NE(planned.report.refusal->detail.advice.find(advice), std::string::npos);
  }
}

TEST_F(DiskIdentity, NorIsOneFileUnderTwoNames) {
  vdi("m/a.vdi", 1);
  fs::create_hard_link(scratch.folder() / "m/a.vdi", scratch.folder() / "m/b.vdi");
  const fs::path file = vmx(disk(0, "a.vdi") + disk(10, "b.vdi"));
  EXPECT_EQ(plan(file).report.refusal->kind, ErrorKind::malformed);
  options.skip_disks.numbers = {2};
  EXPECT_FALSE(plan(file).report.refusal);
}

TEST_F(DiskIdentity, UnlessTheSourceSharesIt) {
  vdi("m/a.vdi", 1);
  const std::string shared = "scsi0:0.sharing = \"multi-writer\"\nscsi0:1.sharing = \"multi-writer\"\n";
  EXPECT_FALSE(plan(vmx(disk(0, "a.vdi") + disk(1, "a.vdi", shared))).report.refusal);
}

// ---- an older state ----

TEST_F(DiskIdentity, ImagesThatContinueTheAttachedOneAreNamed) {
  vdi("v/base.vdi", 1);
  vdi("v/Snapshots/first.vdi", 2, 1);
  vdi("v/Snapshots/second.vdi", 3, 2);
  vdi("v/stranger.vdi", 5, 4);
  const fs::path file = vbox(registered(1, "base.vdi"), uuid(1));
  const Planned older = plan(file);
  ASSERT_FALSE(older.report.refusal);
  const Finding *told = find(older, "disk.older-state");
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->severity, Severity::critical);
  EXPECT_NE(told->message.find("first.vdi"), std::string::npos);
  EXPECT_NE(told->message.find("second.vdi"), std::string::npos);
  EXPECT_EQ(told->message.find("stranger"), std::string::npos);
  EXPECT_EQ(older.plan->disks.at(0).info.chain.size(), 1U);

  options.newest_state = true;
  const Planned newest = plan(file);
  ASSERT_FALSE(newest.report.refusal);
  EXPECT_EQ(find(newest, "disk.older-state"), nullptr);
  EXPECT_TRUE(find(newest, "disk.newest-state"));
  const auto &chain = newest.plan->disks.at(0).info.chain;
  ASSERT_EQ(chain.size(), 3U);
  EXPECT_EQ(chain.back().file.filename(), "second.vdi");
}

TEST_F(DiskIdentity, OfTwoLinesTheOneChangedLastIsTheNewest) {
  vdi("v/base.vdi", 1);
  const fs::path old = vdi("v/old.vdi", 2, 1), fresh = vdi("v/fresh.vdi", 3, 1);
  fs::last_write_time(old, fs::last_write_time(fresh) - std::chrono::hours(1));
  options.newest_state = true;
  const Planned planned = plan(vbox(registered(1, "base.vdi"), uuid(1)));
  ASSERT_FALSE(planned.report.refusal);
  EXPECT_EQ(planned.plan->disks.at(0).info.chain.back().file, fresh);
  EXPECT_NE(find(planned, "disk.newest-state")->message.find("old.vdi"), std::string::npos);
}

TEST_F(DiskIdentity, ChildrenByDesignAndOfAnotherMachineAreNoNewerState) {
  vdi("v/base.vdi", 1);
  vdi("v/diff.vdi", 2, 1);
  const std::string diff = registered(2, "diff.vdi", "", "autoReset='true'");
  EXPECT_EQ(find(plan(vbox(registered(1, "base.vdi", diff, "type='Immutable'"), uuid(2))), "disk.older-state"),
            nullptr);
  EXPECT_NE(find(plan(vbox(registered(1, "base.vdi"), uuid(1))), "disk.older-state"), nullptr);
  scratch.write("v/clone.vmx", "scsi0:0.fileName = \"diff.vdi\"\n");
  EXPECT_EQ(find(plan(vbox(registered(1, "base.vdi"), uuid(1))), "disk.older-state"), nullptr);
}

// ---- snapshots that cannot be read ----

TEST_F(DiskIdentity, ASnapshotThatCannotBeReadIsRefusedUntilAskedOtherwise) {
  vdi("v/base.vdi", 1);
  vdi("v/now.vdi", 2, 1);
  const std::string snapshot =
      "<Snapshot uuid='{90000001-0000-4000-8000-000000000000}' name='before'><Hardware><Memory "
      "RAMSize='64'/></Hardware><StorageControllers>"
      "<StorageController name='c' type='AHCI'><AttachedDevice type='HardDisk' port='0' device='0'><Image uuid='" +
      uuid(3) + "'/></AttachedDevice></StorageController></StorageControllers></Snapshot>";
  const std::string disks = registered(1, "base.vdi", registered(2, "now.vdi") + registered(3, "lost.vdi"));
  const fs::path file = vbox(disks, uuid(2), snapshot);
  const Planned refused = plan(file);
  ASSERT_TRUE(refused.report.refusal);
  SCOPED_TRACE(refused.report.refusal->detail.message);
  EXPECT_NE(refused.report.refusal->detail.message.find("\"before\""), std::string::npos);
  EXPECT_NE(refused.report.refusal->detail.advice.find("--snapshots skip-unreadable"), std::string::npos);
  options.skip_unreadable_snapshots = true;
  const Planned planned = plan(file);
  ASSERT_FALSE(planned.report.refusal);
  EXPECT_NE(find(planned, "snapshot.disk-missing"), nullptr);
}

TEST_F(DiskIdentity, AMachineWithoutADiskIsTold) {
  EXPECT_NE(find(plan(vmx("")), "machine.no-disk"), nullptr);
  vdi("m/a.vdi", 1);
  EXPECT_EQ(find(plan(vmx(disk(0, "a.vdi"))), "machine.no-disk"), nullptr);
}

// Its serial port's file goes where the other files go, though no disk says where that is.
TEST_F(DiskIdentity, AMachineWithoutADiskHasItsFilesInTheDestinationToo) {
  const Planned planned =
      plan(vmx("serial0.present = \"TRUE\"\nserial0.fileType = \"file\"\nserial0.fileName = "
               "\"com1.log\"\n"));
  ASSERT_TRUE(planned.plan);
  EXPECT_NE(planned.plan->domain_xml.find((*options.dest / "m-serial1.log").string()), std::string::npos);
}

// ---- names ----

TEST(DomainName, EndsItsFirst20BytesWithACharacter) {
  EXPECT_EQ(domain_name("Ubuntu"), "Ubuntu");
  EXPECT_EQ(domain_name("abcdefghijklmnopqrstuvwxyz"), "abcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(domain_name("abcdefghijklmnopqrsäöü"), "abcdefghijklmnopqrs_äöü");
  EXPECT_EQ(domain_name("abcdefghijklmnopqrä"), "abcdefghijklmnopqrä");
  EXPECT_EQ(domain_name("日本語日本語日本語"), "日本語日本語__日本語");
  EXPECT_EQ(domain_name("abcdefghijklmnopq😀x"), "abcdefghijklmnopq___😀x");
}

// ---- ports of the host ----

class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (bind(socket_.get(), reinterpret_cast<sockaddr *>(&address), length) != 0 || listen(socket_.get(), 1) != 0 ||
        getsockname(socket_.get(), reinterpret_cast<sockaddr *>(&address), &length) != 0)
      throw std::runtime_error("no port to listen on");
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] std::string port() const { return std::to_string(port_); }

 private:
  file::Descriptor socket_;
  std::uint16_t port_ = 0;
};

TEST_F(DiskIdentity, APortThatIsInUseIsToldAndKeepsAMachineFromBeingStarted) {
  const Listener taken;
  const fs::path file =
      vmx("serial0.present = \"TRUE\"\nserial0.fileType = \"network\"\nserial0.fileName = \"tcp://:" + taken.port() +
          "\"\nserial0.network.endPoint = \"server\"\n");
  const Planned planned = plan(file);
  ASSERT_TRUE(find(planned, "host.port-busy"));
  EXPECT_NE(find(planned, "host.port-busy")->message.find(taken.port()), std::string::npos);
  EXPECT_TRUE(planned.plan);
  options.define = options.start = true;
  const Planned refused = plan(file);
  ASSERT_TRUE(refused.report.refusal);
  EXPECT_EQ(refused.report.refusal->kind, ErrorKind::conflict);
}

TEST_F(DiskIdentity, APortThatTwoMachinesOfABatchNeedIsTold) {
  const std::string port =
      "serial0.present = \"TRUE\"\nserial0.fileType = \"network\"\nserial0.fileName = \"tcp://:4711\"\n"
      "serial0.network.endPoint = \"server\"\n";
  libvirt::Target shared(host);
  EXPECT_EQ(find(plan_beside(vmx(port, "a/first.vmx"), shared), "host.port-shared"), nullptr);
  const Planned second = plan_beside(vmx(port, "b/second.vmx"), shared);
  ASSERT_TRUE(find(second, "host.port-shared"));
  EXPECT_NE(find(second, "host.port-shared")->message.find("'first'"), std::string::npos);
}

}  // namespace
}  // namespace ferry::migration
