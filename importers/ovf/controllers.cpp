// SPDX-License-Identifier: Apache-2.0
// Storage controllers: ResourceType 5 (IDE), 6 (parallel SCSI and what exporters put there), 20 (SATA, NVMe, VirtIO).
// Both VMware and VirtualBox write one Item for each IDE channel; a guest sees one controller with two channels.
#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "importers/ovf/item.hpp"

namespace ferry::ovf {
namespace {

struct Subtype {
  std::string_view name;  // lower case
  ControllerType type;
  int rank;  // where a package offers several: the lower one is nearer to what QEMU has
};
// ResourceSubType values of VMware's and VirtualBox's exporters, and of hand-written packages.
constexpr std::array<Subtype, 21> kSubtypes{{
    {"virtio", ControllerType::virtio_scsi, 0},
    {"virtio-scsi", ControllerType::virtio_scsi, 0},
    {"virtioscsi", ControllerType::virtio_scsi, 0},
    {"virtualscsi", ControllerType::pvscsi, 1},
    {"pvscsi", ControllerType::pvscsi, 1},
    {"vmware.scsi.pvscsi", ControllerType::pvscsi, 1},
    {"ahci", ControllerType::ahci, 2},
    {"sata", ControllerType::ahci, 2},
    {"vmware.sata.ahci", ControllerType::ahci, 2},
    {"lsilogicsas", ControllerType::lsilogic_sas, 3},
    {"vmware.nvme.controller", ControllerType::nvme, 4},
    {"nvme", ControllerType::nvme, 4},
    {"lsilogic", ControllerType::lsilogic, 5},
    {"buslogic", ControllerType::buslogic, 6},
    {"piix3", ControllerType::ide_piix3, 1},
    {"piix4", ControllerType::ide_piix4, 1},
    {"ich6", ControllerType::ide_ich6, 1},
    {"ide", ControllerType::ide_piix4, 2},
    {"usb", ControllerType::usb_storage, 4},
    {"vmware.usb.storage", ControllerType::usb_storage, 4},
    {"lsisas1068", ControllerType::lsilogic_sas, 3},
}};

ControllerType usual(Context &in, const Item &item) {
  if (item.is(Resource::ide)) {
    if (in.platform == Platform::vmware) return ControllerType::ide_vmware;
    return in.platform == Platform::virtualbox ? ControllerType::ide_piix4 : ControllerType::ide_piix3;
  }
  return item.is(Resource::scsi) ? ControllerType::lsilogic : ControllerType::ahci;
}

ControllerType type_of(Context &in, const Item &item) {
  const Subtype *best = nullptr;
  std::size_t known = 0;
  for (const std::string &name : item.subtypes()) {
    for (const Subtype &candidate : kSubtypes) {
      if (candidate.name != name || (item.is(Resource::ide) && !is_ide(candidate.type))) continue;
      ++known;
      if (best == nullptr || candidate.rank < best->rank) best = &candidate;
    }
  }
  const Place where = item.reader().place();
  if (best == nullptr) {
    // IDE without a model is the rule, not a doubt.
    if (!item.is(Resource::ide) || !item.subtypes().empty()) {
      in.raise(finding::kSubtypeUnknown, where,
               item.label() +
                   (item.subtypes().empty() ? " names no model"
                                            : " is of the unknown model " + in_quotes(item.subtypes()[0])) +
                   "; the usual one of its kind is used");
    }
    return usual(in, item);
  }
  if (known > 1) {
    in.raise(finding::kHardwareChoice, where,
             item.label() + " may be one of several models; " + in_quotes(best->name) + " is used");
  }
  if (best->type == ControllerType::ide_piix4 && in.platform == Platform::vmware) return ControllerType::ide_vmware;
  return best->type;
}

std::string_view bus_name(ControllerType type) {
  switch (type) {
    case ControllerType::ahci: return "sata";
    case ControllerType::nvme: return "nvme";
    case ControllerType::usb_storage: return "usb";
    case ControllerType::floppy: return "floppy";
    case ControllerType::ide_piix3:
    case ControllerType::ide_piix4:
    case ControllerType::ide_ich6:
    case ControllerType::ide_vmware: return "ide";
    default: return "scsi";
  }
}

// The second IDE Item of a pair (Addresses 0 and 1, 2 and 3) is the other channel of the controller before it.
bool join_ide(Context &in, const Item &item, ControllerType type) {
  if (!is_ide(type) || in.controller_places.empty()) return false;
  const auto &controllers = in.machine.hardware.controllers;
  const auto last = std::find_if(in.controller_places.rbegin(), in.controller_places.rend(),
                                 [&](const auto &place) { return is_ide(controllers[place.index].type); });
  if (last == in.controller_places.rend()) return false;
  const ControllerPlace first = *last;
  const auto channels = std::count_if(in.controller_places.begin(), in.controller_places.end(),
                                      [&](const auto &place) { return place.index == first.index; });
  const unsigned bus = item.number("Address").value_or(first.bus ^ 1U);
  if (channels != 1 || bus / 2 != first.bus / 2) return false;
  const std::string field = "hardware.controllers." + std::to_string(first.index);
  in.controller_places.push_back({item.instance(), first.index, 1 - first.channel, bus});
  item.take_identity(field);
  item.take("ResourceSubType", field + ".type");
  item.take("Address", field + ".index");
  return true;
}

void add_controller(Context &in, const Item &item, ControllerType type) {
  if (join_ide(in, item, type)) return;
  auto &controllers = in.machine.hardware.controllers;
  const std::string field = "hardware.controllers." + std::to_string(controllers.size());
  Controller controller;
  controller.type = type;
  controller.origin = item.reader().place();
  controller.index = static_cast<unsigned>(std::count_if(controllers.begin(), controllers.end(),
                                                         [&](const Controller &other) { return other.type == type; }));
  const auto same_bus =
      static_cast<unsigned>(std::count_if(controllers.begin(), controllers.end(),
                                          [&](const auto &other) { return bus_name(other.type) == bus_name(type); }));
  const unsigned bus = item.number("Address").value_or(item.number("BusNumber").value_or(same_bus));
  controller.name = std::string(bus_name(type)) + (is_ide(type) ? std::to_string(same_bus) : std::to_string(bus));
  item.take_identity(field);
  item.take("ResourceSubType", field + ".type");
  item.take("Address", field + ".index");
  read_controller_config(in, item, controller, field);
  // VirtualBox 3 numbers its only IDE Item 1, and means the controller with both channels.
  const unsigned channel = is_ide(type) && in.platform != Platform::virtualbox ? bus % 2 : 0;
  in.controller_places.push_back({item.instance(), controllers.size(), channel, bus});
  controllers.push_back(std::move(controller));
}

bool is_controller(const Item &item) {
  const bool nvdimm = item.has_subtype("vmware.nvdimm.controller") || item.has_subtype("vmware.nvdimm.device");
  // "Other storage" with a backing is a drive, see drives.cpp.
  const bool drive = item.is(Resource::other_storage) && item.text("HostResource").has_value();
  return item.is(Resource::ide) || item.is(Resource::scsi) || (item.is(Resource::other_storage) && !nvdimm && !drive);
}

// The order of the buses in the model, as the other importers have them. With hard disks on SATA it comes before SCSI:
// the turns of the BIOS, which number the disks.
unsigned bus_order(ControllerType type, bool sata_disks) {
  constexpr std::array<std::string_view, 5> kBuses{"ide", "scsi", "sata", "nvme", "usb"},
      kTurns{"ide", "sata", "scsi", "nvme", "usb"};
  const auto &buses = sata_disks ? kTurns : kBuses;
  return static_cast<unsigned>(std::find(buses.begin(), buses.end(), bus_name(type)) - buses.begin());
}

// The InstanceIDs of the controllers that hard disks are on.
std::set<std::string> parents_of_disks(const std::vector<Item> &items) {
  std::set<std::string> out;
  for (const Item &item : items) {
    if (const auto parent = item.is(Resource::disk) ? item.text("Parent") : std::nullopt) out.insert(*parent);
  }
  return out;
}

// One controller's Item, and what decides its place among the others.
struct Found {
  const Item *item = nullptr;
  ControllerType type{};
  unsigned bus = 0, number = 0;
};

}  // namespace

// A controller's number on its bus is its Address; the order of the Items says nothing: vCenter writes SCSI 3, 2, 1, 0.
void add_controllers(Context &in, const std::vector<Item> &items) {
  std::vector<Found> found;
  for (const Item &item : items) {
    if (!is_controller(item)) continue;
    const ControllerType type = type_of(in, item);
    const auto before = static_cast<unsigned>(std::count_if(
        found.begin(), found.end(), [&](const Found &other) { return bus_name(other.type) == bus_name(type); }));
    const unsigned number = item.number("Address").value_or(item.number("BusNumber").value_or(before));
    found.push_back({&item, type, 0, number});
  }
  const std::set<std::string> parents = parents_of_disks(items);
  const bool sata_disks = std::any_of(found.begin(), found.end(), [&](const Found &one) {
    return one.type == ControllerType::ahci && parents.contains(one.item->text("InstanceID").value_or(""));
  });
  for (Found &one : found) one.bus = bus_order(one.type, sata_disks);
  std::stable_sort(found.begin(), found.end(), [](const Found &a, const Found &b) {
    return std::pair(a.bus, a.number) < std::pair(b.bus, b.number);
  });
  for (const Found &controller : found) add_controller(in, *controller.item, controller.type);
}

}  // namespace ferry::ovf
