// SPDX-License-Identifier: Apache-2.0
// A QEMU command becomes a domain, the domain a script of ours, and the script, read again, the same machine.
#include <algorithm>
#include <gtest/gtest.h>

#include "exporters/script/script.hpp"
#include "importers/qemu/qemu.hpp"
#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

#include "support/text.hpp"
#include "support/xml.hpp"

namespace ferry {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

std::string text_of(const std::optional<PciPlace> &place) {
  if (!place) return "";
  return " at " + std::to_string(place->bus) + ":" + text::hex(place->slot, 2) + "." + std::to_string(place->function);
}

std::string text_of(const std::optional<UsbPlace> &place, const Hardware &hardware) {
  if (!place) return "";
  const UsbController &controller = hardware.usb_controllers.at(place->controller);
  return " in port " + place->port + " of " + controller.device + text_of(controller.place);
}

// The file's name, not its folder: the script names it by way of its own.
std::string text_of(const std::optional<Medium> &medium) {
  if (!medium || medium->chain.empty() || medium->chain.front().pieces.empty()) return "";
  return " with " + fs::path(medium->chain.front().declared_location).filename().string();
}

void add_controllers(const Hardware &hardware, Lines &out) {
  for (const Controller &controller : hardware.controllers) {
    const bool adapter =
        controller.type != ControllerType::virtio_blk && controller.type != ControllerType::usb_storage;
    const std::string name = controller.device + text_of(controller.place);
    if (adapter && controller.place) out.push_back("controller " + name);
    for (const Drive &drive : controller.drives) {
      // A disk without its image is left out of the domain; an empty removable drive stays.
      if (drive.kind == DriveKind::disk && !drive.medium) continue;
      const std::string where = drive.place ? text_of(drive.place) : text_of(drive.usb, hardware);
      // Which of its drives a disk of virtio or USB is, is a matter of order.
      const std::string port = adapter ? " " + std::to_string(drive.port) + "/" + std::to_string(drive.device) : "";
      out.push_back("drive " + std::to_string(static_cast<int>(drive.kind)) + " on " +
                    (adapter ? name : controller.device) + port + where + text_of(drive.medium) + " serial " +
                    drive.serial.value_or(""));
    }
  }
}

void add_cards(const Hardware &hardware, Lines &out) {
  for (const Nic &nic : hardware.nics) {
    std::string line = "card " + nic.device + text_of(nic.place) + text_of(nic.usb, hardware);
    line += " " + (nic.mac ? nic.mac->text() : "no address");
    for (const PortForward &forward : nic.forwards) {
      line += " forward " + std::to_string(static_cast<int>(forward.protocol)) + " " + forward.host_address + ":" +
              std::to_string(forward.host_port) + "-" + forward.guest_address + ":" +
              std::to_string(forward.guest_port);
    }
    for (const auto &[name, value] : nic.properties) {
      const bool standard =
          (name == "iobase" && value == "0x300") || (name == "irq" && value == "0x9");  // an ISA card's
      if (!standard) line += " " + name + "=" + value;
    }
    out.push_back(std::move(line));
  }
}

void add_devices(const Hardware &hardware, Lines &out) {
  const Display &display = hardware.display;
  if (!display.device.empty()) out.push_back("video " + display.device + text_of(display.place));
  if (hardware.sound)
    out.push_back("sound " + hardware.sound->device + " " + hardware.sound->codec.value_or("") +
                  text_of(hardware.sound->place));
  for (const UsbController &usb : hardware.usb_controllers) out.push_back("usb " + usb.device + text_of(usb.place));
  for (const PciBridge &bridge : hardware.bridges) out.push_back("bridge " + bridge.device + text_of(bridge.place));
  for (const Device &device : hardware.devices) {
    const auto name = device.properties.find("name");
    out.push_back("device " + device.device + text_of(device.place) + text_of(device.usb, hardware) +
                  (name == device.properties.end() ? "" : " " + name->second));
  }
  out.push_back("serial ports: " + std::to_string(hardware.serial_ports.size()));
  out.push_back("parallel ports: " + std::to_string(hardware.parallel_ports.size()));
  if (hardware.tpm)
    out.push_back("TPM " + hardware.tpm->device + " " + std::to_string(static_cast<int>(hardware.tpm->version)));
}

void add_board(const Machine &machine, Lines &out) {
  const Hardware &hardware = machine.hardware;
  out.push_back("name " + machine.name);
  out.push_back("board " + hardware.machine_type + (hardware.firmware.acpi ? "" : " without ACPI"));
  out.push_back("firmware " + std::to_string(static_cast<int>(hardware.firmware.type)));
  out.push_back("memory " + std::to_string(hardware.memory.bytes));
  const Cpu &cpu = hardware.cpu;
  out.push_back("cpus " + std::to_string(cpu.count) + " of " + std::to_string(cpu.most.value_or(cpu.count)) + ": " +
                std::to_string(cpu.sockets.value_or(1)) + "*" + std::to_string(cpu.dies.value_or(1)) + "*" +
                std::to_string(cpu.cores_per_socket.value_or(1)) + "*" +
                std::to_string(cpu.threads_per_core.value_or(1)));
  // The host's own CPU is all that emulation can do, where there is no KVM.
  if (cpu.model && *cpu.model != "host" && *cpu.model != "max") out.push_back("cpu model " + *cpu.model);
  out.push_back("clock " + std::to_string(static_cast<int>(hardware.clock.base)));
  if (hardware.smbios.uuid) out.push_back("uuid " + hardware.smbios.uuid->text());
  for (const auto &[name, value] : hardware.smbios.strings) out.push_back("smbios " + name + "=" + value);
  for (const auto &[name, value] : machine.extra) out.push_back("extra " + name + "=" + value);
  if (hardware.kernel) out.push_back("kernel " + hardware.kernel->kernel.filename().string());
}

Lines lines_of(const Machine &machine) {
  Lines out;
  add_board(machine, out);
  add_controllers(machine.hardware, out);
  add_cards(machine.hardware, out);
  add_devices(machine.hardware, out);
  std::sort(out.begin(), out.end());
  return out;
}

// What is in one and not in the other.
std::string differences(const Lines &first, const Lines &second) {
  Lines gone, added;
  std::set_difference(first.begin(), first.end(), second.begin(), second.end(), std::back_inserter(gone));
  std::set_difference(second.begin(), second.end(), first.begin(), first.end(), std::back_inserter(added));
  std::string out;
  for (const std::string &line : gone) out += "- " + line + "\n";
  for (const std::string &line : added) out += "+ " + line + "\n";
  return out;
}

// What becomes another thing on the way, and a finding says so: lines of the first machine, and of the second.
struct Meant {
  std::string_view name;
  std::vector<std::string> gone, added;
};
const std::vector<Meant> &all_meant() {
  static const std::vector<Meant> kAll{
      // The host has no version so old.
      {"legacy", {"board pc-i440fx-0.15 without ACPI"}, {"board pc-i440fx-1.4 without ACPI"}},
      // Which of the host's devices cannot be told; libvirt has no slot 0 behind a bridge.
      {"odds",
       {"device usb-host in port 1 of piix3-usb-uhci at 0:01.2", "sound AC97  at 1:00.0"},
       {"sound AC97  at 1:1f.0"}},
  };
  return kAll;
}

class RoundTrips : public testing::TestWithParam<fs::path> {};

TEST_P(RoundTrips, TheScriptOfTheDomainIsTheSameMachine) {
  const fs::path &folder = GetParam();
  fs::path source;
  for (const auto &entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && !name.starts_with("expected") && name != "source") source = entry.path();
  }
  if (fs::exists(folder / "source")) source = folder / std::string(text::trim(test::read_text(folder / "source")));
  const Machine before = qemu::import_file(source, {}).front().machine;

