// SPDX-License-Identifier: Apache-2.0
#include "migration/guest_buses.hpp"

#include <algorithm>
#include <optional>

#include "migration/guest_fix.hpp"

namespace ferry::migration {
namespace {

// What is missing, as text; empty: nothing.
template <class Has>
std::string missing(const Drivers &drivers, const Has &has) {
  for (const std::vector<std::string> &group : drivers) {
    if (std::any_of(group.begin(), group.end(), has)) continue;
    std::string out;
    for (const std::string &name : group) out += (out.empty() ? "" : " or ") + name;
    return out;
  }
  return {};
}

// How the system on a disk gets on with a bus.
enum class Boots { now, after_fix, never };

Boots judge(const Observed &observed, const ObservedWindows &windows, const BusNeeds &bus, bool may_change) {
  const Drivers groups = groups_not_started(windows, bus);
  if (groups.empty()) return Boots::now;
  const bool fixable = may_change && start_at_boot(observed, windows, groups).why_not.empty();
  return fixable ? Boots::after_fix : Boots::never;
}

struct Judged {
  const BusNeeds *bus;
  Boots boots = Boots::now;
};

// Of all systems on the disk together; nullopt: nothing is known of what they start.
std::optional<std::vector<Judged>> judge_disk(const Observed &observed, std::size_t disk, bool may_change) {
  std::vector<Judged> out;
  for (const BusNeeds &bus : bus_needs()) out.push_back({&bus});
  bool any = false;
  const auto take = [&](const auto &judge_one) {
    any = true;
    for (Judged &one : out) one.boots = std::max(one.boots, judge_one(*one.bus));
  };
  for (const ObservedWindows &windows : observed.windows) {
    if (windows.disk != disk || windows.control_sets.empty()) continue;
    take([&](const BusNeeds &bus) { return judge(observed, windows, bus, may_change); });
  }
  for (const ObservedLinux &system : observed.linux_systems) {
    if (system.disk != disk || system.kernels.empty() || !system.kernels.front().examined) continue;
    take([&](const BusNeeds &bus) {
      return missing_drivers(system.kernels.front(), bus).empty() ? Boots::now : Boots::never;
    });
  }
  return any ? std::optional(std::move(out)) : std::nullopt;
}

std::vector<target::BootBus> buses_of(const std::vector<Judged> &judged) {
  std::vector<target::BootBus> out;
  for (const Boots boots : {Boots::now, Boots::after_fix}) {
    for (const Judged &one : judged) {
      if (one.boots == boots) out.push_back({one.bus->bus, one.bus->model, boots == Boots::after_fix});
    }
  }
  return out;
}

}  // namespace

const std::vector<BusNeeds> &bus_needs() {
  static const std::vector<BusNeeds> kNeeds{
      {"sata", "", "AHCI", {{"storahci", "msahci"}}, {{"ahci"}}},
      {"scsi", "virtio-scsi", "virtio-scsi", {{"vioscsi"}}, {{"virtio_scsi"}, {"virtio_pci"}}},
      {"ide", "", "IDE", {{"intelide", "pciide"}, {"atapi"}}, {{"ata_piix"}}},
      {"scsi", "lsisas1068", "LSI SAS 1068", {{"lsi_sas"}}, {{"mptsas"}}},
      {"scsi", "vmpvscsi", "VMware PVSCSI", {{"pvscsi"}}, {{"vmw_pvscsi"}}},
      {"virtio", "", "virtio", {{"viostor"}}, {{"virtio_blk"}, {"virtio_pci"}}},
      {"nvme", "", "NVMe", {{"stornvme"}}, {{"nvme"}}},
      {"scsi", "lsilogic", "LSI 53C895A", {{"sym_hi"}}, {{"sym53c8xx"}}}};
  return kNeeds;
}

const BusNeeds *needs_of(const std::string &bus, const std::string &model) {
  for (const BusNeeds &one : bus_needs()) {
    if (bus == one.bus && model == one.model) return &one;
  }
  return nullptr;
}

bool starts_at_boot(const ObservedWindows &windows, const std::string &service) {
  const auto &services = windows.control_sets.front().services;
  return std::any_of(services.begin(), services.end(),
                     [&](const ObservedService &one) { return one.name == service && one.starts_at_boot(); });
}

std::string missing_drivers(const ObservedWindows &windows, const BusNeeds &bus) {
  return missing(bus.windows, [&](const std::string &name) { return starts_at_boot(windows, name); });
}

std::string missing_drivers(const ObservedKernel &kernel, const BusNeeds &bus) {
  return missing(bus.linux_modules, [&](const std::string &name) {
    return std::find(kernel.drivers.begin(), kernel.drivers.end(), name) != kernel.drivers.end();
  });
}

Drivers groups_not_started(const ObservedWindows &windows, const BusNeeds &bus) {
  Drivers out = bus.windows;
  std::erase_if(out, [&](const std::vector<std::string> &group) {
    return std::any_of(group.begin(), group.end(), [&](const auto &name) { return starts_at_boot(windows, name); });
  });
  return out;
}

std::map<std::size_t, SeenDisk> disks_seen(const Observed &observed, GuestFixes choice,
                                           const std::set<std::size_t> &copied) {
  std::set<std::size_t> with_system;
  for (const ObservedWindows &one : observed.windows) with_system.insert(one.disk);
  for (const ObservedLinux &one : observed.linux_systems) with_system.insert(one.disk);
  std::map<std::size_t, SeenDisk> out;
  for (const std::size_t disk : with_system) {
    const bool may_change = choice != GuestFixes::off && copied.contains(disk);
    if (const auto judged = judge_disk(observed, disk, may_change)) out[disk].boots_from = buses_of(*judged);
  }
  if (with_system.empty()) return out;
  // What else there is goes where the first system's disk goes: its driver is loaded by then.
  const auto system = out.find(*with_system.begin());
  const auto first = system == out.end() ? std::vector<target::BootBus>{} : system->second.boots_from;
  for (const ObservedDisk &disk : observed.disks) {
    if (disk.problem.empty() && !with_system.contains(disk.number)) out[disk.number] = {first, true};
  }
  return out;
}

}  // namespace ferry::migration
