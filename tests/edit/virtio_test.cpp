// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/edit/virtio.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporters/libvirt/edit/tree.hpp"

#include "support/error.hpp"

namespace ferry::libvirt::edit {
namespace {

using target::VirtioCards;
using target::VirtioDisks;
using testing::HasSubstr;
using testing::Not;

std::string pci(const std::string &bus, const std::string &slot, const std::string &function = "0x0") {
  return "<address type='pci' domain='0x0000' bus='" + bus + "' slot='" + slot + "' function='" + function + "'/>";
}

std::string disk(const std::string &name, const std::string &bus, const std::string &unit,
                 const std::string &controller = "0") {
  return "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/images/" + name +
         ".qcow2'/><target dev='" + name + "' bus='" + bus + "'/><serial>" + name +
         "</serial><address type='drive' "
         "controller='" +
         controller + "' bus='0' target='0' unit='" + unit + "'/></disk>";
}

std::string machine(const std::string &devices) {
  return "<domain type='kvm'><name>web</name><devices>" + devices + "</devices></domain>";
}

// As VirtualBox' PIIX3 board becomes: AHCI at slot 13, an e1000 at 3.
const std::string kPc = machine(disk("sda", "sata", "0") + disk("sdb", "sata", "1") +
                                "<controller type='pci' index='0' model='pci-root'/>"
                                "<controller type='sata' index='0'>" +
                                pci("0x00", "0x0d") +
                                "</controller>"
                                "<interface type='user'><mac address='08:00:27:c0:ff:ee'/><model type='e1000'/>" +
                                pci("0x00", "0x03") +
                                "</interface>"
                                "<memballoon model='none'/>");

Element devices_of(const std::string &document) { return *xml::parse(document, "domain").child("devices"); }

const Element *found(const Element &devices, const std::string &name, const std::string &target) {
  for (const Element &one : devices.children)
    if (one.name == name && attribute(one, "target", "dev") == target) return &one;
  return nullptr;
}

std::vector<const Element *> controllers(const Element &devices, const std::string &type) {
  std::vector<const Element *> out;
  for (const Element &one : devices.children)
    if (one.name == "controller" && attribute(one, "type") == type) out.push_back(&one);
  return out;
}

TEST(OnVirtio, DisksGoToVirtioScsiInTheOldControllersPlace) {
  const Element devices = devices_of(on_virtio(kPc, {}));
  EXPECT_TRUE(controllers(devices, "sata").empty());
  const auto scsi = controllers(devices, "scsi");
  ASSERT_EQ(scsi.size(), 1U);
  EXPECT_EQ(attribute(*scsi[0], "model"), "virtio-scsi");
  EXPECT_EQ(attribute(*scsi[0], "index"), "0");
  EXPECT_EQ(attribute(*scsi[0], "address", "slot"), "0x0d");
  for (const auto &[name, unit] : {std::pair{"sda", "0"}, std::pair{"sdb", "1"}}) {
    const Element *one = found(devices, "disk", name);
    ASSERT_NE(one, nullptr);
    EXPECT_EQ(attribute(*one, "target", "bus"), "scsi");
    EXPECT_EQ(attribute(*one, "address", "unit"), unit);
    EXPECT_EQ(attribute(*one, "driver", "discard"), "unmap");
    EXPECT_EQ(one->child("serial")->text, name);
    EXPECT_EQ(attribute(*one, "source", "file"), std::string("/images/") + name + ".qcow2");
  }
}

TEST(OnVirtio, CardsKeepMacAndSlot) {
  const std::string out = on_virtio(kPc, {});
  EXPECT_THAT(out, HasSubstr("<mac address='08:00:27:c0:ff:ee'/>"));
  EXPECT_THAT(out, HasSubstr("<model type='virtio'/>"));
  EXPECT_THAT(out, HasSubstr("slot='0x03'"));
  EXPECT_THAT(out, HasSubstr("<memballoon model='virtio'/>"));
  EXPECT_THAT(out, HasSubstr("<rng model='virtio'>"));
  EXPECT_THAT(on_virtio(kPc, {.cards = VirtioCards::keep}), HasSubstr("<model type='e1000'/>"));
}

TEST(OnVirtio, WithVirtioBlkTheFirstDiskTakesThePlace) {
  const Element devices = devices_of(on_virtio(kPc, {.disks = VirtioDisks::blk}));
  const Element *first = found(devices, "disk", "vda"), *second = found(devices, "disk", "vdb");
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(attribute(*first, "target", "bus"), "virtio");
  EXPECT_EQ(attribute(*first, "address", "slot"), "0x0d");
  EXPECT_EQ(second->child("address"), nullptr);
  EXPECT_TRUE(controllers(devices, "sata").empty());
}

TEST(OnVirtio, AControllerThatACdIsOnStays) {
  const std::string with_cd = machine(
      disk("sda", "sata", "0") +
      "<disk type='file' device='cdrom'><target dev='sdb' bus='sata'/><address type='drive' controller='0' bus='0' "
      "target='0' unit='1'/></disk><controller type='sata' index='0'>" +
      pci("0x00", "0x0d") + "</controller>");
  const Element devices = devices_of(on_virtio(with_cd, {}));
  ASSERT_EQ(controllers(devices, "sata").size(), 1U);
  EXPECT_EQ(controllers(devices, "scsi").at(0)->child("address"), nullptr);
  EXPECT_EQ(attribute(*found(devices, "disk", "sdb"), "target", "bus"), "sata");
}

TEST(OnVirtio, WhatBelongsToTheChipsetStays) {
  const std::string ide = machine(disk("hda", "ide", "0") + "<controller type='ide' index='0'>" +
                                  pci("0x00", "0x01", "0x1") + "</controller>");
  const Element devices = devices_of(on_virtio(ide, {}));
  EXPECT_EQ(controllers(devices, "ide").size(), 1U);
  EXPECT_NE(found(devices, "disk", "sda"), nullptr);
  EXPECT_EQ(controllers(devices, "scsi").at(0)->child("address"), nullptr);
}

TEST(OnVirtio, AnOldScsiControllersIndexIsFreeAgain) {
  const std::string lsi = machine(disk("sda", "scsi", "0") + "<controller type='scsi' index='0' model='lsisas1068'>" +
                                  pci("0x00", "0x10") + "</controller>");
  const Element devices = devices_of(on_virtio(lsi, {}));
  const auto scsi = controllers(devices, "scsi");
  ASSERT_EQ(scsi.size(), 1U);
  EXPECT_EQ(attribute(*scsi[0], "index"), "0");
  EXPECT_EQ(attribute(*scsi[0], "model"), "virtio-scsi");
  EXPECT_EQ(attribute(*scsi[0], "address", "slot"), "0x10");
}

TEST(OnVirtio, WhereAllIsOnVirtioThereIsNothingToDo) {
  const std::string once = on_virtio(kPc, {});
  EXPECT_THROW((void)on_virtio(once, {}), Error);
  EXPECT_THROW((void)on_virtio(kPc, {.disks = VirtioDisks::keep, .cards = VirtioCards::keep}), Error);
}

TEST(Spares, AreThereWithTheirAliasesAndGoWithTheSwitch) {
  const std::string prepared = with_spares(kPc, {.disk = "/images/web-spare.qcow2", .cd = "/iso/virtio-win.iso"}, {});
  EXPECT_TRUE(virtio_state(prepared).has_spares);
  EXPECT_TRUE(virtio_state(prepared).has_agent);
  EXPECT_FALSE(virtio_state(kPc).has_agent);
  const Element devices = devices_of(prepared);
  const Element *spare = found(devices, "disk", "sdc");
  ASSERT_NE(spare, nullptr);
  EXPECT_EQ(attribute(*spare, "source", "file"), "/images/web-spare.qcow2");
  EXPECT_EQ(attribute(*spare, "target", "bus"), "scsi");
  EXPECT_EQ(attribute(*spare, "alias", "name"), "ua-ferry-spare-disk");
  EXPECT_THAT(prepared, HasSubstr("<link state='down'/>"));
  EXPECT_NE(found(devices, "disk", "sdd"), nullptr);
  // The old disks are where they were.
  EXPECT_EQ(attribute(*found(devices, "disk", "sda"), "target", "bus"), "sata");
  const std::string after = on_virtio(prepared, {});
  for (const char *gone : {"spare", "virtio-win.iso", "'down'"}) EXPECT_THAT(after, Not(HasSubstr(gone)));
  EXPECT_THAT(after, HasSubstr("org.qemu.guest_agent.0"));
  EXPECT_EQ(controllers(devices_of(after), "scsi").size(), 1U);
}

TEST(Spares, HaveTheIdsOfTheFinalDevices) {
  // On q35 libvirt puts a virtio device behind a port, where it is a modern one; on the root bus it is transitional.
  const std::string board =
      "<controller type='pci' index='0' model='pcie-root'/><controller type='pci' index='1' model='pcie-root-port'/>"
      "<controller type='sata' index='0'>" +
      pci("0x00", "0x1f", "0x2") + "</controller>";
  const auto spare_of = [&](const std::string &bus, const std::string &slot) {
    const Element devices = devices_of(
        with_spares(machine(board + "<interface type='user'><model type='e1000'/>" + pci(bus, slot) + "</interface>"),
                    {.disk = "/x.qcow2", .cd = std::nullopt}, {.disks = VirtioDisks::keep}));
    for (const Element &one : devices.children)
      if (attribute(one, "alias", "name") == "ua-ferry-spare-net") return attribute(one, "address", "bus");
    return std::string("no spare");
  };
  EXPECT_EQ(spare_of("0x00", "0x03"), "0x00");
  EXPECT_EQ(spare_of("0x01", "0x00"), "");
}

TEST(OnVirtio, MetadataStaysAsItIs) {
  const std::string metadata =
      "<metadata>\n    <ferry:run xmlns:ferry=\"urn:virt-ferry:run:1\" id=\"r\"/>\n    <o:x "
      "xmlns:o='urn:o'>a<o:y/>b</o:x>\n  "
      "</metadata>";
  std::string document = kPc;
  document.insert(document.find("<devices>"), metadata);
  EXPECT_THAT(on_virtio(document, {}), HasSubstr(metadata));
  EXPECT_THAT(with_spares(document, {.disk = "/x.qcow2", .cd = std::nullopt}, {}), HasSubstr(metadata));
}

std::string with_kvm(const std::string &more, const std::string &os = {}) {
  return "<domain type='kvm'>" +
         (os.empty() ? os
                     : "<metadata><l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'><l:os id='" +
                           os + "'/></l:libosinfo></metadata>") +
         "<name>web</name>" + more + "<devices>" + disk("sda", "sata", "0") + "</devices></domain>";
}

TEST(OnVirtio, WithKvmTheProcessorIsTheHostsUnlessSomebodyChoseOne) {
  const auto cpu_of = [](const std::string &cpu) {
    const Element domain = xml::parse(on_virtio(with_kvm(cpu), {}), "domain");
    const Element *model = domain.child("cpu")->child("model");
    return attribute(*domain.child("cpu"), "mode") + " " + (model == nullptr ? "" : model->text);
  };
  EXPECT_EQ(cpu_of(""), "host-passthrough ");
  EXPECT_EQ(cpu_of("<cpu mode='custom' match='exact'><model>qemu64</model></cpu>"), "host-passthrough ");
  EXPECT_EQ(cpu_of("<cpu mode='custom' match='exact'><model>Penryn</model></cpu>"), "custom Penryn");
  EXPECT_EQ(cpu_of("<cpu mode='host-model'/>"), "host-model ");
  const std::string kept = on_virtio(with_kvm("<cpu><topology sockets='1' cores='2' threads='1'/></cpu>"), {});
  EXPECT_THAT(kept, HasSubstr("<topology sockets='1' cores='2' threads='1'/>"));
  std::string emulated = with_kvm("<cpu mode='custom'><model>qemu64</model></cpu>");
  emulated.replace(emulated.find("kvm"), 3, "qemu");
  EXPECT_THAT(on_virtio(emulated, {}), HasSubstr("qemu64"));
}

TEST(OnVirtio, WithKvmWindowsGetsEnlightenments) {
  const std::string windows = "http://microsoft.com/win/10", clock = "<clock offset='localtime'/>";
  const std::string out = on_virtio(with_kvm("<features><acpi/></features>" + clock, windows), {});
  for (const char *one : {"<relaxed state='on'/>", "<spinlocks state='on' retries='8191'/>",
                          "<timer name='hypervclock' present='yes'/>", "<acpi/>"})
    EXPECT_THAT(out, HasSubstr(one));
  EXPECT_THAT(on_virtio(with_kvm(clock), {}), Not(HasSubstr("hyperv")));
  const std::string own = "<features><hyperv mode='passthrough'/></features>";
  EXPECT_THAT(on_virtio(with_kvm(own + clock, windows), {}), Not(HasSubstr("relaxed")));
}

TEST(VirtioIds, AreThoseOfTheFinalPlaces) {
  const auto ids_of = [](const std::string &document, const target::VirtioChoice &choice) {
    const target::VirtioIds ids = virtio_ids(on_virtio(document, choice));
    std::string out;
    for (const auto *of : {&ids.disks, &ids.cards})
      for (const std::string &id : *of) out += id + " ";
    return out;
  };
  EXPECT_EQ(ids_of(kPc, {}), "1af4:1004 1af4:1000 ");
  EXPECT_EQ(ids_of(kPc, {.disks = VirtioDisks::blk}), "1af4:1001 1af4:1000 ");
  const std::string q35 = machine(
      disk("sda", "sata", "0") +
      "<controller type='pci' index='0' model='pcie-root'/><controller type='pci' index='1' model='pcie-root-port'/>"
      "<controller type='sata' index='0'>" +
      pci("0x00", "0x1f", "0x2") + "</controller><interface type='user'><model type='vmxnet3'/>" + pci("0x01", "0x00") +
      "</interface>");
  EXPECT_EQ(ids_of(q35, {}), "1af4:1048 1af4:1041 ");
  // A spare is none of the machine's own.
  EXPECT_TRUE(virtio_ids(with_spares(kPc, {.disk = "/x.qcow2", .cd = std::nullopt}, {.disks = VirtioDisks::blk}))
                  .disks.empty());
}

TEST(VirtioState, SaysWhatIsThere) {
  const target::VirtioState state = virtio_state(kPc);
  ASSERT_EQ(state.disks.size(), 2U);
  EXPECT_EQ(state.disks[0].name, "sda");
  EXPECT_EQ(state.disks[0].model, "sata");
  EXPECT_FALSE(state.disks[0].is_virtio);
  ASSERT_EQ(state.cards.size(), 1U);
  EXPECT_EQ(state.cards[0].model, "e1000");
  EXPECT_EQ(state.folder, "/images");
  EXPECT_FALSE(state.is_windows);
  EXPECT_TRUE(virtio_state(on_virtio(kPc, {})).disks.at(0).is_virtio);
  EXPECT_TRUE(virtio_state("<domain><metadata><l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'>"
                           "<l:os id='http://microsoft.com/win/10'/></l:libosinfo></metadata></domain>")
                  .is_windows);
}

}  // namespace
}  // namespace ferry::libvirt::edit
