// SPDX-License-Identifier: Apache-2.0
// Each disk is a DataVolume that an upload fills. Buses are sata, scsi (virtio-scsi), virtio and usb; there is no IDE.
#include <algorithm>
#include <array>
#include <optional>

#include "exporters/kubevirt/mapping.hpp"
#include "model/names.hpp"

#include "support/text.hpp"

namespace ferry::kubevirt {
namespace {

constexpr std::size_t kMostOfASerial = 256;  // characters

struct Bus {
  std::string name, model;  // as target::Disk's
  friend bool operator==(const Bus &, const Bus &) = default;
};

const Bus kSata{"sata", ""}, kScsi{"scsi", "virtio-scsi"}, kVirtio{"virtio", ""}, kUsb{"usb", ""};

std::optional<Bus> same_bus(ControllerType type) {
  switch (type) {
    case ControllerType::ahci: return kSata;
    case ControllerType::virtio_scsi: return kScsi;
    case ControllerType::virtio_blk: return kVirtio;
    case ControllerType::usb_storage: return kUsb;
    default: return std::nullopt;
  }
}

Bus asked_bus(target::DiskBus bus) {
  switch (bus) {
    case target::DiskBus::sata: return kSata;
    case target::DiskBus::scsi: return kScsi;
    case target::DiskBus::virtio: return kVirtio;
    case target::DiskBus::usb: return kUsb;
    case target::DiskBus::ide:
    case target::DiskBus::nvme: break;
  }
  throw Error(ErrorKind::usage, {.message = "--disk-bus: KubeVirt has no such bus",
                                 .found = std::string(to_string(bus)),
                                 .expected = "sata, scsi, virtio or usb"});
}

// What the guest was seen to boot from goes before what is only like it.
Bus bus_of(const Mapping &m, const Controller &controller, const target::Medium &medium) {
  if (m.input.options.disk_bus) return asked_bus(*m.input.options.disk_bus);
  const std::optional<Bus> same = same_bus(controller.type);
  if (same) return *same;
  for (const target::BootBus &seen : medium.boots_from) {
    for (const Bus &bus : {kSata, kVirtio, kScsi}) {
      if (seen.bus == bus.name && (bus.model.empty() || seen.model == bus.model)) return bus;
    }
  }
  return kSata;
}

bool is_serial(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '+' || c == '-';
  };
  return !text.empty() && text.size() <= kMostOfASerial && std::all_of(text.begin(), text.end(), fits);
}

class Disks {
 public:
  explicit Disks(Mapping &m) : m_(m) {}

  void add(const target::Medium &medium) {
    const Controller &controller = m_.hardware.controllers[medium.controller];
    const Drive &drive = controller.drives[medium.drive];
    const std::string field = field_at(field_at("controllers", medium.controller) + ".drives", medium.drive);
    const std::string name = "disk" + std::to_string(++count_), claim = m_.input.identity.name + "-" + name;
    const Bus bus = bus_of(m_, controller, medium);
    tell_bus(controller, drive, field, bus);
    Json disk = {{"name", name}, {"disk", {{"bus", bus.name}}}};
    if (stays_read_only(medium, drive, bus)) disk["disk"]["readonly"] = true;
    if (const std::string serial = serial_of(drive, field); !serial.empty()) disk["serial"] = serial;
    if (medium.shareable) disk["shareable"] = true;
    disks_.push_back(std::move(disk));
    m_.volumes.push_back({{"name", name}, {"dataVolume", {{"name", claim}}}});
    m_.data_volumes.push_back(data_volume(claim, medium.virtual_size));
    m_.uploads.push_back("virtctl image-upload --no-create --image-path=" + text::shell_word(medium.file.string()) +
                         " dv " + claim);
    m_.result.disks.push_back(
        {.controller = medium.controller, .drive = medium.drive, .target = name, .bus = bus.name, .model = bus.model});
  }

  void finish() {
    if (!disks_.empty()) m_.devices["disks"] = std::move(disks_);
  }

