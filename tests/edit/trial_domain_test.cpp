// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/edit/trial_domain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error.hpp"
#include "support/xml.hpp"

namespace ferry::libvirt::edit {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char *kUuid = "5c0f4a3e-8d21-4b67-9e15-7a3c2d1b0f96";
constexpr const char *kOther = "11111111-2222-4333-8444-555555555555";

std::string domain(const std::string &devices, const std::string &rest = {}) {
  return "<domain type='qemu' id='7'><name>web</name><uuid>" + std::string(kUuid) +
         "</uuid><metadata><ferry:run xmlns:ferry='https://virt-ferry.example/x' id='r'/></metadata>" + rest +
         "<devices>" + devices + "</devices></domain>";
}

std::string disk(const std::string &more = {}, const std::string &type = "file") {
  return "<disk type='" + type + "' device='disk'><driver name='qemu' type='qcow2' discard='unmap'/><source " +
         (type == "file" ? "file" : "dev") + "='/images/web.qcow2'/><target dev='sda' bus='sata'/>" + more + "</disk>";
}

target::TrialParts parts() {
  return {.name = "web-test",
          .title = "web, tried",
          .uuid = kUuid,
          .overlays = {{"sda", "/trial/sda"}},
          .store = "/trial/store.fd",
          .console = "/trial/console"};
}

std::string tried(const std::string &document, const target::TrialParts &with = parts()) {
  return trial_domain(document, with);
}

TEST(TrialDomain, DisksLieUnderOverlays) {
  const auto needs = trial_needs(domain(disk()));
  EXPECT_TRUE(needs.emulated);
  EXPECT_EQ(needs.name, "web");
  EXPECT_EQ(needs.uuid, kUuid);
  ASSERT_EQ(needs.disks.size(), 1U);
  EXPECT_EQ(needs.disks[0].target, "sda");
  EXPECT_EQ(needs.disks[0].file, "/images/web.qcow2");
  EXPECT_EQ(needs.disks[0].format, "qcow2");
  const std::string out =
      tried(domain(disk("<backingStore type='file'/><transient/><shareable/><serial>VB1</serial>")));
  EXPECT_THAT(out, HasSubstr("<source file='/trial/sda'/>"));
  EXPECT_THAT(out, HasSubstr("<driver name='qemu' type='qcow2' discard='unmap'/>"));
  EXPECT_THAT(out, HasSubstr("<serial>VB1</serial>"));
  for (const char *gone : {"/images/web.qcow2", "backingStore", "transient", "shareable"})
    EXPECT_THAT(out, Not(HasSubstr(gone)));
}

TEST(TrialDomain, ABlockDeviceBecomesAFile) {
  std::string document = domain(disk({}, "block"));
  document.replace(document.find("type='qcow2'"), 12, "type='raw' io='native'");
  EXPECT_EQ(trial_needs(document).disks.at(0).format, "raw");
  const std::string out = tried(document);
  EXPECT_THAT(out, HasSubstr("<disk type='file' device='disk'>"));
  EXPECT_THAT(out, HasSubstr("<driver name='qemu' type='qcow2' discard='unmap'/>"));
}

TEST(TrialDomain, WhatIsOnlyReadStays) {
  const std::string cd =
      "<disk type='file' device='cdrom'><source file='/iso/a.iso'/><target dev='sdb' bus='sata'/><readonly/></disk>"
      "<disk type='file' device='floppy'><target dev='fda' bus='fdc'/></disk>";
  EXPECT_TRUE(trial_needs(domain(cd)).disks.empty());
  EXPECT_THAT(tried(domain(cd)), HasSubstr("<source file='/iso/a.iso'/>"));
}

TEST(TrialDomain, TheGuestReadsItsOwnUuid) {
  EXPECT_THAT(tried(domain("")), Not(HasSubstr("commandline")));
  target::TrialParts other = parts();
  other.uuid = kOther;
  const std::string out = tried(domain("", "<sysinfo type='smbios'><system><entry name='uuid'>" + std::string(kUuid) +
                                               "</entry></system></sysinfo>"),
                                other);
  const xml::Element root = xml::parse(out, "out");
  EXPECT_EQ(root.child("uuid")->text, kOther);
  EXPECT_EQ(root.child("name")->text, "web-test");
  EXPECT_EQ(root.child("title")->text, "web, tried");
  EXPECT_EQ(root.attribute("id"), nullptr);
  EXPECT_EQ(root.child("metadata"), nullptr);
  EXPECT_EQ(root.child("sysinfo")->child("system")->child("entry")->text, kOther);
  EXPECT_THAT(out, HasSubstr("<arg value='type=1,uuid=5c0f4a3e-8d21-4b67-9e15-7a3c2d1b0f96'/>"));
}

TEST(TrialDomain, CardsKeepTheirPlaceAndLoseTheirCable) {
  const std::string out = tried(domain(
      "<interface type='bridge'><mac address='08:00:27:c0:ff:ee'/><source bridge='br0'/><target dev='tap3'/>"
      "<model type='e1000'/><driver queues='4'/><link state='up'/><bandwidth/>"
      "<address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x0'/></interface>"
      "<interface type='user'><backend type='passt'/><mac address='08:00:27:c0:ff:ef'/><portForward proto='tcp'/>"
      "</interface>"));
  EXPECT_THAT(out, HasSubstr("<interface type='user'>\n      <mac address='08:00:27:c0:ff:ee'/>\n      <model "
                             "type='e1000'/>\n      <address type='pci' domain='0x0000' bus='0x00' slot='0x03' "
                             "function='0x0'/>\n      <link state='down'/>\n    </interface>"));
  for (const char *gone : {"br0", "tap3", "queues", "passt", "portForward", "'up'"})
    EXPECT_THAT(out, Not(HasSubstr(gone)));
}

TEST(TrialDomain, NothingIsSharedWithTheHost) {
  const std::string devices =
      "<graphics type='spice' port='5901' listen='0.0.0.0' passwd='x'><listen type='address' address='0.0.0.0'/>"
      "</graphics>"
      "<serial type='tcp'><source mode='bind' host='0.0.0.0' service='4000'/><target port='0'/></serial>"
      "<serial type='file'><source path='/home/a/com2.log'/><target port='1'/></serial>"
      "<console type='pty'><target type='serial' port='0'/></console>"
      "<parallel type='dev'><source path='/dev/parport0'/><target port='0'/></parallel>"
      "<channel type='unix'><source mode='bind' path='/run/x'/><target type='virtio' name='org.qemu.guest_agent.0'/>"
      "</channel><channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>"
      "<channel type='file'><source path='/home/a/log'/><target type='virtio' name='mine'/></channel>"
      "<filesystem type='mount' accessmode='mapped'><source dir='/home/a'/><target dir='nine'/></filesystem>"
      "<filesystem type='mount'><driver type='virtiofs'/><source dir='/home/a'/><target dir='fs'/></filesystem>"
      "<hostdev mode='subsystem' type='usb'/><audio id='1' type='pulseaudio' serverName='x'/>"
      "<watchdog model='i6300esb' action='poweroff'/><input type='evdev'><source dev='/dev/input/event3'/></input>";
  const std::string out = tried(domain(devices));
  EXPECT_THAT(out, HasSubstr("<serial type='file'>\n      <target port='0'/>\n      <source path='/trial/console'/>"));
  EXPECT_THAT(out, HasSubstr("<serial type='null'>\n      <target port='1'/>"));
  EXPECT_THAT(out, HasSubstr("<clipboard copypaste='no'/>"));
  EXPECT_THAT(out, HasSubstr("<listen type='none'/>"));
  EXPECT_THAT(out, HasSubstr("<audio id='1' type='none'/>"));
  EXPECT_THAT(out, HasSubstr("<readonly/>"));
  EXPECT_THAT(out, HasSubstr("<target type='virtio' name='org.qemu.guest_agent.0'/>"));
  for (const char *gone : {"0.0.0.0", "4000", "/home/a/com2.log", "parport0", "/run/x", "/home/a/log", "virtiofs",
                           "hostdev", "pulseaudio", "poweroff'/>", "event3", "passwd"})
    EXPECT_THAT(out, Not(HasSubstr(gone)));
  EXPECT_EQ(trial_needs(domain(devices)).left_out.size(), 2U);
}

TEST(TrialDomain, AVariableStoreIsACopy) {
  const std::string os =
      "<os><type>hvm</type><loader type='pflash'>/fw/code.fd</loader><nvram "
      "template='/fw/vars.fd'>/nv/web.fd</nvram></os>";
  EXPECT_EQ(trial_needs(domain("", os)).store, "/nv/web.fd");
  const std::string out = tried(domain("", os));
  EXPECT_THAT(out, HasSubstr("<nvram template='/fw/vars.fd'>/trial/store.fd</nvram>"));
  // What the firmware says is to be heard.
  EXPECT_THAT(out, HasSubstr("<source path='/trial/console'/>"));
  EXPECT_THAT(tried(domain("", "<os firmware='efi'><type>hvm</type></os>")),
              HasSubstr("<nvram>/trial/store.fd</nvram>"));
  EXPECT_THAT(tried(domain("", "<os><type>hvm</type></os>")), Not(HasSubstr("nvram")));
  EXPECT_THAT(tried(domain("", "<os><type>hvm</type></os>")), Not(HasSubstr("/trial/console")));
}

TEST(TrialDomain, WithKvmWindowsSaysWhyItStops) {
  const std::string os =
      "<metadata><l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'><l:os "
      "id='http://microsoft.com/win/10'/></l:libosinfo></metadata>";
  std::string windows = domain("", os);
  EXPECT_THAT(tried(windows), Not(HasSubstr("panic")));
  const std::size_t type = windows.find("type='qemu'");
  ASSERT_NE(type, std::string::npos);
  windows.replace(type, 11, "type='kvm'");
  EXPECT_THAT(tried(windows), HasSubstr("<panic model='hyperv'/>"));
  std::string other = domain("");
  other.replace(other.find("type='qemu'"), 11, "type='kvm'");
  EXPECT_THAT(tried(other), Not(HasSubstr("panic")));
}

TEST(TrialDomain, ATpmWantsAFolder) {
  EXPECT_EQ(trial_needs(domain("<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>")).tpm_folder,
            "tpm2");
  EXPECT_EQ(trial_needs(domain("<tpm model='tpm-tis'><backend type='emulator' version='1.2'/></tpm>")).tpm_folder,
            "tpm1.2");
  const std::string host = domain("<tpm model='tpm-tis'><backend type='passthrough'/></tpm>");
  EXPECT_EQ(trial_needs(host).tpm_folder, "");
  EXPECT_THAT(tried(host), Not(HasSubstr("passthrough")));
}

TEST(TrialDomain, WhatCannotBeKeptUntouchedIsRefused) {
  const auto refused = [](const std::string &document) {
    try {
      (void)trial_needs(document);
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::unsupported);
      return error.detail().where.path;
    }
    return std::string("not refused");
  };
  std::string lun = domain(disk({}, "block"));
  lun.replace(lun.find("device='disk'"), 13, "device='lun'");
  EXPECT_EQ(refused(lun), "disk sda");
  EXPECT_EQ(refused(domain(
                "<disk type='network' device='disk'><source protocol='rbd' name='p/i'/><target dev='vda'/></disk>")),
            "disk vda");
  EXPECT_EQ(refused(domain("<disk type='file' device='disk'><source file='/a'><encryption format='luks'/></source>"
                           "<target dev='vda'/></disk>")),
            "disk vda");
  EXPECT_EQ(refused(domain("<memory model='nvdimm'><source><path>/x</path></source></memory>")), "memory");
  EXPECT_EQ(refused(domain("",
                           "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>"
                           "<q:arg value='-drive'/><q:arg value='file=/a'/></q:commandline>")),
            "qemu:commandline");
  EXPECT_EQ(refused(domain("",
                           "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>"
                           "<q:arg value='-device'/><q:arg value='isa-applesmc'/></q:commandline>")),
            "not refused");
}

}  // namespace
}  // namespace ferry::libvirt::edit
