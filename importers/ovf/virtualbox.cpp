// SPDX-License-Identifier: Apache-2.0
// VirtualBox writes the complete machine settings into each VirtualSystem of its packages (all OVF versions). They
// know what OVF cannot say: MAC addresses, firmware, chipset, boot order, slots. Media are found by the identity that
// DiskSection gives in vbox:uuid. Known deviants: an ISO that was left out at export is still attached here.
#include "importers/ovf/virtualbox.hpp"

#include <algorithm>

#include "importers/vbox/vbox.hpp"

namespace ferry::ovf {
namespace {

// Joins what another ledger recorded to this one.
void append(Ledger &to, const Ledger &from) {
  for (const LedgerEntry &entry : from.entries()) {
    const Ledger::Id id = to.enter(entry.where, entry.value);
    if (!entry.field.empty()) to.take(id, entry.field);
    if (entry.disposition != Disposition::unknown && entry.disposition != Disposition::unsettled) {
      to.settle(id, entry.disposition, entry.note);
    } else if (entry.disposition == Disposition::unknown && entry.where.path.ends_with("/Machine/Info")) {
      to.settle(id, Disposition::irrelevant, "a text for people");  // OVF's, not VirtualBox's
    }
  }
}

void enter_dropped(const xml::Element &element, const Place &place, Ledger &ledger) {
  constexpr std::string_view kNote = "VirtualBox's own description could not be read; see the findings";
  for (const xml::Attribute &attr : element.attributes) {
    const auto id = ledger.enter({place.file, element.line, element.path + "/@" + attr.name}, "");
    ledger.hide(id);  // may be a password: nobody looked
    ledger.settle(id, Disposition::dropped, kNote);
  }
  for (const xml::Element &below : element.children) enter_dropped(below, place, ledger);
}

std::map<Uuid, std::string> disks_by_uuid(const Context &in) {
  std::map<Uuid, std::string> out;
  for (const auto &[id, disk] : in.disks) {
    const auto uuid = peek_attribute(disk, "uuid");
    const auto parsed = uuid ? Uuid::parse(*uuid) : std::nullopt;
    if (parsed) out.emplace(*parsed, id);
  }
  return out;
}

void replace_media(Context &in, Hardware &hardware) {
  const std::map<Uuid, std::string> disks = disks_by_uuid(in);
  for (std::size_t c = 0; c < hardware.controllers.size(); ++c) {
    for (std::size_t d = 0; d < hardware.controllers[c].drives.size(); ++d) {
      Drive &drive = hardware.controllers[c].drives[d];
      if (!drive.medium || drive.medium->chain.empty()) continue;
      const auto uuid = drive.medium->chain.back().uuid;
      const auto hit = uuid ? disks.find(*uuid) : disks.end();
      if (hit != disks.end()) {
        const std::string field =
            "hardware.controllers." + std::to_string(c) + ".drives." + std::to_string(d) + ".medium";
        const MediumType type = drive.medium->type;
        drive.medium = medium_of_disk(in, hit->second, field);
        drive.medium->type = type;
        drive.serial.reset();  // made from a UUID that the export made up, not from what the guest saw
        continue;
      }
      in.raise(finding::kMediumNotExported, drive.origin,
               "the medium " + in_quotes(uuid ? uuid->text() : drive.medium->chain.back().declared_location) +
                   " of a drive of " + in_quotes(hardware.controllers[c].name) + " is not in the package");
      // A missing CD leaves an empty drive; a missing disk is for planning to refuse.
      if (drive.kind != DriveKind::disk) drive.medium.reset();
    }
  }
}

void settle_described_again(Context &in) {
  for (const Section &section : sections(in.system())) {
    const bool again = section.name == "VirtualHardwareSection" || section.name == "OperatingSystemSection" ||
                       section.name == "AnnotationSection";
    if (again) section.reader.settle_all(Disposition::irrelevant, "described again in vbox:Machine, which was taken");
  }
  in.system().settle("id", Disposition::irrelevant, "described again in vbox:Machine, which was taken");
}

}  // namespace

bool import_virtualbox(Context &in, const xml::Element &machine, Ledger &ledger) {
  ImportedMachine own;
  try {
    own = vbox::import_embedded(machine, in.package.shown_as(), in.options);
  } catch (const Error &error) {
    if (error.kind() == ErrorKind::encrypted) throw;
    in.raise(finding::kVirtualBoxFallback, {in.package.shown_as(), machine.line, machine.path},
             std::string("VirtualBox's own description could not be read: ") + error.what());
    enter_dropped(machine, {in.package.shown_as(), {}, {}}, ledger);
    return false;
  }
  Source source = in.machine.source;
  source.product = own.machine.source.product.empty() ? "VirtualBox" : own.machine.source.product;
  replace_media(in, own.machine.hardware);
  in.machine = std::move(own.machine);
  in.machine.source = std::move(source);
  // A package holds the machine as it was when it was exported, nothing of its history.
  in.machine.snapshots.clear();
  in.machine.current_snapshot.reset();
  in.machine.saved_state.reset();
  for (Finding &finding : own.findings) in.findings.push_back(std::move(finding));
  append(ledger, own.ledger);
  settle_described_again(in);
  return true;
}

}  // namespace ferry::ovf
