// SPDX-License-Identifier: Apache-2.0
// The rule for files outside of a machine, over the three kinds of source and the kinds of files that they name.
#include "migration/outside.hpp"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "exporters/libvirt/host/host_profile.hpp"
#include "exporters/libvirt/target.hpp"
#include "migration/journal.hpp"
#include "migration/migrate.hpp"
#include "migration/option_values.hpp"
#include "migration/source.hpp"
#include "tests/kit/scratch.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kDiskBytes = 1U << 20U;

class Outside : public testing::Test {
 protected:
  Outside() {
    options_.dest = scratch_ / "dest";
    options_.define = false;
    fs::create_directories(scratch_ / "vms/web");
  }

  fs::path disk(const fs::path &name) { return scratch_.write(name, std::string(kDiskBytes, 'x')); }

  Planned plan(const fs::path &source) {
    libvirt::Target host(libvirt::builtin_host_profile());
    auto planned = plan_source(find_source(source.string()), options_, host, {});
    EXPECT_EQ(planned.size(), 1U);
    return std::move(planned.front());
  }

  fs::path vmx(const std::string &lines) {
    return scratch_.write("vms/web/web.vmx", "config.version = \"8\"\nguestOS = \"other\"\nmemsize = \"64\"\n" + lines);
  }
  fs::path vmx_disk(const std::string &file) {
    return vmx("scsi0.present = \"TRUE\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"" + file + "\"\n");
  }
  fs::path vmx_cd(const std::string &file) {
    return vmx("ide0:0.present = \"TRUE\"\nide0:0.deviceType = \"cdrom-image\"\nide0:0.fileName = \"" + file + "\"\n");
  }

  fs::path vbox(const std::string &type, const std::string &list, const std::string &location,
                const std::string &hardware = "") {
    constexpr auto kUuid = "{11111111-1111-4111-8111-111111111111}";
    return scratch_.write(
        "vms/web/web.vbox",
        "<?xml version=\"1.0\"?><VirtualBox xmlns=\"http://www.virtualbox.org/\" version=\"1.16-linux\"><Machine "
        "uuid=\"{aabbccdd-0011-2233-4455-66778899aabb}\" name=\"web\" OSType=\"Debian_64\"><MediaRegistry><" +
            list + "><" + (type == "HardDisk" ? "HardDisk" : "Image") + " uuid=\"" + kUuid + "\" location=\"" +
            location + "\" format=\"RAW\"/></" + list + "></MediaRegistry><Hardware><Memory RAMSize=\"64\"/>" +
            hardware +
            "</Hardware><StorageControllers><StorageController name=\"S\" type=\"AHCI\" PortCount=\"2\">"
            "<AttachedDevice type=\"" +
            type + "\" port=\"0\" device=\"0\"><Image uuid=\"" + kUuid +
            "\"/></AttachedDevice></StorageController></StorageControllers></Machine></VirtualBox>");
  }

  fs::path ovf(const std::string &href) {
    return scratch_.write(
        "vms/web/web.ovf",
        "<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" "
        "xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\" "
        "xmlns:rasd=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData\">"
        "<References><File ovf:id=\"f\" ovf:href=\"" +
            href +
            "\"/></References><DiskSection><Info/><Disk ovf:diskId=\"d\" ovf:fileRef=\"f\" ovf:format=\"raw\" "
            "ovf:capacity=\"1048576\"/></DiskSection><VirtualSystem "
            "ovf:id=\"web\"><Info/><VirtualHardwareSection><Info/>"
            "<Item><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>20</rasd:ResourceType>"
            "<rasd:ResourceSubType>AHCI</rasd:ResourceSubType></Item><Item><rasd:InstanceID>2</rasd:InstanceID>"
            "<rasd:Parent>1</rasd:Parent><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:ResourceType>17"
            "</rasd:ResourceType><rasd:HostResource>ovf:/disk/d</rasd:HostResource></Item></VirtualHardwareSection>"
            "</VirtualSystem></Envelope>");
  }

