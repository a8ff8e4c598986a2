// SPDX-License-Identifier: Apache-2.0
// PCI bridges and ports, USB, SATA, SCSI and serial controllers. What the board has built in is not made again.
#include <array>
#include <string_view>

#include "exporters/script/maker.hpp"

namespace ferry::script {
namespace {

using Names = std::pair<std::string_view, std::string_view>;  // libvirt's and QEMU's

constexpr std::array<Names, 9> kPciModels{{{"pcie-root-port", "pcie-root-port"},
                                           {"pci-bridge", "pci-bridge"},
                                           {"pcie-to-pci-bridge", "pcie-pci-bridge"},
                                           {"dmi-to-pci-bridge", "i82801b11-bridge"},
                                           {"pcie-switch-upstream-port", "x3130-upstream"},
                                           {"pcie-switch-downstream-port", "xio3130-downstream"}}};
constexpr std::array<Names, 14> kUsbModels{{{"piix3-uhci", "piix3-usb-uhci"},
                                            {"piix4-uhci", "piix4-usb-uhci"},
                                            {"ehci", "usb-ehci"},
                                            {"ich9-ehci1", "ich9-usb-ehci1"},
                                            {"ich9-uhci1", "ich9-usb-uhci1"},
                                            {"ich9-uhci2", "ich9-usb-uhci2"},
                                            {"ich9-uhci3", "ich9-usb-uhci3"},
                                            {"vt82c686b-uhci", "vt82c686b-usb-uhci"},
                                            {"pci-ohci", "pci-ohci"},
                                            {"nec-xhci", "nec-usb-xhci"},
                                            {"qemu-xhci", "qemu-xhci"}}};
constexpr std::array<Names, 10> kScsiModels{{{"virtio-scsi", "virtio-scsi-pci"},
                                             {"virtio-transitional", "virtio-scsi-pci-transitional"},
                                             {"virtio-non-transitional", "virtio-scsi-pci-non-transitional"},
                                             {"lsilogic", "lsi"},
                                             {"vmpvscsi", "pvscsi"},
                                             {"lsisas1068", "mptsas1068"},
                                             {"lsisas1078", "megasas"},
                                             {"am53c974", "am53c974"},
                                             {"dc390", "dc390"}}};

template <std::size_t size>
std::string qemu_name(const std::array<Names, size> &names, std::string_view model) {
  for (const auto &[ours, theirs] : names) {
    if (!ours.empty() && ours == model) return std::string(theirs);
  }
  return {};
}

void unknown(Maker &m, const xml::Element &controller) {
  m.report(kDeviceLeftOut, "The " + attribute(&controller, "type") + " controller " + attribute(&controller, "index") +
                               " of the model '" + attribute(&controller, "model") + "' is left out.");
}

void add_pci(Maker &m, const xml::Element &controller, unsigned index) {
  const std::string model = attribute(&controller, "model");
  const xml::Element *target = controller.child("target");
  if (model == "pci-root" || model == "pcie-root") {
    if (attribute(target, "hotplug") == "off" && !m.q35)
      m.option("-global", Word("PIIX4_PM.acpi-root-pci-hotplug=off"));
    return;
  }
  const std::string driver = qemu_name(kPciModels, model);
  if (driver.empty()) return unknown(m, controller);
  Keys keys(driver);
  if (driver == "pci-bridge") {
    const std::string chassis = attribute(target, "chassisNr");
    keys.set("chassis_nr", Word(chassis.empty() ? std::to_string(index) : chassis));
  } else if (driver == "pcie-root-port" || driver == "xio3130-downstream") {
    const std::string port = attribute(target, "port"), chassis = attribute(target, "chassis");
    keys.set("port", Word(port.empty() ? std::to_string(index) : port));
    keys.set("chassis", Word(chassis.empty() ? std::to_string(index) : chassis));
  }
  if (attribute(target, "hotplug") == "off" && driver == "pcie-root-port") keys.on("hotplug", false);
  keys.set("id", Word("pci." + std::to_string(index)));
  m.place_pci(keys, controller);
  m.device(keys, controller);
}

void add_usb(Maker &m, const xml::Element &controller, unsigned index) {
  std::string model = attribute(&controller, "model");
  if (model == "none") return;
  if (model.empty()) model = m.q35 ? "qemu-xhci" : "piix3-uhci";
  const std::string driver = qemu_name(kUsbModels, model);
  if (driver.empty()) return unknown(m, controller);
  const std::string bus = index == 0 ? "usb" : "usb" + std::to_string(index);
  Keys keys(driver);
  if (const xml::Element *master = controller.child("master")) {
    keys.set("masterbus", Word(bus + ".0")).set_some("firstport", attribute(master, "startport"));
  } else {
    keys.set("id", Word(m.id(controller, bus)));
    if (const std::string ports = attribute(&controller, "ports"); !ports.empty() && model.ends_with("xhci"))
      keys.set("p2", Word(ports)).set("p3", Word(ports));
  }
  m.place_pci(keys, controller);
  m.device(keys, controller);
}

void add_scsi(Maker &m, const xml::Element &controller, unsigned index) {
  const std::string model = attribute(&controller, "model");
  const std::string driver = model.empty() || model == "auto" ? "lsi" : qemu_name(kScsiModels, model);
  if (driver.empty()) return unknown(m, controller);
  Keys keys(driver);
  keys.set("id", Word("scsi" + std::to_string(index)));
  const xml::Element *settings = controller.child("driver");
  if (driver.starts_with("virtio")) {
    if (const std::string thread = attribute(settings, "iothread"); !thread.empty())
      keys.set("iothread", Word("iothread" + thread));
    keys.set_some("num_queues", attribute(settings, "queues"));
  }
  m.place_pci(keys, controller);
  m.device(keys, controller);
}

void add_simple(Maker &m, const xml::Element &controller, const std::string &driver, const std::string &id) {
  Keys keys(driver);
  keys.set("id", Word(id));
  m.place_pci(keys, controller);
  m.device(keys, controller);
}

void add_one(Maker &m, const xml::Element &controller) {
  const std::string type = attribute(&controller, "type");
  const unsigned index = number(attribute(&controller, "index")).value_or(0);
  if (type == "usb") {
    add_usb(m, controller, index);
  } else if (type == "scsi") {
    add_scsi(m, controller, index);
  } else if (type == "sata") {
    if (!m.q35 || index > 0) add_simple(m, controller, "ahci", "sata" + std::to_string(index));
  } else if (type == "virtio-serial") {
    add_simple(m, controller, "virtio-serial-pci", "virtio-serial" + std::to_string(index));
  } else if (type == "nvme") {
    Keys keys("nvme");
    keys.set("id", Word("nvme" + std::to_string(index))).set_some("serial", text_of(controller.child("serial")));
    m.place_pci(keys, controller);
    m.device(keys, controller);
  } else if (type == "ccid") {
    Keys keys("usb-ccid");
    keys.set("id", Word("ccid" + std::to_string(index)));
    m.place_usb(keys, controller);
    m.device(keys, controller);
  } else if (type == "ide" ? m.q35 : type != "fdc") {
    unknown(m, controller);
  }
}

// Those behind which devices have ports such as "1.1".
void add_hubs(Maker &m) {
  unsigned index = 0;
  for (const xml::Element *hub : children(m.devices, "hub")) {
    Keys keys("usb-hub");
    keys.set("id", Word(m.id(*hub, "hub" + std::to_string(index++))));
    m.place_usb(keys, *hub);
    m.device(keys, *hub);
  }
}

}  // namespace

void add_controllers(Maker &m) {
  m.group("controllers");
  const auto controllers = children(m.devices, "controller");
  // It must be there before the devices whose memory it maps.
  for (const xml::Element *iommu : children(m.devices, "iommu")) {
    const std::string model = attribute(iommu, "model");
    if (model != "intel") {
      m.report(kDeviceLeftOut, "An IOMMU of the model '" + model + "' is left out.");
      continue;
    }
    const xml::Element *driver = iommu->child("driver");
    Keys keys("intel-iommu");
    if (attribute(driver, "intremap") == "on") keys.on("intremap");
    if (attribute(driver, "caching_mode") == "on") keys.on("caching-mode");
    m.device(keys, *iommu);
  }
  // Buses before what is on them; libvirt may list a bridge after the one behind it, by number they are in order.
  std::map<unsigned, const xml::Element *> buses;
  for (const xml::Element *controller : controllers) {
    if (attribute(controller, "type") == "pci") buses[number(attribute(controller, "index")).value_or(0)] = controller;
  }
  for (const auto &[index, controller] : buses) add_pci(m, *controller, index);
  // By kind, as libvirt does it; a USB controller before its companions.
  for (const char *type : {"usb", "scsi", "ide", "sata", "virtio-serial", "nvme"}) {
    for (const bool companions : {false, true}) {
      for (const xml::Element *controller : controllers) {
        const bool is_companion = controller->child("master") != nullptr;
        if (attribute(controller, "type") == type && is_companion == companions) add_one(m, *controller);
      }
    }
  }
  add_hubs(m);
  bool serial = false;
  for (const xml::Element *controller : controllers) {
    const std::string type = attribute(controller, "type");
    serial = serial || type == "virtio-serial";
    const bool done = type == "pci" || type == "usb" || type == "scsi" || type == "ide" || type == "sata" ||
                      type == "virtio-serial" || type == "nvme";
    if (!done) add_one(m, *controller);
  }
  if (serial) return;
  for (const xml::Element *channel : children(m.devices, "channel")) {
    if (attribute(channel->child("target"), "type") != "virtio") continue;
    const xml::Element nowhere;
    add_simple(m, nowhere, "virtio-serial-pci", "virtio-serial0");
    return;
  }
}

}  // namespace ferry::script
