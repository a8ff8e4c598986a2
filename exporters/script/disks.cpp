// SPDX-License-Identifier: Apache-2.0
// Disks, CDs and floppies: a drive with its file, and the device that the guest sees.
#include <algorithm>

#include "exporters/script/maker.hpp"

namespace ferry::script {
namespace {

struct Address {
  unsigned controller = 0, bus = 0, target = 0, unit = 0;
};

// The number in a target's name: sda 0, sdb 1, sdaa 26.
unsigned ordinal(const std::string &target) {
  unsigned out = 0;
  const std::size_t prefix = std::min<std::size_t>(target.size(), 2);
  for (const char c : target.substr(prefix)) {
    if (c < 'a' || c > 'z' || out > 10000) break;
    out = out * 26 + static_cast<unsigned>(c - 'a') + 1;
  }
  return out == 0 ? 0 : out - 1;
}

class DiskWriter {
 public:
  DiskWriter(Maker &m, const xml::Element &disk)
      : m_(m),
        disk_(disk),
        target_(attribute(disk.child("target"), "dev")),
        bus_(attribute(disk.child("target"), "bus")),
        kind_(attribute(&disk, "device").empty() ? "disk" : attribute(&disk, "device")) {}

  void write() {
    if (kind_ == "lun") return left_out("it is a SCSI device of the host");
    Keys device = keys_of_bus();
    if (refused_) return;
    if (!add_drive()) return;
    if (has_drive_) device.set("drive", Word("drive-" + target_));
    add_identity(device);
    const std::string place = m_.boot_place(disk_, kind_ == "cdrom" ? "cdrom" : kind_ == "floppy" ? "fd" : "hd");
    if (bus_ != "fdc") device.set_some("bootindex", place);
    m_.device(device, disk_);
    // A floppy's place is its controller's property.
    if (bus_ == "fdc" && !place.empty())
      m_.option("-global", Word(std::string("isa-fdc.bootindex") + (address().unit == 0 ? "A=" : "B=") + place));
  }

 private:
  void left_out(const std::string &why) {
    refused_ = true;
    m_.report(kDeviceLeftOut, "The disk " + target_ + " is left out: " + why + ".");
  }

  // False when its medium cannot be had, and the disk with it.
  bool add_drive() {
    const xml::Element *source = disk_.child("source");
    const std::string type = attribute(&disk_, "type");
    const std::string file = attribute(source, type == "block" ? "dev" : "file");
    const bool empty = file.empty() && kind_ != "disk";
    if (type != "file" && type != "block" && !empty) {
      left_out("its image is not a file, but of the type '" + type + "'");
      return false;
    }
    if (child(source, "encryption") != nullptr || disk_.child("encryption") != nullptr) {
      left_out("it is encrypted, and the key is libvirt's");
      return false;
    }
    if (empty) return true;
    has_drive_ = true;
    const xml::Element *driver = disk_.child("driver");
    const std::string format = attribute(driver, "type");
    if (bus_ == "usb" && disk_.child("transient") == nullptr) {
      add_block_node(format.empty() ? "raw" : format, file, type == "block");
      return true;
    }
    Keys drive("if=none");
    drive.set("id", Word("drive-" + target_)).set("file", m_.file(file));
    drive.set("format", Word(format.empty() ? "raw" : format));
    if (kind_ == "cdrom") drive.set("media", "cdrom");
    if (disk_.child("readonly") != nullptr || kind_ == "cdrom") drive.on("readonly");
    if (disk_.child("transient") != nullptr) drive.on("snapshot");
    drive.set_some("cache", attribute(driver, "cache"));
    drive.set_some("discard", attribute(driver, "discard"));
    drive.set_some("detect-zeroes", attribute(driver, "detect_zeroes"));
    drive.set_some("aio", attribute(driver, "io"));
    if (const std::string policy = attribute(driver, "error_policy"); !policy.empty() && policy != "enospace")
      drive.set("werror", Word(policy));
    m_.option("-drive", drive);
    if (disk_.child("iotune") != nullptr) m_.report(kLeftOut, "The limits of the disk " + target_ + " are left out.");
    return true;
  }

  // A drive's name is what the guest reads of a USB disk without a serial number; a node has none.
  void add_block_node(const std::string &format, const std::string &file, bool is_device) {
    const xml::Element *driver = disk_.child("driver");
    const std::string cache = attribute(driver, "cache");
    Keys node("driver=" + format);
    node.set("node-name", Word("drive-" + target_)).set("file.driver", is_device ? "host_device" : "file");
    node.set("file.filename", m_.file(file));
    if (disk_.child("readonly") != nullptr || kind_ == "cdrom") node.on("read-only");
    if (cache == "none" || cache == "directsync") node.on("cache.direct").on("file.cache.direct");
    node.set_some("discard", attribute(driver, "discard"));
    m_.option("-blockdev", node);
  }

  [[nodiscard]] Address address() const {
    Address out;
    const xml::Element *given = disk_.child("address");
    if (attribute(given, "type") == "drive") {
      out.controller = number(attribute(given, "controller")).value_or(0);
      out.bus = number(attribute(given, "bus")).value_or(0);
      out.target = number(attribute(given, "target")).value_or(0);
      out.unit = number(attribute(given, "unit")).value_or(0);
      return out;
    }
    // libvirt's rule for a disk without an address.
    const unsigned place = ordinal(target_);
    if (bus_ == "ide") {
      out.bus = place % 4 / 2;
      out.unit = place % 2;
    } else if (bus_ == "sata") {
      out.controller = place / 6;
      out.unit = place % 6;
    } else {
      out.controller = place / 7;
      out.unit = place % 7;
    }
    return out;
  }