  using Makers = std::vector<std::function<fs::path()>>;
  // A machine with the disk `file`, written when it is called.
  Makers every_kind(const std::string &file) {
    return {[this, file] { return vmx_disk(file); }, [this, file] { return vbox("HardDisk", "HardDisks", file); },
            [this, file] { return ovf(file); }};
  }

  static bool has(const Planned &planned, std::string_view id) {
    return std::any_of(planned.report.findings.begin(), planned.report.findings.end(),
                       [&](const Finding &finding) { return finding.id == id; });
  }
  static void expect_unsafe(const Planned &planned) {
    ASSERT_TRUE(planned.report.refusal);
    EXPECT_EQ(planned.report.refusal->kind, ErrorKind::unsafe) << planned.report.refusal->detail.message;
  }

  tests::Scratch scratch_;
  Options options_;
};

TEST_F(Outside, ADiskBesideTheMachinesFolderIsAWarningInEveryKindOfSource) {
  disk("vms/base.img");
  options_.input_raw = true;
  for (const auto &make : every_kind("../base.img")) {
    const fs::path source = make();
    const Planned planned = plan(source);
    EXPECT_FALSE(planned.report.refusal) << source << planned.report.refusal->detail.message;
    EXPECT_TRUE(has(planned, "source.outside")) << source;
    fs::remove(source);
  }
}

TEST_F(Outside, ADiskElsewhereIsRefusedInEveryKindOfSourceUntilItIsAllowed) {
  const std::string file = disk("elsewhere/base.img").string();
  options_.input_raw = true;
  for (const bool allowed : {false, true}) {
    if (allowed) apply_option(options_, "allow-outside", (scratch_ / "elsewhere").string());
    for (const auto &make : every_kind(file)) {
      const fs::path source = make();
      const Planned planned = plan(source);
      if (allowed) {
        EXPECT_FALSE(planned.report.refusal) << source << planned.report.refusal->detail.message;
      } else {
        expect_unsafe(planned);
        EXPECT_NE(planned.report.refusal->detail.advice.find("--allow-outside"), std::string::npos);
      }
      fs::remove(source);
    }
  }
}

TEST_F(Outside, ALinkInTheFolderIsRefusedInEveryKindOfSource) {
  fs::create_symlink(disk("elsewhere/secret.img"), scratch_ / "vms/web/disk.img");
  for (const auto &make : every_kind("disk.img")) {
    const fs::path source = make();
    expect_unsafe(plan(source));
    fs::remove(source);
  }
}

// A CD is where it was downloaded. What is no image at all is nobody's CD.
TEST_F(Outside, CdsAndFloppiesOfTheUserAreTakenFromAnywhereWithAWarning) {
  std::string content(kDiskBytes, '\0');
  content.replace(32769, 5, "CD001");
  const std::string iso = disk("isos/debian.iso").string();
  const std::string plain = scratch_.write("isos/image", content).string();
  const std::string floppy = scratch_.write("isos/boot.img", std::string(1'474'560, 'f')).string();
  const auto vmx_floppy = [&](const std::string &file) {
    return vmx("floppy0.present = \"TRUE\"\nfloppy0.fileType = \"file\"\nfloppy0.fileName = \"" + file + "\"\n");
  };
  for (const auto &make :
       Makers{[&] { return vmx_cd(iso); }, [&] { return vbox("DVD", "DVDImages", iso); }, [&] { return vmx_cd(plain); },
              [&] { return vmx_floppy(floppy); }, [&] { return vbox("Floppy", "FloppyImages", floppy); }}) {
    const fs::path source = make();
    const Planned planned = plan(source);
    EXPECT_FALSE(planned.report.refusal) << source << planned.report.refusal->detail.message;
    EXPECT_TRUE(has(planned, "medium.outside")) << source;
    EXPECT_FALSE(has(planned, "source.outside"));
    fs::remove(source);
  }
  const std::string large = scratch_.write("elsewhere/disk.img", std::string(8U << 20U, 'x')).string();
  expect_unsafe(plan(vmx_floppy(large)));  // no floppy has so much: a disk of the user's
}

