// SPDX-License-Identifier: Apache-2.0
// Every field of the model's JSON form is exercised: a machine with everything set has every member of
// model/members.hpp, and each of its paths stands in the expected.json of some golden case. The exact form gives such a
// machine back.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "model/differences.hpp"
#include "model/json.hpp"
#include "model/members.hpp"
#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

namespace ferry {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = FERRY_SOURCE_DIR;

Uuid some_uuid() { return *Uuid::parse("1c88196f-a9ac-4286-bbe0-60110912af0d"); }

Place somewhere() { return {"/other/file.vbox", 7, "/VirtualBox"}; }

Drive full_drive() {
  Drive drive;
  drive.host_device = drive.client_device = drive.serial = drive.model = "x";
  drive.nonrotational = drive.discard = drive.hotpluggable = drive.passthrough = drive.temporary_eject = true;
  ImageFile image;
  image.declared_location = "disk.vdi";
  image.pieces.push_back({"/folder/disk.vdi", 512, 1024});
  image.gzip = image.gzip_outer = image.blank = image.encrypted = true;
  image.uuid = some_uuid();
  image.declared_capacity = 4096;
  image.origin = somewhere();
  drive.medium = Medium{{image},
                        MediumType::immutable,
                        true,
                        somewhere(),
                        {{.offset = 4096, .before = {3, 0, 0, 0}, .after = {0, 0, 0, 0}}}};
  drive.origin = somewhere();
  return drive;
}

Nic full_nic() {
  Nic nic;
  nic.mac = MacAddress::parse("08:00:27:00:00:01");
  nic.pci_slot = 3;
  nic.network = "vboxnet0";
  nic.nat_cidr = "10.0.2.0/24";
  nic.nat_reaches_loopback = true;
  nic.forwards.push_back({"ssh", PortForward::Protocol::tcp, "127.0.0.1", "10.0.2.15", 2222, 22, somewhere()});
  nic.boot_priority = 1;
  nic.boot_index = 1;
  nic.bandwidth_bytes_per_second = 1000;
  nic.properties["tftp"] = "x";
  nic.origin = somewhere();
  return nic;
}

void fill_board(Hardware &hardware) {
  Firmware &firmware = hardware.firmware;
  firmware.secure_boot = firmware.boot_menu = true;
  firmware.nvram_file = "/folder/machine.nvram";
  firmware.nvram_inside = FileRange{"/folder/machine.ova", 512, 1024};
  firmware.nvram_encrypted = firmware.nvram_keys = firmware.nvram_gzip = firmware.nvram_qcow2 = true;
  firmware.boot_menu_timeout_ms = 1000;
  Cpu &cpu = hardware.cpu;
  cpu.cores_per_socket = cpu.threads_per_core = 2;
  cpu.pae = cpu.long_mode = cpu.nested_virtualization = cpu.apic = cpu.x2apic = cpu.hotplug = true;
  cpu.execution_cap_percent = 50;
  cpu.profile = "host";
  cpu.features.push_back({"vmx", true});
  hardware.memory.balloon_bytes = 1;
  hardware.memory.page_fusion = hardware.memory.large_pages = true;
  hardware.paravirtualization = Paravirtualization::kvm;
  hardware.clock.hpet = true;
  hardware.tpm.emplace();
  hardware.tpm->device = "tpm-tis";
  hardware.tpm->state_file = "/tpm";
  hardware.boot_order.push_back({BootDevice::Kind::disk, "scsi0:0"});
  hardware.smbios.uuid = some_uuid();
  hardware.smbios.strings["bios.vendor"] = "x";
  hardware.display.clipboard = Display::Exchange::to_guest;
  hardware.display.files = Display::Exchange::both;
  hardware.iommu = hardware.card_reader = true;
  hardware.platform = {NicNames::by_path, {{"ide.disk", "x"}}, {{"bios.vendor", "x"}}, "x"};
}

PciPlace some_place() { return {.bus = 1, .slot = 2, .function = 3, .multifunction = true}; }

// What only machines of QEMU have.
void fill_qemu(Hardware &hardware) {
  hardware.machine_type = "pc-q35-6.1";
  hardware.machine_properties["vmport"] = "off";
  hardware.firmware.loader_file = "/folder/OVMF_CODE.fd";
  Cpu &cpu = hardware.cpu;
  cpu.model = cpu.vendor = "x";
  cpu.sockets = cpu.dies = cpu.most = 2;
  cpu.hypervisor_hidden = true;
  cpu.enlightenments["relaxed"] = "on";
  hardware.memory.preallocated = true;
  hardware.clock.rtc_policy = hardware.clock.pit_policy = "delay";
  hardware.bridges.push_back({"pci-bridge", "pci.1", 1, 2, some_place(), somewhere()});
  Device device;
  device.device = "usb-kbd";
  device.place = some_place();
  device.usb = UsbPlace{1, "2.1"};
  device.properties["serial"] = "x";
  device.origin = somewhere();
  hardware.devices.push_back(device);
  hardware.kernel = KernelBoot{"/vmlinuz", "/initrd", "quiet", somewhere()};
  hardware.qemu_arguments = {"-smbios", "type=2"};
  Controller &controller = hardware.controllers.back();
  controller.device = "ich9-ahci";
  controller.place = some_place();
  controller.properties["x"] = "y";
  Drive &drive = controller.drives.back();
  drive.place = some_place();
  drive.usb = device.usb;
  drive.boot_index = 1;
  drive.cache = drive.io = drive.detect_zeroes = drive.error_policy = drive.read_error_policy = "x";
  drive.properties["x"] = "y";
  Nic &nic = hardware.nics.back();
  nic.device = "e1000";
  nic.place = some_place();
  nic.usb = device.usb;
  hardware.sound->device = "AC97";
  hardware.sound->place = some_place();
  hardware.display.device = "VGA";
  hardware.display.place = some_place();
  hardware.display.properties["x"] = "y";
}

void fill_devices(Hardware &hardware) {
  Controller &controller = hardware.controllers.emplace_back();
  controller.name = "SATA";
  controller.ports = 4;
  controller.pci_slot = 13;
  controller.host_io_cache = true;
  controller.drives.push_back(full_drive());
  hardware.nics.push_back(full_nic());
  CharPort port;
  port.path = "/dev/ttyS0";
  port.io_base = 0x3f8;
  port.irq = 4;
  hardware.parallel_ports = {port};
  port.uart = "16550A";
  hardware.serial_ports = {port};
  hardware.sound.emplace();
  hardware.sound->codec = hardware.sound->host_driver = "x";
  hardware.sound->pci_slot = 5;
  UsbController usb;
  usb.type = UsbController::Type::xhci;
  usb.pci_slot = 12;
  usb.device = "qemu-xhci";
  usb.place = some_place();
  usb.companion_of = usb.first_port = 0;
  usb.origin = somewhere();
  hardware.usb_controllers.push_back(usb);
  hardware.usb_filters.push_back({"f", true, "1", "2", "3", "4", "5", "6", "7", somewhere()});
  hardware.display.video_memory_bytes = 1;
  hardware.display.remote = Display::Remote{true, "3389", "127.0.0.1", somewhere()};
  hardware.shared_folders.push_back({"f", "/home", "/mnt", true, true, somewhere()});
}

Machine full_machine() {
  Machine machine;
  machine.source = {SourceKind::vbox, "/folder/machine.vbox", "1.19-linux", "VirtualBox 7.0"};
  machine.name = machine.description = "x";
  machine.uuid = some_uuid();
  machine.groups = {"/lab"};
  machine.guest_os.darwin = 24;
  machine.guest_os.source_id = machine.guest_os.label = machine.guest_os.osinfo_id = machine.guest_os.osinfo_newer =
      "x";
  fill_board(machine.hardware);
  fill_devices(machine.hardware);
  fill_qemu(machine.hardware);
  Snapshot snapshot;
  snapshot.id = snapshot.name = snapshot.description = "x";
  snapshot.created = 1;
  snapshot.parent = 0;
  snapshot.saved_state = SavedState{"/folder/a.sav", somewhere()};
  snapshot.origin = somewhere();
  machine.snapshots.push_back(snapshot);
  machine.current_snapshot = 0;
  machine.saved_state = SavedState{"/folder/b.sav", somewhere()};
  machine.encrypted = true;
  machine.guest_data =
      GuestData{"x", "x", "x", "x", "x", {{"a.b", "x", "string", "B", true, somewhere()}}, true, somewhere()};
  machine.extra["smc.key"] = "x";
  return machine;
}

// "hardware.controllers.drives.serial": without indexes, the members of free maps as "*", a snapshot's hardware as the
// machine's own.
void collect(const nlohmann::ordered_json &json, const std::string &path, std::set<std::string> &out) {
  static const std::set<std::string> kMaps{"extra",
                                           "hardware.nics.properties",
                                           "hardware.smbios.strings",
                                           "hardware.platform.drive_models",
                                           "hardware.platform.smbios_strings",
                                           "hardware.machine_properties",
                                           "hardware.cpu.enlightenments",
                                           "hardware.devices.properties",
                                           "hardware.controllers.properties",
                                           "hardware.controllers.drives.properties",
                                           "hardware.display.properties"};
  if (json.is_array()) {
    for (const auto &element : json) collect(element, path, out);
  }
  if (!json.is_object()) return;
  for (const auto &[key, below] : json.items()) {
    std::string name = kMaps.contains(path) ? "*" : key;
    if (!path.empty()) name.insert(0, path + ".");
    if (name == "snapshots.hardware") name = "hardware";
    out.insert(name);
    collect(below, name, out);
  }
}

std::set<std::string> paths_of(const Machine &machine) {
  std::set<std::string> out;
  collect(nlohmann::ordered_json::parse(to_json(machine, "/").dump()), "", out);
  return out;
}

// What T's values are of, below optionals and lists.
template <class T>
struct Below {
  using Type = T;
};
template <class T>
struct Below<std::optional<T>> : Below<T> {};
template <class T>
struct Below<std::vector<T>> : Below<T> {};

template <class T>
void described(const std::string &path, std::set<std::string> &out) {
  for_each_member<T>([&]<class Value>(const Member<T, Value> &member) {
    using Inner = typename Below<Value>::Type;
    const std::string below = path + (path.empty() ? "" : ".") + member.name;
    if (below == "snapshots.hardware" || std::is_same_v<Inner, Place>) return;  // as the machine's own; places
    out.insert(below);
    if constexpr (Described<Inner>) described<Inner>(below, out);
  });
}

TEST(JsonFields, AFullMachineHasEveryMemberOfTheModel) {
  std::set<std::string> all;
  described<Machine>("", all);
  all.erase("hardware.parallel_ports.uart");  // what CharPort has for serial ports only
  EXPECT_GT(all.size(), 190U);
  const std::set<std::string> written = paths_of(full_machine());
  for (const std::string &path : all)
    EXPECT_TRUE(written.contains(path)) << path << " is not set in this test's machine";
}

// ---- the exact form ----

ImportedMachine full_import() {
  ImportedMachine out;
  out.machine = full_machine();
  out.machine.snapshots.push_back(out.machine.snapshots.front());
  out.machine.snapshots.front().parent.reset();
  out.machine.snapshots.back().parent = 0;
  out.machine.hardware.nics.front().bandwidth_bytes_per_second = UINT64_MAX;
  out.machine.hardware.clock.offset_ms = INT64_MIN;
  out.machine.hardware.controllers.front().drives.front().client_device = "";  // there, and empty
  out.machine.name = std::string("caf\xE9 \0 \x1B[1m", 11);                    // no UTF-8
  out.machine.source.file = "/folder/caf\xE9.vbox";
  out.machine.extra["\xFF"] = "\xFE";
  const auto id = out.ledger.enter(somewhere(), "\xE9");
  out.ledger.take(id, "hardware.cpu.count");
  out.ledger.settle(out.ledger.enter({}, "x"), Disposition::irrelevant, "a note");
  out.findings.push_back({"vbox.x", Severity::critical, somewhere(), "message", "advice"});
  return out;
}

TEST(ExactJson, GivesEveryMemberBack) {
  const ImportedMachine imported = full_import();
  const ImportedMachine back = from_exact_json(to_exact_json(imported));
  EXPECT_EQ(differences(back, imported), std::vector<std::string>{});
  EXPECT_EQ(to_exact_json(back), to_exact_json(imported));
  EXPECT_EQ(back.machine.name.size(), 11U);
  EXPECT_EQ(differences(from_exact_json(to_exact_json({})), {}), std::vector<std::string>{});
}

// The text may be another's: whatever stands in a place where something else belongs, it is said, and nothing falls
// over.
TEST(ExactJson, WhatIsNotOfTheFormIsRefused) {
  using Values = std::vector<nlohmann::json>;
  const auto whole = nlohmann::json::parse(to_exact_json(full_import()));
  const auto refused = [](const nlohmann::json &json) {
    try {
      (void)from_exact_json(json.dump());
      return false;
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::malformed);
      return true;
    }
  };
  EXPECT_FALSE(refused(whole));
  const nlohmann::json leaves = whole.flatten();
  for (const auto &[pointer, value] : leaves.items()) {
    if (pointer.starts_with("/machine/snapshots/1")) continue;  // as the one before
    for (const nlohmann::json &other : Values{nullptr, {{"x", 1}}}) {
      nlohmann::json broken = whole;
      broken[nlohmann::json::json_pointer(pointer)] = other;
      EXPECT_TRUE(refused(broken)) << pointer << " = " << other;
    }
    if (!value.is_number()) continue;
    for (const nlohmann::json &other : Values{"7", 1.5}) {
      nlohmann::json broken = whole;
      broken[nlohmann::json::json_pointer(pointer)] = other;
      EXPECT_TRUE(refused(broken)) << pointer << " = " << other;
    }
  }
  const std::string text = whole.dump();
  for (std::size_t length = 0; length < text.size(); length += 197) {
    EXPECT_THROW((void)from_exact_json(text.substr(0, length)), Error) << length;
  }
  EXPECT_THROW((void)from_exact_json(std::string(100000, '[')), Error);
}

