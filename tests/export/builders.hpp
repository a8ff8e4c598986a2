// SPDX-License-Identifier: Apache-2.0
// Machines and hosts for the tests, and what every exported domain must withstand.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "exporters/libvirt/export.hpp"

#include "support/xml.hpp"

namespace ferry::test {

// Recorded profiles (fixtures/hosts): Debian 12 with libvirt 9.0, Debian 13 with 11.3, Debian's unstable with 12.8,
// Debian 12 without SPICE. None of them has KVM.
libvirt::HostProfile debian12();
libvirt::HostProfile debian13();
libvirt::HostProfile debian_sid();
libvirt::HostProfile without_spice();
// The same host where libvirt offers KVM, with the Hyper-V features that it then lists.
libvirt::HostProfile with_kvm(libvirt::HostProfile host);
// What an enterprise build of QEMU has: q35 only, no IDE, no old cards, no SPICE, no TPM.
libvirt::HostProfile with_few_devices();

Machine virtualbox_machine();  // PIIX3, BIOS, a SATA disk, an IDE CD, a NAT card
Machine vmware_machine();      // BIOS, a SCSI disk, an IDE CD, a NAT card
Drive disk_drive(unsigned port, std::string_view uuid = "11111111-2222-3333-4444-555555555555");
Drive ide_disk(unsigned channel, unsigned unit);
Drive cd_drive(unsigned port, unsigned device = 0);
Controller controller(ControllerType type, std::string name, std::vector<Drive> drives);

// An export of `machine` for `host`, with an image below /var/tmp for each disk. What `machine` leaves open its
// importer would fill in: VirtualBox's and VMware's defaults by source.kind, none for an OVF.
struct Fixture {
  Machine machine;
  Machine exported;  // with the defaults
  libvirt::HostProfile host = debian12();
  libvirt::ExportInput input;

  std::function<void(target::Medium &)> change_media;  // before the export

  explicit Fixture(Machine m);
  void make_media(const std::filesystem::path &folder, const std::string &disk_format);
  target::Result map();  // exports, checks nothing
  void run_and_start();  // exports, and fails the test unless a real QEMU starts the machine
  target::Result run();  // exports; fails the test unless the schema and a real libvirt accept the domain
};

// A machine of VirtualBox's or VMware's with that controller alone, called "c".
Fixture with(ControllerType type, std::vector<Drive> drives, bool vmware = false);

// The root of the domain that an export gave.
xml::Element domain(const target::Result &result);
// The element found by names from the root: "devices/disk"; the n-th of that name, from 0. Fails the test otherwise.
const xml::Element &element(const xml::Element &root, std::string_view path, std::size_t number = 0);
std::size_t count(const xml::Element &root, std::string_view path);
std::string attribute(const xml::Element &element, std::string_view name);  // "" when absent
// The slot of an element's PCI address, -1 without one.
int slot_of(const xml::Element &device);
// The n-th disk's bus and drive address: "sata 0:0:0:3".
std::string place(const target::Result &result, std::size_t number = 0);
bool found(const target::Result &result, std::string_view finding_id);
// What became of a field, by the ledger's rules: the longest prefix wins.
const Settlement *settlement(const target::Result &result, std::string_view field);

void expect_acceptable(const std::string &domain_xml, const libvirt::HostProfile &host);

}  // namespace ferry::test
