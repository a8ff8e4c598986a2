// SPDX-License-Identifier: Apache-2.0
// Immutable disks. VirtualBox runs a machine on a differencing image over the immutable one and, where that image is
// marked autoReset, empties it each time the machine is switched on; but not while the machine grew out of a snapshot
// that was taken of it running, because the image then has a part of that snapshot's state. Facts: VirtualBox's
// manual, "Special Image Write Modes", and how 6.1 and 7.1 start a machine.
#include <algorithm>

#include "importers/vbox/findings.hpp"
#include "importers/vbox/scope.hpp"

#include "support/text.hpp"

namespace ferry::vbox {
namespace {

bool grew_out_of_a_running_snapshot(const Machine &machine) {
  return machine.current_snapshot && machine.snapshots[*machine.current_snapshot].saved_state.has_value();
}

// Media that another file lists are not in this machine's ledger.
void settle(const Import &in, const ImageFile &image, std::string_view attribute, std::string_view note) {
  if (in.media == nullptr || !image.uuid) return;
  const RegisteredMedium *const listed = in.media->own().find(*image.uuid);
  if (listed != nullptr && listed->element) listed->element->settle(attribute, Disposition::dropped, note);
}

// Takes the image that will be emptied off the chain: the guest's next start sees what is below it.
void leave_behind(Import &in, Medium &medium) {
  const ImageFile image = std::move(medium.chain.back());
  medium.chain.pop_back();
  // That it is not there, or lies elsewhere, matters no longer.
  std::erase_if(in.findings, [&image](const Finding &finding) { return finding.where == image.origin; });
  in.find(kAutoReset, image.origin,
          "\"" + text::printable(image.declared_location) + "\" is left behind; the disk starts from " +
              text::printable(medium.chain.back().declared_location));
  for (const std::string_view attribute : {"uuid", "location", "format"}) {
    settle(in, image, attribute, "VirtualBox empties this image at the next start");
  }
}

}  // namespace

void apply_auto_reset(Import &in, bool keep) {
  const bool suspended = grew_out_of_a_running_snapshot(in.machine);
  for (Controller &controller : in.machine.hardware.controllers) {
    for (Drive &drive : controller.drives) {
      if (!drive.medium || !drive.medium->auto_reset || drive.medium->chain.size() < 2) continue;
      const ImageFile &image = drive.medium->chain.back();
      if (suspended) {
        drive.medium->auto_reset = false;
        settle(in, image, "autoReset", "the snapshot that was taken while running suspends it");
      } else if (keep) {
        drive.medium->auto_reset = false;
        settle(in, image, "autoReset", "what the image holds becomes a part of the disk, by --disk-changes keep");
        in.find(kAutoResetKept, image.origin,
                "\"" + text::printable(image.declared_location) + "\" becomes a part of the disk, as asked");
      } else {
        leave_behind(in, *drive.medium);
      }
    }
  }
}

}  // namespace ferry::vbox
