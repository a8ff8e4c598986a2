// SPDX-License-Identifier: Apache-2.0
// No field of the model is left without a verdict, and every finding is one of the published kinds.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "exporters/libvirt/findings.hpp"
#include "model/json.hpp"
#include "tests/export/builders.hpp"

namespace ferry::test {
namespace {

// A machine in which every optional is there and every list has an element.
Machine full_machine() {
  Machine machine = virtualbox_machine();
  machine.uuid = Uuid::parse("00112233-4455-6677-8899-aabbccddeeff");
  machine.description = "text";
  machine.groups = {"/a"};
  machine.extra = {{"smc.key", "x"}};
  Hardware &hw = machine.hardware;
  hw.firmware.secure_boot = false;
  hw.firmware.nvram_file = "/x.nvram";
  hw.firmware.boot_menu = true;
  hw.firmware.boot_menu_timeout_ms = 1;
  hw.cpu.cores_per_socket = 1;
  hw.cpu.threads_per_core = 1;
  hw.cpu.pae = hw.cpu.long_mode = hw.cpu.nested_virtualization = hw.cpu.apic = hw.cpu.x2apic = hw.cpu.hotplug = true;
  hw.cpu.execution_cap_percent = 50;
  hw.cpu.profile = "x";
  hw.cpu.features = {{"avx", false}};
  hw.memory.balloon_bytes = 1U << 20U;
  hw.memory.page_fusion = hw.memory.large_pages = true;
  hw.paravirtualization = Paravirtualization::kvm;
  Controller &sata = hw.controllers[0];
  sata.ports = 2;
  sata.pci_slot = 13;
  sata.host_io_cache = true;
  Drive &drive = sata.drives[0];
  drive.host_device = drive.client_device = drive.model = "x";
  drive.nonrotational = drive.discard = drive.hotpluggable = drive.passthrough = drive.temporary_eject = true;
  Nic &nic = hw.nics[0];
  nic.nat_cidr = "10.0.2.0/24";
  nic.nat_reaches_loopback = false;
  nic.boot_priority = 1;
  nic.boot_index = 1;
  nic.bandwidth_bytes_per_second = 1;
  nic.properties = {{"x", "y"}};
  nic.forwards = {{.host_port = 2222, .guest_port = 22}};
  const CharPort port{.path = "x", .uart = "16450", .io_base = 1, .irq = 4};
  hw.serial_ports = hw.parallel_ports = {port};
  hw.sound->codec = hw.sound->host_driver = "x";
  hw.usb_controllers[0].pci_slot = 6;
  hw.usb_filters = {{.name = "x",
                     .vendor_id = "1",
                     .product_id = "1",
                     .revision = "1",
                     .manufacturer = "1",
                     .product = "1",
                     .serial_number = "1",
                     .port = "1"}};
  hw.display.video_memory_bytes = 1;
  hw.display.remote = Display::Remote{.enabled = true, .ports = "1", .address = "1"};
  hw.clock.hpet = true;
  hw.card_reader = true;
  hw.tpm = Tpm{};
  hw.boot_order = {{BootDevice::Kind::usb, "x"}};
  hw.shared_folders = {{.name = "x", .host_path = "/x/y/z"}};
  hw.smbios.strings = {{"system.family", "x"}};
  return machine;
}

void collect(const nlohmann::ordered_json &json, const std::string &path, std::vector<std::string> &out) {
  if (json.is_array()) {
    for (std::size_t i = 0; i < json.size(); ++i) collect(json[i], path + "." + std::to_string(i), out);
  } else if (json.is_object()) {
    for (const auto &[name, value] : json.items()) {
      if (name != "origin") collect(value, path.empty() ? name : path + "." + name, out);
    }
  } else {
    out.push_back(path);
  }
}

TEST(Settlement, EveryFieldOfTheModelHasAVerdict) {
  Fixture fixture(full_machine());
  const auto result = fixture.map();
  std::vector<std::string> fields;
  collect(to_json(fixture.exported), {}, fields);
  EXPECT_GT(fields.size(), 120U);
  for (const std::string &field : fields) {
    // The planner's own: where the machine comes from, its snapshots and saved state.
    if (field.starts_with("hardware.platform"))
      continue;  // what the source's platform does is no setting of the source
    if (field.starts_with("source") || field.starts_with("encrypted") || field.starts_with("snapshots")) continue;
    EXPECT_NE(settlement(result, field), nullptr) << field;
  }
}

TEST(Settlement, ADroppedFieldSaysWhy) {
  Fixture fixture(full_machine());
  for (const Settlement &settled : fixture.map().settlements) {
    if (settled.disposition == Disposition::dropped || settled.disposition == Disposition::translated) {
      EXPECT_FALSE(settled.note.empty()) << settled.field;
    }
  }
}

TEST(Settlement, ASwitchThatIsOffIsNoLoss) {
  for (const bool on : {true, false}) {
    Machine machine = full_machine();
    machine.hardware.memory.page_fusion = machine.hardware.memory.large_pages = machine.hardware.memory.hot_add = on;
    Drive &drive = machine.hardware.controllers[0].drives[0];
    drive.passthrough = drive.temporary_eject = on;
    Fixture fixture(machine);
    fixture.input.options.hot_add = false;
    const auto result = fixture.map();
    for (const char *field :
         {"hardware.memory.page_fusion", "hardware.memory.large_pages", "hardware.memory.hot_add",
          "hardware.controllers.0.drives.0.passthrough", "hardware.controllers.0.drives.0.temporary_eject"}) {
      ASSERT_NE(settlement(result, field), nullptr) << field;
      EXPECT_EQ(settlement(result, field)->disposition, on ? Disposition::dropped : Disposition::kept) << field;
    }
  }
}

TEST(Settlement, SnapshotsAreSettledBelowTheirOwnPrefix) {
  Fixture fixture(virtualbox_machine());
  fixture.input.field_prefix = "snapshots.2.hardware";
  const auto result = fixture.map();
  EXPECT_NE(settlement(result, "snapshots.2.hardware.cpu.count"), nullptr);
  EXPECT_EQ(settlement(result, "hardware.cpu.count"), nullptr);
}

TEST(Findings, IdsAreUniqueAndHaveAMeaning) {
  std::set<std::string_view> ids;
  for (const FindingKind *kind : libvirt::finding_list.kinds()) {
    EXPECT_TRUE(ids.insert(kind->id).second) << kind->id;
    EXPECT_FALSE(kind->meaning.empty());
  }
  Fixture fixture(full_machine());
  for (const Finding &finding : fixture.map().findings) EXPECT_TRUE(ids.contains(finding.id)) << finding.id;
}

}  // namespace
}  // namespace ferry::test