  Keys keys_of_bus() {
    const Address at = address();
    const bool cd = kind_ == "cdrom";
    if (bus_ == "ide")
      return Keys(cd ? "ide-cd" : "ide-hd").set("bus", Word("ide." + std::to_string(at.bus))).set("unit", at.unit);
    if (bus_ == "sata") {
      const bool built_in = m_.q35 && at.controller == 0;
      return Keys(cd ? "ide-cd" : "ide-hd")
          .set("bus", Word((built_in ? std::string("ide") : "sata" + std::to_string(at.controller)) + "." +
                           std::to_string(at.unit)));
    }
    if (bus_ == "scsi") return scsi(at, cd);
    if (bus_ == "fdc") return Keys("floppy").set("bus", floppy_bus()).set("unit", at.unit);
    if (bus_ == "usb") {
      Keys keys("usb-storage");
      m_.place_usb(keys, disk_);
      const std::string removable = attribute(disk_.child("target"), "removable");
      return keys.on("removable", removable == "on");
    }
    if (bus_ == "virtio") return virtio();
    if (bus_ == "nvme") {
      Keys keys("nvme-ns");
      return keys.set("bus", Word("nvme" + std::to_string(at.controller))).set("nsid", std::uint64_t{at.unit} + 1);
    }
    left_out("its bus '" + bus_ + "' is not one that a script can have");
    return Keys("");
  }

  // q35 has no floppy controller of its own.
  [[nodiscard]] Word floppy_bus() {
    if (m_.q35 && m_.free_number("fdc") == 1) m_.option("-device", Keys("isa-fdc").set("id", "fdc0"));
    return m_.q35 ? "fdc0.0" : "floppy-bus.0";
  }

  Keys scsi(const Address &at, bool cd) {
    const std::string bus = "scsi" + std::to_string(at.controller) + ".0";
    Keys keys(cd ? "scsi-cd" : "scsi-hd");
    keys.set("bus", Word(bus));
    if (is_lsi(at.controller)) return keys.set("scsi-id", at.unit);
    return keys.set("channel", at.bus).set("scsi-id", at.target).set("lun", at.unit);
  }

  // The old controllers know no units below a target: libvirt's unit is the target there.
  [[nodiscard]] bool is_lsi(unsigned index) const {
    for (const xml::Element *controller : children(m_.devices, "controller")) {
      if (attribute(controller, "type") != "scsi" || number(attribute(controller, "index")) != index) continue;
      const std::string model = attribute(controller, "model");
      return model.empty() || model == "auto" || model == "lsilogic";
    }
    return true;
  }

  Keys virtio() {
    const std::string model = attribute(&disk_, "model");
    Keys keys(model == "virtio-transitional"       ? "virtio-blk-pci-transitional"
              : model == "virtio-non-transitional" ? "virtio-blk-pci-non-transitional"
                                                   : "virtio-blk-pci");
    const xml::Element *driver = disk_.child("driver");
    if (const std::string thread = attribute(driver, "iothread"); !thread.empty())
      keys.set("iothread", Word("iothread" + thread));
    keys.set_some("num-queues", attribute(driver, "queues"));
    m_.place_pci(keys, disk_);
    return keys;
  }

  void add_identity(Keys &device) {
    device.set("id", Word(m_.id(disk_, "disk-" + target_)));
    if (disk_.child("shareable") != nullptr) device.on("share-rw");
    if (bus_ == "fdc") return;
    const std::string serial = text_of(disk_.child("serial"));
    device.set_some("serial", bus_ == "nvme" ? "" : serial);
    if (bus_ == "scsi" && serial.empty()) {
      // By this name the guest lists the disk in /dev/disk/by-id; QEMU would take our drive's.
      const Address at = address();
      const std::string alias = "scsi" + std::to_string(at.controller) + "-" + std::to_string(at.bus) + "-" +
                                std::to_string(at.target) + "-" + std::to_string(at.unit);
      device.set("device_id", Word("drive-" + m_.id(disk_, alias)));
    }
    if (const std::string wwn = text_of(disk_.child("wwn")); !wwn.empty()) device.set("wwn", Word("0x" + wwn));
    device.set_some("vendor", text_of(disk_.child("vendor")));
    device.set_some("product", text_of(disk_.child("product")));
    if (kind_ == "disk" && bus_ != "virtio" && bus_ != "usb")
      device.set_some("rotation_rate", attribute(disk_.child("target"), "rotation_rate"));
    const std::string cache = attribute(disk_.child("driver"), "cache");
    if (!cache.empty() && has_drive_ && kind_ == "disk" && bus_ != "usb" && bus_ != "nvme")
      device.on("write-cache", cache == "writeback" || cache == "none" || cache == "unsafe");
    const xml::Element *blocks = disk_.child("blockio");
    device.set_some("logical_block_size", attribute(blocks, "logical_block_size"));
    device.set_some("physical_block_size", attribute(blocks, "physical_block_size"));
  }

  Maker &m_;
  const xml::Element &disk_;
  std::string target_, bus_, kind_;
  bool refused_ = false, has_drive_ = false;
};

}  // namespace

void add_disks(Maker &m) {
  const auto disks = children(m.devices, "disk");
  if (const auto threads = number(text_of(m.domain.child("iothreads")))) {
    m.group("threads for disks");
    for (unsigned i = 1; i <= *threads; ++i)
      m.option("-object", Keys("iothread").set("id", Word("iothread" + std::to_string(i))));
  }
  if (disks.empty()) return;
  m.group("disks");
  for (const xml::Element *disk : disks) DiskWriter(m, *disk).write();
}

}  // namespace ferry::script
