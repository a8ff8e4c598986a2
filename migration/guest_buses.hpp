// SPDX-License-Identifier: Apache-2.0
// Which drivers a guest needs to find its disk on a bus, and which buses the systems that were seen on a machine's
// disks boot from. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "exporters/target.hpp"
#include "migration/options.hpp"
#include "model/observed.hpp"

namespace ferry::migration {

// One of each group has to be there.
using Drivers = std::vector<std::vector<std::string>>;

struct BusNeeds {
  const char *bus, *model;  // target::Disk's
  const char *label;        // for people
  Drivers windows, linux_modules;
};
// The best first: those that every system knows before those that give disks other names.
[[nodiscard]] const std::vector<BusNeeds> &bus_needs();
// Null: nothing is known of it.
[[nodiscard]] const BusNeeds *needs_of(const std::string &bus, const std::string &model);

[[nodiscard]] bool starts_at_boot(const ObservedWindows &windows, const std::string &service);
// What of it the system does not start, as text: "storahci or msahci"; empty: it boots from that bus.
[[nodiscard]] std::string missing_drivers(const ObservedWindows &windows, const BusNeeds &bus);
[[nodiscard]] std::string missing_drivers(const ObservedKernel &kernel, const BusNeeds &bus);
// Those groups of which Windows starts none.
[[nodiscard]] Drivers groups_not_started(const ObservedWindows &windows, const BusNeeds &bus);

// What the system on a disk boots from.
struct SeenDisk {
  std::vector<target::BootBus> boots_from;  // empty: not known, or from nothing
  bool data_only = false;                   // no system of its own, and another disk has one
};
// By the disk's number. `copied`: those that are copied; others cannot be changed.
[[nodiscard]] std::map<std::size_t, SeenDisk> disks_seen(const Observed &observed, GuestFixes choice,
                                                         const std::set<std::size_t> &copied);

}  // namespace ferry::migration