TEST_F(Outside, TheOldPlatformsOwnCdsAreLeftOut) {
  for (const char *file :
       {"/usr/share/virtualbox/VBoxGuestAdditions.iso", "/usr/lib/vmware/isoimages/linux.iso",
        R"(C:\Program Files\Oracle\VirtualBox\VBoxGuestAdditions.iso)",
        R"(C:\Program Files (x86)\VMware\VMware Workstation\windows.iso)",
        "/Applications/VirtualBox.app/Contents/MacOS/VBoxGuestAdditions.iso", "/vmimages/tools-isoimages/linux.iso"}) {
    for (const auto &make : Makers{[&] { return vmx_cd(file); }, [&] { return vbox("DVD", "DVDImages", file); }}) {
      const fs::path source = make();
      const Planned planned = plan(source);
      EXPECT_FALSE(planned.report.refusal) << file << planned.report.refusal->detail.message;
      EXPECT_TRUE(has(planned, "medium.platform-tools")) << file;
      EXPECT_FALSE(has(planned, "medium.removable-missing")) << file;
      fs::remove(source);
    }
  }
  EXPECT_TRUE(has(plan(vmx_cd("linux.iso")), "medium.removable-missing"));
}

TEST_F(Outside, HostileCdsAndFloppiesAreRefusedAndCanBeLeftOut) {
  const std::string letter = disk("papers/letter.odt").string();
  const std::string hidden = disk(".keys/secret.iso").string();
  fs::create_symlink(disk("papers/debian.iso"), scratch_ / "vms/web/link.iso");
  for (const auto &make :
       Makers{[&] { return vmx_cd(letter); }, [&] { return vmx_cd(hidden); }, [&] { return vmx_cd("link.iso"); },
              [&] { return vmx_cd("/etc/passwd"); }, [&] { return vmx_cd("/dev/null"); },
              [&] { return vbox("DVD", "DVDImages", "/proc/self/environ"); }}) {
    const fs::path source = make();
    expect_unsafe(plan(source));
    apply_option(options_, "removable", "none");
    const Planned planned = plan(source);
    EXPECT_FALSE(planned.report.refusal);
    EXPECT_TRUE(has(planned, "medium.removable-emptied"));
    for (const char *name : {"debian.iso", "letter.odt", "secret.iso", "link.iso"})
      EXPECT_EQ(planned.report.domain_xml.find(name), std::string::npos);
    apply_option(options_, "removable", "link");
    fs::remove(source);
  }
}

TEST_F(Outside, FirmwareVariablesAreJudgedToo) {
  const std::string store = disk("elsewhere/other.nvram").string();
  disk("vms/web/d.img");
  options_.input_raw = true;
  expect_unsafe(plan(
      vbox("HardDisk", "HardDisks", "d.img", "<Firmware type=\"EFI\"/><BIOS><NVRAM path=\"" + store + "\"/></BIOS>")));
  expect_unsafe(plan(vmx("firmware = \"efi\"\nnvram = \"" + store + "\"\n")));
}

TEST_F(Outside, InspectSaysWhatWouldBeRefused) {
  const fs::path source = vmx_disk(disk("elsewhere/base.img").string());
  const auto machines = import_source(find_source(source.string()), import_options(options_, source));
  const auto findings = findings_of(files_outside(machines.at(0).machine, options_));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].id, "source.outside-refused");
}

TEST_F(Outside, ADiskThatIsRefusedCanBeLeftOut) {
  const fs::path source = vmx_disk(disk("elsewhere/base.img").string());
  apply_option(options_, "skip-disk", "1");
  EXPECT_FALSE(plan(source).report.refusal);
}

TEST_F(Outside, APortsFileOnTheHostIsUsedOnlyWhereItIsAllowed) {
  const fs::path source = vmx("serial0.present = \"TRUE\"\nserial0.fileType = \"file\"\nserial0.fileName = \"" +
                              (scratch_ / "elsewhere/log.txt").string() + "\"\n");
  EXPECT_FALSE(plan(source).report.refusal) << "without --host-devices the port gets a file of its own";
  apply_option(options_, "host-devices", "true");
  expect_unsafe(plan(source));
}