TEST(ExactJson, NumbersThatDoNotFitAndNamesThatAreNoneAreRefused) {
  const auto with = [](const std::string &pointer, const nlohmann::json &value) {
    auto json = nlohmann::json::parse(to_exact_json(full_import()));
    json[nlohmann::json::json_pointer(pointer)] = value;
    return json.dump();
  };
  const std::string nic = "/machine/hardware/nics/0/";
  EXPECT_EQ(from_exact_json(with(nic + "slot", 7)).machine.hardware.nics.at(0).slot, 7U);
  EXPECT_THROW((void)from_exact_json(with(nic + "slot", std::uint64_t{1} << 32U)), Error);
  EXPECT_THROW((void)from_exact_json(with(nic + "slot", -1)), Error);
  EXPECT_THROW((void)from_exact_json(with(nic + "forwards/0/host_port", 65536)), Error);
  EXPECT_THROW((void)from_exact_json(with(nic + "model", "e2000")), Error);
  EXPECT_THROW((void)from_exact_json(with(nic + "model", "?")), Error);
  EXPECT_THROW((void)from_exact_json(with(nic + "mac", "08:00:27")), Error);
  EXPECT_THROW((void)from_exact_json(with(nic + "newer", 1)), Error);
  EXPECT_THROW((void)from_exact_json(with("/machine/name", {{"bytes", "0g"}})), Error);
  EXPECT_THROW((void)from_exact_json(with("/machine/snapshots/0/parent", 0)), Error);  // its own
  EXPECT_THROW((void)from_exact_json(with("/machine/current_snapshot", 2)), Error);
  EXPECT_THROW((void)from_exact_json(with("/ledger/0/disposition", "lost")), Error);
  EXPECT_THROW((void)from_exact_json(with("/findings/0/severity", "fatal")), Error);
}

