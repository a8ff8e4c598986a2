// SPDX-License-Identifier: Apache-2.0
// Drives: ResourceType 14 (floppy), 15 and 16 (CD, DVD), 17 (disk), and disks under the storage types of OVF 2.x
// (19, 20, 31, 32). Parent and AddressOnParent say where they sit.
#include <algorithm>
#include <tuple>
#include <utility>

#include "importers/ovf/item.hpp"
#include "importers/ovf/ovirt.hpp"
#include "importers/ovf/units.hpp"

namespace ferry::ovf {
namespace {

// The SCSI adapter's own id on a parallel bus (and VMware keeps it free on all its SCSI adapters).
constexpr unsigned kScsiHostId = 7;

bool is_scsi(ControllerType type) {
  return type == ControllerType::lsilogic || type == ControllerType::lsilogic_sas || type == ControllerType::buslogic ||
         type == ControllerType::pvscsi || type == ControllerType::virtio_scsi;
}

unsigned ports_of(ControllerType type) {
  switch (type) {
    case ControllerType::ahci: return 30;
    case ControllerType::lsilogic:
    case ControllerType::buslogic: return 16;
    case ControllerType::pvscsi: return 65;
    case ControllerType::floppy: return 2;
    default: return 256;
  }
}

struct Spot {
  unsigned port = 0, device = 0;
};

// A drive's Item and the place that it gets; the drives are made in the order of their places, not of the Items.
struct Placed {
  const Item *item = nullptr;
  std::size_t controller = 0;  // index in the model
  Spot spot;
};

// The places that are given away.
using Taken = std::vector<Placed>;

bool is_free(const Taken &taken, std::size_t controller, const Spot &spot) {
  return std::none_of(taken.begin(), taken.end(), [&](const Placed &other) {
    return other.controller == controller && other.spot.port == spot.port && other.spot.device == spot.device;
  });
}

bool is_usable(const Controller &controller, const Spot &spot) {
  if (is_ide(controller.type)) return spot.port < 2 && spot.device < 2;
  if (is_scsi(controller.type) && controller.type != ControllerType::virtio_scsi && spot.port == kScsiHostId)
    return false;
  return spot.port < ports_of(controller.type) && spot.device == 0;
}

std::optional<Spot> next_free(const Context &in, const Taken &taken, std::size_t index) {
  const Controller &controller = in.machine.hardware.controllers[index];
  for (unsigned unit = 0; unit < ports_of(controller.type); ++unit) {
    const Spot spot = is_ide(controller.type) ? Spot{unit / 2, unit % 2} : Spot{unit, 0};
    if (is_ide(controller.type) && unit > 3) break;
    if (is_usable(controller, spot) && is_free(taken, index, spot)) return spot;
  }
  return std::nullopt;
}

std::size_t floppy_controller(Context &in) {
  auto &controllers = in.machine.hardware.controllers;
  const auto hit = std::find_if(controllers.begin(), controllers.end(),
                                [](const Controller &controller) { return controller.type == ControllerType::floppy; });
  if (hit != controllers.end()) return static_cast<std::size_t>(hit - controllers.begin());
  Controller controller;
  controller.type = ControllerType::floppy;
  controller.name = "floppy";
  controllers.push_back(std::move(controller));
  return controllers.size() - 1;
}

// Where a drive goes that does not say: the first controller that has room, else a new SATA controller.
std::size_t any_controller(Context &in, const Taken &taken) {
  auto &controllers = in.machine.hardware.controllers;
  for (std::size_t i = 0; i < controllers.size(); ++i) {
    if (controllers[i].type != ControllerType::floppy && next_free(in, taken, i)) return i;
  }
  Controller controller;
  controller.type = ControllerType::ahci;
  controller.name = "sata0";
  controller.index = static_cast<unsigned>(std::count_if(
      controllers.begin(), controllers.end(), [](const auto &other) { return other.type == ControllerType::ahci; }));
  controllers.push_back(std::move(controller));
  return controllers.size() - 1;
}

struct Seat {
  std::size_t controller = 0;
  std::optional<Spot> wanted;
};

// AddressOnParent as a number; "0:1" means unit 1.
std::optional<unsigned> unit_of(const Item &item) {
  const auto text = item.text("AddressOnParent");
  if (!text) return std::nullopt;
  const std::size_t colon = text->rfind(':');
  if (colon == std::string::npos) return item.number("AddressOnParent");
  unsigned unit = 0;
  for (const char c : text->substr(colon + 1)) {
    if (c < '0' || c > '9' || unit > 1000) return std::nullopt;
    unit = unit * 10 + static_cast<unsigned>(c - '0');
  }
  return unit;
}

Seat seat_of(Context &in, const Item &item, const Taken &taken) {
  const auto unit = unit_of(item);
  if (item.is(Resource::floppy)) return {floppy_controller(in), unit ? std::optional(Spot{*unit, 0}) : std::nullopt};
  if (in.platform == Platform::ovirt) return {ovirt_controller(in, item), std::nullopt};
  const std::string parent = item.text("Parent").value_or("");
  const auto place =
      std::find_if(in.controller_places.begin(), in.controller_places.end(),
                   [&](const ControllerPlace &other) { return !parent.empty() && other.instance == parent; });
  if (place == in.controller_places.end()) {
    in.raise(
        finding::kParentMissing, item.reader().place(),
        item.label() +
            (parent.empty() ? " names no controller" : " names " + in_quotes(parent) + ", which is not a controller") +
            "; the next free place is used");
    return {any_controller(in, taken), std::nullopt};
  }
  const Controller &controller = in.machine.hardware.controllers[place->index];
  if (!unit) return {place->index, std::nullopt};
  // VirtualBox and old exporters count all four IDE units through one Item.
  if (is_ide(controller.type)) {
    return {place->index, *unit < 2 ? Spot{place->channel, *unit} : Spot{*unit / 2, *unit % 2}};
  }
  return {place->index, Spot{*unit, 0}};
}

// Finds the drive's place and makes room for it; the controller may change when it is full.
Spot place_drive(Context &in, const Item &item, const Taken &taken, Seat &seat) {
  const auto &controllers = in.machine.hardware.controllers;
  if (seat.wanted && is_usable(controllers[seat.controller], *seat.wanted) &&
      is_free(taken, seat.controller, *seat.wanted)) {
    return *seat.wanted;
  }
  auto spot = next_free(in, taken, seat.controller);
  // VirtualBox 3 gives only the device, and means the other channel for the second one of that number.
  if (seat.wanted && is_ide(controllers[seat.controller].type)) {
    const Spot other{seat.wanted->port ^ 1U, seat.wanted->device};
    if (is_usable(controllers[seat.controller], other) && is_free(taken, seat.controller, other)) spot = other;
  }
  if (!spot) {
    seat.controller = any_controller(in, taken);
    spot = next_free(in, taken, seat.controller);
  }
  if (seat.wanted) {
    in.raise(finding::kAddressTaken, item.reader().place(),
             item.label() + " cannot have the address " + in_quotes(item.text("AddressOnParent").value_or("")) +
                 " of its controller; it is given unit " + std::to_string(spot->port) + ":" +
                 std::to_string(spot->device));
  }
  return *spot;
}

bool is_disk(const Item &item) {
  return item.is(Resource::disk) || item.is(Resource::logical_disk) || item.is(Resource::storage_volume) ||
         item.is(Resource::storage_extent) || (item.is(Resource::other_storage) && item.text("HostResource"));
}

bool is_cd(const Item &item) { return item.is(Resource::cd) || item.is(Resource::dvd); }

// A disk that only has a size: StorageItem with units (OVF 2.x) or vCloud's attributes on HostResource.
Medium blank_medium(Context &in, const Item &item, const std::string &field) {
  Medium medium;
  medium.origin = item.reader().place();
  ImageFile image;
  image.origin = medium.origin;
  image.blank = true;
  image.declared_location = item.text("ElementName").value_or(item.instance());
  if (const auto units = item.text("AllocationUnits")) {
    const auto unit = bytes_per_unit(*units);
    const auto amount = item.text(item.text("Reservation") ? "Reservation" : "VirtualQuantity");
    if (unit && amount) image.declared_capacity = to_bytes(*amount, *unit);
    item.take("AllocationUnits", field);
    item.take(item.text("Reservation") ? "Reservation" : "VirtualQuantity", field + ".chain.0.declared_capacity");
  }
  if (const auto resource = item.reader().child("HostResource")) {
    if (const auto megabytes = peek_attribute(*resource, "capacity")) {
      image.declared_capacity = to_bytes(*megabytes, std::uint64_t{1} << 20U);
      (void)resource->text("capacity", field + ".chain.0.declared_capacity");
    }
  }
  in.raise(finding::kBlankDisk, medium.origin, item.label() + " has no image in the package; an empty one is created");
  medium.chain.push_back(std::move(image));
  return medium;
}

// What stands behind a removable drive on the source when it is no image.
void set_backing(const Item &item, Drive &drive, const std::string &field) {
  for (const std::string &subtype : item.subtypes()) {
    const bool remote = subtype.find(".remote") != std::string::npos;
    const bool image = subtype.ends_with(".iso") || subtype.ends_with(".image");
    if (!subtype.starts_with("vmware.") || image) continue;
    if (remote) {
      drive.client_device = subtype;
    } else if (!drive.medium) {
      drive.host_device = "auto";
    }
  }
  item.take("ResourceSubType", field + (drive.client_device ? ".client_device" : ".host_device"));
}

// A third floppy drive has no place anywhere.
bool fits(Context &in, const Item &item, const Taken &taken, const Seat &seat) {
  if (!item.is(Resource::floppy) || next_free(in, taken, seat.controller)) return true;
  in.raise(finding::kDeviceDropped, item.reader().place(), item.label() + " is one floppy drive too many");
  item.reader().settle_all(Disposition::dropped, "a machine has two floppy drives at most");
  return false;
}

void add_drive(Context &in, const Placed &placed) {
  const Item &item = *placed.item;
  const Spot &spot = placed.spot;
  Controller &controller = in.machine.hardware.controllers[placed.controller];
  const std::string field = "hardware.controllers." + std::to_string(placed.controller) + ".drives." +
                            std::to_string(controller.drives.size());
  Drive drive;
  drive.kind = is_disk(item) ? DriveKind::disk : is_cd(item) ? DriveKind::cdrom : DriveKind::floppy;
  drive.port = spot.port;
  drive.device = spot.device;
  drive.origin = item.reader().place();
  item.take_identity(field);
  item.take("Parent", field + ".port");
  item.take("AddressOnParent", field + ".port");
  if (const auto resource = item.text("HostResource")) {
    item.take("HostResource", field + ".medium");
    drive.medium = medium_of(in, *resource, item.reader().place(), field + ".medium");
    if (ImageFile &image = drive.medium->chain.back();
        image.declared_format == ImageFormat::unknown && !is_disk(item)) {
      image.declared_format = is_cd(item) ? ImageFormat::iso : ImageFormat::raw;
    }
  } else if (is_disk(item)) {
    drive.medium = blank_medium(in, item, field + ".medium");
  }
  if (!is_disk(item)) {
    set_backing(item, drive, field);
    drive.connected_at_start = item.boolean("AutomaticAllocation").value_or(true);
    item.take("AutomaticAllocation", field + ".connected_at_start");
  } else {
    item.take("ResourceSubType", field + ".kind");
  }
  if (!item.instance().empty()) {
    in.drive_of[item.instance()] = field;
    in.boot_name_of[item.instance()] = is_ide(controller.type) ? "ide" + std::to_string(spot.port + controller.index) +
                                                                     ":" + std::to_string(spot.device)
                                                               : controller.name + ":" + std::to_string(spot.port);
  }
  controller.drives.push_back(std::move(drive));
}

}  // namespace

void add_drives(Context &in, const std::vector<Item> &items) {
  const auto nvdimm = [](const Item &item) { return item.has_subtype("vmware.nvdimm.device"); };
  Taken taken;
  // Those that say where they sit go first, so that nobody else takes their place.
  for (const bool placed : {true, false}) {
    for (const Item &item : items) {
      if (!is_disk(item) && !is_cd(item) && !item.is(Resource::floppy)) continue;
      const bool says = item.is(Resource::floppy) || (item.text("Parent") && item.text("AddressOnParent"));
      if (nvdimm(item) || says != placed) continue;
      Seat seat = seat_of(in, item, taken);
      if (!fits(in, item, taken, seat)) continue;
      const Spot spot = place_drive(in, item, taken, seat);
      taken.push_back({&item, seat.controller, spot});
    }
  }
  std::stable_sort(taken.begin(), taken.end(), [](const Placed &a, const Placed &b) {
    return std::tuple(a.controller, a.spot.port, a.spot.device) < std::tuple(b.controller, b.spot.port, b.spot.device);
  });
  for (const Placed &drive : taken) add_drive(in, drive);
}

}  // namespace ferry::ovf