 private:
  void tell_bus(const Controller &controller, const Drive &drive, const std::string &field, const Bus &bus) {
    const std::string shown = bus.model.empty() ? bus.name : bus.model;
    m_.translate(field, "a volume of its own on " + shown);
    if (same_bus(controller.type) == bus) return;
    m_.raise(kBusChanged, drive.origin,
             "Disk " + std::to_string(count_) + " was on " + std::string(to_string(controller.type)) + " and is on " +
                 shown + ".");
  }

  // QEMU's ATA and USB disks can be written always, and nothing forgets what was written to a volume.
  bool stays_read_only(const target::Medium &medium, const Drive &drive, const Bus &bus) {
    const bool possible = bus == kScsi || bus == kVirtio;
    if (medium.read_only && possible) return true;
    if (medium.read_only || medium.transient)
      m_.raise(kDiskWritable, drive.origin,
               "Disk " + std::to_string(count_) + (medium.read_only ? " was read-only" : " forgot its changes") +
                   "; the guest can write to it, and its changes stay.");
    return false;
  }

  std::string serial_of(const Drive &drive, const std::string &field) {
    if (!drive.serial || drive.serial->empty()) return {};
    if (is_serial(*drive.serial)) {
      m_.keep(field + ".serial");
      return *drive.serial;
    }
    m_.drop(field + ".serial", "KubeVirt takes letters, digits and _.+- only");
    m_.raise(kSerialNumber, drive.origin,
             "Disk " + std::to_string(count_) + " loses its serial number '" + text::printable(*drive.serial) + "'.");
    return {};
  }

  // The annotation: a storage class that waits for its first consumer would wait for the machine, and the upload for
  // it.
  static Json data_volume(const std::string &name, std::uint64_t bytes) {
    return {
        {"apiVersion", "cdi.kubevirt.io/v1beta1"},
        {"kind", "DataVolume"},
        {"metadata", {{"name", name}, {"annotations", {{"cdi.kubevirt.io/storage.bind.immediate.requested", "true"}}}}},
        {"spec",
         {{"source", {{"upload", Json::object()}}},
          {"storage", {{"resources", {{"requests", {{"storage", std::to_string(bytes)}}}}}}}}}};
  }

  Mapping &m_;
  Json disks_ = Json::array();
  std::size_t count_ = 0;
};

const target::Medium *medium_of(const Mapping &m, std::size_t controller, std::size_t drive) {
  const auto found = std::find_if(m.input.media.begin(), m.input.media.end(), [&](const target::Medium &medium) {
    return medium.controller == controller && medium.drive == drive;
  });
  return found == m.input.media.end() ? nullptr : &*found;
}

}  // namespace

void map_disks(Mapping &m) {
  Disks disks(m);
  std::size_t removable = 0;
  for (std::size_t i = 0; i < m.hardware.controllers.size(); ++i) {
    const Controller &controller = m.hardware.controllers[i];
    m.translate(field_at("controllers", i), "KubeVirt adds a controller for each bus that has disks");
    for (std::size_t j = 0; j < controller.drives.size(); ++j) {
      const Drive &drive = controller.drives[j];
      const std::string field = field_at(field_at("controllers", i) + ".drives", j);
      if (drive.kind != DriveKind::disk) {
        ++removable;
        m.drop(field, "CD and floppy drives are left out");
      } else if (const target::Medium *medium = medium_of(m, i, j)) {
        disks.add(*medium);
      } else if (drive.host_device) {
        m.drop(field, "a device of the old host");
        m.raise(kDeviceDropped, drive.origin,
                "A drive is left out: it is the device " + text::printable(*drive.host_device) + " of the old host.");
      }
    }
  }
  disks.finish();
  if (removable > 0)
    m.raise(kRemovableDropped, m.machine.origin,
            removable == 1 ? "A CD or floppy drive is left out."
                           : std::to_string(removable) + " CD and floppy drives are left out.");
}

}  // namespace ferry::kubevirt