TEST_F(Outside, RawDisksAreTakenOnlyWhenTheUserSaysSo) {
  disk("vms/web/srv-flat.vmdk");
  const fs::path source = vmx_disk("srv.vmdk");
  const Planned refused = plan(source);
  ASSERT_TRUE(refused.report.refusal);
  EXPECT_EQ(refused.report.refusal->kind, ErrorKind::missing);
  EXPECT_NE(refused.report.refusal->detail.message.find("srv-flat.vmdk"), std::string::npos);
  EXPECT_NE(refused.report.refusal->detail.advice.find("--input-format raw"), std::string::npos);
  options_.input_raw = true;
  const Planned taken = plan(source);
  ASSERT_FALSE(taken.report.refusal);
  EXPECT_EQ(taken.plan->disks.at(0).info.virtual_size, kDiskBytes);
}

TEST_F(Outside, SearchFindsImages) {
  disk("elsewhere/deep/base.img");
  options_.input_raw = true;
  const fs::path source = vmx_disk("/gone/base.img");
  ASSERT_TRUE(plan(source).report.refusal);
  apply_option(options_, "search", (scratch_ / "elsewhere").string());
  EXPECT_FALSE(plan(source).report.refusal);
}

TEST_F(Outside, OneFileNeverBecomesTwoDisks) {
  disk("vms/web/srv.vmdk");
  options_.input_raw = true;
  const std::string first = "scsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"srv.vmdk\"\n";
  const auto second = [&](const std::string &file) {
    return vmx("scsi0.present = \"TRUE\"\n" + first + "scsi0:1.present = \"TRUE\"\nscsi0:1.fileName = \"" + file +
               "\"\n");
  };
  for (const std::string file :
       {"[second] srv/srv.vmdk", "/vmfs/volumes/5f0a1b2c/srv/srv.vmdk", R"(E:\VMs\srv.vmdk)"}) {
    const Planned planned = plan(second(file));
    ASSERT_TRUE(planned.report.refusal) << file;
    EXPECT_EQ(planned.report.refusal->kind, ErrorKind::missing);
    EXPECT_NE(planned.report.refusal->detail.found.find("1:0"), std::string::npos);
  }
  disk("stores/srv/srv.vmdk");
  apply_option(options_, "search", (scratch_ / "stores").string());
  const Planned planned = plan(second("[second] srv/srv.vmdk"));
  EXPECT_FALSE(planned.report.refusal) << planned.report.refusal->detail.message;
}

TEST_F(Outside, AMissingFileIsNeverNamedByNothing) {
  const fs::path source = scratch_.write(
      "vms/web/web.vbox",
      "<?xml version=\"1.0\"?><VirtualBox xmlns=\"http://www.virtualbox.org/\" version=\"1.16-linux\"><Machine "
      "uuid=\"{aabbccdd-0011-2233-4455-66778899aabb}\" name=\"web\" OSType=\"Debian_64\"><Hardware><Memory "
      "RAMSize=\"64\"/></Hardware><StorageControllers><StorageController name=\"S\" type=\"AHCI\" PortCount=\"2\">"
      "<AttachedDevice type=\"HardDisk\" port=\"0\" device=\"0\"><Image "
      "uuid=\"{11111111-1111-4111-8111-111111111111}\"/></AttachedDevice></StorageController></StorageControllers>"
      "</Machine></VirtualBox>");
  const Planned planned = plan(source);
  ASSERT_TRUE(planned.report.refusal);
  EXPECT_NE(planned.report.refusal->detail.message.find("11111111-1111-4111-8111-111111111111"), std::string::npos);
  EXPECT_NE(planned.report.refusal->detail.advice.find("--virtualbox-registry"), std::string::npos);
}

TEST(OutsideOptions, FoldersMustBeThere) {
  Options options;
  for (const char *option : {"search", "allow-outside"}) {
    try {
      apply_option(options, option, "/nowhere/at/all");
      ADD_FAILURE() << option;
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
    }
  }
}

}  // namespace
}  // namespace ferry::migration