TEST(Differences, AreNamedByTheirPath) {
  const ImportedMachine one = full_import();
  ImportedMachine other = one;
  other.machine.hardware.nics.front().mac.reset();
  other.machine.hardware.controllers.front().drives.front().medium->chain.front().gzip = false;
  other.machine.hardware.usb_filters.clear();
  other.findings.front().advice = "other";
  EXPECT_EQ(
      differences(one, other),
      (std::vector<std::string>{"machine.hardware.controllers.0.drives.0.medium.chain.0.gzip",
                                "machine.hardware.nics.0.mac", "machine.hardware.usb_filters", "findings.0.advice"}));
}

// What no golden case can show, and the test that does: archives are built by tests, never committed, and of an
// encrypted machine or disk, and of a suspended machine, there is a refusal only.
const std::map<std::string, std::string> kElsewhere{
    {"hardware.firmware.nvram_keys", "tests/vbox/"},
    {"hardware.firmware.nvram_inside", "tests/ovf/"},
    {"hardware.firmware.nvram_gzip", "tests/ovf/"},
    {"hardware.firmware.nvram_inside.file", "tests/ovf/"},
    {"hardware.firmware.nvram_inside.offset", "tests/ovf/"},
    {"hardware.firmware.nvram_inside.length", "tests/ovf/"},
    {"hardware.controllers.drives.medium.chain.gzip_outer", "tests/ovf/"},
    {"hardware.controllers.drives.medium.chain.pieces.offset", "tests/ovf/"},
    {"hardware.controllers.drives.medium.chain.pieces.length", "tests/ovf/"},
    {"hardware.controllers.drives.medium.chain.encrypted", "tests/vbox/"},
    {"hardware.controllers.drives.medium.changes", "tests/look_inside/"},
    {"hardware.controllers.drives.medium.changes.offset", "tests/look_inside/"},
    {"hardware.controllers.drives.medium.changes.before", "tests/look_inside/"},
    {"hardware.controllers.drives.medium.changes.after", "tests/look_inside/"},
    {"encrypted", "tests/vbox/"},
    {"saved_state", "tests/vbox/"},
    {"saved_state.file", "tests/vbox/"},
};

