// SPDX-License-Identifier: Apache-2.0
// What the settings say of disks that no drive says: disks that the registry lists and no drive holds, and that
// VirtualBox waited for the password of one.
#include <algorithm>
#include <set>

#include "importers/vbox/findings.hpp"
#include "importers/vbox/location.hpp"
#include "importers/vbox/scope.hpp"

#include "support/file_names.hpp"
#include "support/reach.hpp"
#include "support/text.hpp"

namespace ferry::vbox {
namespace {

void add_media(const Hardware &hardware, std::set<Uuid> &out) {
  for (const Controller &controller : hardware.controllers) {
    for (const Drive &drive : controller.drives) {
      if (!drive.medium) continue;
      for (const ImageFile &image : drive.medium->chain) {
        if (image.uuid) out.insert(*image.uuid);
      }
    }
  }
}

// A differencing image in another folder is a linked clone's, which VirtualBox lists with its base.
bool is_ours(const RegisteredMedium &medium) {
  if (medium.kind != MediumKind::disk || !medium.element) return false;
  if (!medium.parent) return true;
  const names::Found found = names::find(medium.location, medium.folder);
  return found.file && reach::below(*found.file, medium.folder);
}

bool is_set(std::string_view value) {
  return !text::trim(value).empty() && text::trim(value) != "0" && !text::iequals_ascii(text::trim(value), "false");
}

}  // namespace

void report_unused_disks(Import &in) {
  if (in.media == nullptr) return;
  std::set<Uuid> used;
  add_media(in.machine.hardware, used);
  for (const Snapshot &snapshot : in.machine.snapshots) add_media(snapshot.hardware, used);
  for (const auto &[uuid, medium] : in.media->own().all()) {
    if (used.contains(uuid) || !is_ours(medium)) continue;
    in.find(kDiskUnused, medium.origin,
            "the disk \"" + text::printable(medium.location) + "\" of the machine's registry is in none of its drives");
  }
}

void report_locked_disks(Import &in, const SettingsReader &machine) {
  const auto hardware = machine.child("Hardware");
  for (const SettingsReader *holder : {&machine, hardware ? &*hardware : nullptr}) {
    const auto list = holder == nullptr ? std::nullopt : holder->child("GuestProperties");
    if (!list) continue;
    for (const SettingsReader &property : list->children("GuestProperty")) {
      const std::string *name = property.element().attribute("name");
      const std::string *value = property.element().attribute("value");
      if (name == nullptr || value == nullptr || *name != "/VirtualBox/HostInfo/DekMissing" || !is_set(*value))
        continue;
      in.find(kDiskLocked, property.place("value"), "VirtualBox waited for the password of an encrypted disk");
    }
  }
}

}  // namespace ferry::vbox
