// SPDX-License-Identifier: Apache-2.0
// docs/devices.md: what becomes of each device is what the exporter does with it. UPDATE_GOLDEN=1 writes the tables
// anew.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>

#include "model/names.hpp"
#include "tests/export/builders.hpp"
#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

namespace ferry::test {
namespace {

constexpr std::string_view kBegin = "<!-- made by the tests -->\n", kEnd = "<!-- end -->\n";

// "same"; "equivalent", with the finding that says what differs; "cannot be had: what the report says". Findings that
// the machine without the device has, too, are not the device's.
std::string verdict(const target::Result &result, const target::Result &plain, std::string_view field) {
  const Settlement *settled = settlement(result, field);
  if (settled == nullptr) return "no verdict";
  std::string out = settled->disposition == Disposition::kept ? "same" : "equivalent";
  if (settled->disposition == Disposition::dropped) out = "cannot be had: " + settled->note;
  for (const Finding &finding : result.findings) {
    if (found(plain, finding.id)) continue;
    if (finding.severity == Severity::critical) return "cannot be had: `" + finding.id + "`";
    out = (settled->disposition == Disposition::dropped ? "cannot be had: `" : "equivalent: `") + finding.id + "`";
  }
  return out;
}

std::string row(std::string_view device, const std::string &target, const std::string &what) {
  return "| `" + std::string(device) + "` | " + target + " | " + what + " |\n";
}

std::string head(const std::string &title) {
  return "\n### " + title + "\n\n| in `inspect` | on libvirt | verdict |\n|---|---|---|\n";
}

template <class Value>
std::vector<Value> all_up_to(Value last) {
  std::vector<Value> out;
  for (int i = 0; i <= static_cast<int>(last); ++i) out.push_back(static_cast<Value>(i));
  return out;
}

target::Result mapped(Machine machine) {
  Fixture fixture(std::move(machine));
  fixture.host = debian13();
  return fixture.map();
}

// The machine of the same platform, without the device in question.
const target::Result &plain(const Machine &machine) {
  static const target::Result kVirtualbox = mapped(virtualbox_machine()), kVmware = mapped(vmware_machine());
  return machine.source.kind == SourceKind::vmx ? kVmware : kVirtualbox;
}

std::string controllers() {
  std::string out = head("Disk controllers");
  for (const ControllerType type : all_up_to(ControllerType::floppy)) {
    Machine machine =
        type == ControllerType::ide_vmware || type == ControllerType::pvscsi ? vmware_machine() : virtualbox_machine();
    const bool floppy = type == ControllerType::floppy;
    Drive drive = disk_drive(0);
    if (floppy) drive.kind = DriveKind::floppy;
    machine.hardware.controllers = {controller(type, "c", {drive})};
    const target::Result result = mapped(machine);
    const xml::Element root = domain(result);
    std::string target = "`" + attribute(element(root, "devices/disk/target"), "bus") + "`";
    for (std::size_t i = 0; i < count(root, "devices/controller"); ++i) {
      const xml::Element &made = element(root, "devices/controller", i);
      const std::string model = attribute(made, "model");
      if ("`" + attribute(made, "type") + "`" == target && !model.empty()) target += ", `" + model + "`";
    }
    out += row(to_string(type), target, verdict(result, plain(machine), "hardware.controllers.0.type"));
  }
  return out;
}

std::string cards() {
  std::string out = head("Network cards");
  for (const NicModel model : all_up_to(NicModel::usbnet)) {
    Machine machine =
        model >= NicModel::vlance && model <= NicModel::flexible ? vmware_machine() : virtualbox_machine();
    machine.hardware.nics[0].model = model;
    const target::Result result = mapped(machine);
    out += row(to_string(model), "`" + attribute(element(domain(result), "devices/interface/model"), "type") + "`",
               verdict(result, plain(machine), "hardware.nics.0.model"));
  }
  return out;
}

std::string sounds() {
  std::string out = head("Sound");
  for (const Sound::Model model : all_up_to(Sound::Model::virtio)) {
    Machine machine = virtualbox_machine();
    machine.hardware.sound->model = model;
    const target::Result result = mapped(machine);
    out += row(to_string(model), "`" + attribute(element(domain(result), "devices/sound"), "model") + "`",
               verdict(result, plain(machine), "hardware.sound.model"));
  }
  return out;
}

std::string displays() {
  std::string out = head("Video (a Linux guest)");
  for (const Display::Adapter adapter : all_up_to(Display::Adapter::vmware_svga)) {
    Machine machine = adapter == Display::Adapter::vmware_svga ? vmware_machine() : virtualbox_machine();
    machine.hardware.display.adapter = adapter;
    const target::Result result = mapped(machine);
    out += row(to_string(adapter), "`" + attribute(element(domain(result), "devices/video/model"), "type") + "`",
               verdict(result, plain(machine), "hardware.display.adapter"));
  }
  return out;
}

std::string usb() {
  std::string out = head("USB controllers");
  for (const UsbController::Type type : all_up_to(UsbController::Type::xhci)) {
    Machine machine = virtualbox_machine();
    UsbController made;
    made.type = type;
    machine.hardware.usb_controllers = {made};
    const target::Result result = mapped(machine);
    const xml::Element root = domain(result);
    std::string target = "none";
    for (std::size_t i = 0; i < count(root, "devices/controller"); ++i) {
      const xml::Element &one = element(root, "devices/controller", i);
      if (attribute(one, "type") == "usb" && target == "none") target = "`" + attribute(one, "model") + "`";
    }
    out += row(to_string(type), target, verdict(result, plain(machine), "hardware.usb_controllers.0.type"));
  }
  return out;
}

std::string others() {
  std::string out = head("Others");
  Machine newer = virtualbox_machine();
  newer.hardware.chipset = Chipset::ich9;
  const target::Result without = mapped(newer);
  const auto add = [&](std::string_view name, const std::function<void(Hardware &)> &change, std::string_view path,
                       std::string_view target, std::string_view field) {
    Machine machine = virtualbox_machine();
    machine.hardware.chipset = Chipset::ich9;
    change(machine.hardware);
    const target::Result result = mapped(machine);
    const bool there = count(domain(result), path) > 0;
    out += row(name, there ? "`" + std::string(target) + "`" : "nothing", verdict(result, without, field));
  };
  add(
      "card_reader", [](Hardware &hw) { hw.card_reader = true; }, "devices/smartcard", "<smartcard>",
      "hardware.card_reader");
  add(
      "cpu.hotplug", [](Hardware &hw) { hw.cpu.hotplug = true; }, "vcpu", "<vcpu current=>", "hardware.cpu.hotplug");
  add(
      "memory.hot_add", [](Hardware &hw) { hw.memory.hot_add = true; }, "maxMemory", "<maxMemory>",
      "hardware.memory.hot_add");
  add(
      "iommu", [](Hardware &hw) { hw.iommu = true; }, "devices/iommu", "<iommu model='intel'>", "hardware.iommu");
  add(
      "display.clipboard", [](Hardware &hw) { hw.display.clipboard = Display::Exchange::off; },
      "devices/graphics/clipboard", "<clipboard copypaste='no'>", "hardware.display.clipboard");
  add(
      "display.files", [](Hardware &hw) { hw.display.files = Display::Exchange::off; }, "devices/graphics/filetransfer",
      "<filetransfer enable='no'>", "hardware.display.files");
  add(
      "serial_ports", [](Hardware &hw) { hw.serial_ports = {CharPort{}}; }, "devices/serial", "<serial>",
      "hardware.serial_ports.0.backend");
  add(
      "parallel_ports", [](Hardware &hw) { hw.parallel_ports = {CharPort{}}; }, "devices/parallel", "<parallel>",
      "hardware.parallel_ports.0.backend");
  add(
      "shared_folders",
      [](Hardware &hw) {
        SharedFolder folder;
        folder.name = "work";
        folder.host_path = "/srv/work";
        hw.shared_folders = {folder};
      },
      "devices/filesystem", "<filesystem>", "hardware.shared_folders.0.host_path");
  add(
      "display.accelerate_3d", [](Hardware &hw) { hw.display.accelerate_3d = true; },
      "devices/video/model/acceleration", "<acceleration>", "hardware.display.accelerate_3d");
  return out;
}

TEST(DevicesPage, SaysWhatTheExporterDoes) {
  const std::filesystem::path file = tree() / "docs" / "devices.md";
  const std::string page = read_text(file);
  const std::size_t begin = page.find(kBegin), end = page.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::size_t from = begin + kBegin.size();
  const std::string tables = controllers() + cards() + sounds() + displays() + usb() + others() + "\n";
  EXPECT_EQ(tables.find("no verdict"), std::string::npos) << tables;
  if (std::getenv("UPDATE_GOLDEN") != nullptr)
    std::ofstream(file, std::ios::binary) << page.substr(0, from) << tables << page.substr(end);
  EXPECT_EQ(page.substr(from, end - from), tables) << "UPDATE_GOLDEN=1 writes it anew; read what changed";
}

}  // namespace
}  // namespace ferry::test
