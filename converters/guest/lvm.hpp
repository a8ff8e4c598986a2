// SPDX-License-Identifier: Apache-2.0
// Logical volumes of LVM2: which parts of which physical volumes they are.
//
// Facts: lvm2's own description of its metadata (man lvmsystemid, pvck(8) --dump; the comments of
// lib/format_text/layout.h and libdm/misc): a label in one of the first four sectors, areas of metadata in a circular
// buffer, a text of sections and values. Tried with volumes that lvm2 2.03 made.
#pragma once

#include <string>
#include <vector>

#include "converters/guest/source.hpp"

namespace ferry::guest {

struct PhysicalVolume {
  SourcePtr content;
  std::string problem = {};  // why nothing is known of what is in it: a clause
};

struct LogicalVolume {
  std::string name;          // "debian/root": its group's and its own; letters, digits and what else lvm2 allows
  std::size_t physical = 0;  // the physical volume that it begins on: its index
  SourcePtr content;         // null when it cannot be read
  std::string problem = {};  // why: a clause
};

// Of all disks of a machine. Sets the problems of `physical`; throws only when there is no memory.
[[nodiscard]] std::vector<LogicalVolume> read_logical_volumes(std::vector<PhysicalVolume> &physical);

}  // namespace ferry::guest