  std::string expected = test::read_text(folder / "expected.xml");
  const std::string_view mark = "@SOURCE@";
  for (std::size_t at = expected.find(mark); at != std::string::npos; at = expected.find(mark, at))
    expected.replace(at, mark.size(), FERRY_SOURCE_DIR);
  const xml::Element domain = xml::parse(expected, "expected.xml");
  const test::TempFolder here;
  const script::Script made = script::write_script({.domain = &domain, .folder = here.path(), .heading = "of a test"});
  const fs::path written = here.write("again.sh", made.text);
  const Machine after = qemu::import_file(written, {}).front().machine;
  Lines first = lines_of(before), second = lines_of(after);
  // A machine without a UUID got one.
  if (!before.hardware.smbios.uuid)
    std::erase_if(second, [](const std::string &line) { return line.starts_with("uuid "); });
  for (const Meant &meant : all_meant()) {
    if (meant.name != folder.filename().string()) continue;
    for (const std::string &line : meant.gone) EXPECT_EQ(std::erase(first, line), 1U) << line;
    for (const std::string &line : meant.added) EXPECT_EQ(std::erase(second, line), 1U) << line;
  }
  EXPECT_EQ(differences(first, second), "") << made.text;
}

std::vector<fs::path> cases() {
  std::vector<fs::path> out;
  for (const auto &entry : fs::directory_iterator(fs::path(FERRY_SOURCE_DIR) / "fixtures/qemu")) {
    if (fs::exists(entry.path() / "expected.xml")) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

INSTANTIATE_TEST_SUITE_P(Qemu, RoundTrips, testing::ValuesIn(cases()), [](const auto &one) {
  std::string name = one.param.filename().string();
  std::erase(name, '-');
  return name;
});

}  // namespace
}  // namespace ferry