bool some_test_names(const std::string &folder, const std::string &member) {
  const std::regex use("\\b" + member + "\\b");
  for (const auto &entry : fs::directory_iterator(kSource / folder)) {
    if (entry.path().extension() == ".cpp" && std::regex_search(test::read_text(entry.path()), use)) return true;
  }
  return false;
}

std::set<std::string> golden_paths() {
  std::set<std::string> out;
  for (const auto &entry : fs::recursive_directory_iterator(kSource / "fixtures")) {
    if (entry.path().filename() != "expected.json") continue;
    std::ifstream in(entry.path());
    while (in >> std::ws && in.peek() != EOF) {  // a package's machines stand one after the other
      nlohmann::ordered_json machine;
      in >> machine;
      collect(machine, "", out);
    }
  }
  return out;
}

TEST(JsonFields, EveryFieldStandsInAGoldenCase) {
  const std::set<std::string> golden = golden_paths();
  for (const std::string &path : paths_of(full_machine())) {
    if (path.find("origin") != std::string::npos) continue;  // places are written alike everywhere
    const auto elsewhere = kElsewhere.find(path);
    if (elsewhere == kElsewhere.end()) {
      EXPECT_TRUE(golden.contains(path)) << path;
    } else {
      EXPECT_FALSE(golden.contains(path)) << path << " has a golden case by now";
      EXPECT_TRUE(some_test_names(elsewhere->second, path.substr(path.rfind('.') + 1))) << path;
    }
  }
}

}  // namespace
}  // namespace ferry
