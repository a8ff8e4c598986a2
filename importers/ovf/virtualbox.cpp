// SPDX-License-Identifier: Apache-2.0
// VirtualBox writes the complete machine settings into each VirtualSystem of its packages (all OVF versions). They
// know what OVF cannot say: MAC addresses, firmware, chipset, boot order, slots. Media are found by the identity that
// DiskSection gives in vbox:uuid. Known deviants: an ISO that was left out at export is still attached here.
#include "importers/ovf/virtualbox.hpp"

#include <algorithm>

#include "importers/vbox/findings.hpp"
#include "importers/vbox/vbox.hpp"

#include "support/text.hpp"

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

// The disks of the OVF's own description, by their places on its controllers.
std::vector<std::string> described_disks(const Context &in) {
  using Row = std::pair<std::pair<std::uint64_t, std::uint64_t>, std::string>;
  std::vector<Row> rows;
  const auto number = [](const SettingsReader &item, std::string_view child) {
    return text::parse_u64(peek(item, child).value_or("")).value_or(0);
  };
  for (const Section &section : sections(in.system())) {
    if (section.name != "VirtualHardwareSection") continue;
    for (const SettingsReader &item : section.reader.children("Item")) {
      if (number(item, "ResourceType") != 17) continue;  // a disk
      const std::string resource = peek(item, "HostResource").value_or("");
      const std::string id = resource.substr(resource.rfind('/') + 1);  // npos + 1 is 0
      if (in.disks.contains(id)) rows.push_back({{number(item, "Parent"), number(item, "AddressOnParent")}, id});
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row &a, const Row &b) { return a.first < b.first; });
  std::vector<std::string> out;
  for (const Row &row : rows) out.push_back(row.second);
  return out;
}

// The disks of the package that vbox:Machine does not name: for drives whose medium it names by a UUID that the package
// does not have, as some exports and edited descriptors do.
class UnnamedDisks {
 public:
  UnnamedDisks(const Context &in, const Hardware &hardware, const std::map<Uuid, std::string> &by_uuid)
      : left_(described_disks(in)) {
    for (const Controller &controller : hardware.controllers) {
      for (const Drive &drive : controller.drives) {
        if (!drive.medium || drive.medium->chain.empty() || !drive.medium->chain.back().uuid) continue;
        const auto hit = by_uuid.find(*drive.medium->chain.back().uuid);
        if (hit != by_uuid.end()) std::erase(left_, hit->second);
      }
    }
  }
  std::optional<std::string> next() {
    if (left_.empty()) return std::nullopt;
    std::string id = left_.front();
    left_.erase(left_.begin());
    return id;
  }

 private:
  std::vector<std::string> left_;
};

void take_disk(Context &in, Drive &drive, const std::string &id, const std::string &field) {
  const MediumType type = drive.medium->type;
  drive.medium = medium_of_disk(in, id, field);
  drive.medium->type = type;
  drive.serial.reset();  // made from a UUID that the export made up, not from what the guest saw
}

void replace_media(Context &in, Hardware &hardware) {
  const std::map<Uuid, std::string> disks = disks_by_uuid(in);
  UnnamedDisks unnamed(in, hardware, disks);
  for (std::size_t c = 0; c < hardware.controllers.size(); ++c) {
    for (std::size_t d = 0; d < hardware.controllers[c].drives.size(); ++d) {
      Drive &drive = hardware.controllers[c].drives[d];
      if (!drive.medium || drive.medium->chain.empty()) continue;
      const auto uuid = drive.medium->chain.back().uuid;
      const auto hit = uuid ? disks.find(*uuid) : disks.end();
      const std::string field =
          "hardware.controllers." + std::to_string(c) + ".drives." + std::to_string(d) + ".medium";
      if (hit != disks.end()) {
        take_disk(in, drive, hit->second, field);
        continue;
      }
      if (const auto id = drive.kind == DriveKind::disk ? unnamed.next() : std::nullopt) {
        in.raise(finding::kMediumByPlace, drive.origin,
                 "the medium " + in_quotes(uuid ? uuid->text() : "") + " of a drive of " +
                     in_quotes(hardware.controllers[c].name) + " is not in the package; the OVF description's disk " +
                     in_quotes(*id) + " is used");
        take_disk(in, drive, *id, field);
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

// ---- firmware variables ----

std::string bare_name(std::string_view path) { return std::string(path.substr(path.find_last_of("/\\") + 1)); }

bool is_nvram(std::string_view name) { return text::lower_ascii(name).ends_with(".nvram"); }

std::string href_of(const Context &in, const std::string &id) {
  const auto hit = in.files.find(id);
  return hit == in.files.end() ? std::string() : peek_attribute(hit->second, "href").value_or("");
}

// The File that an Item of the machine's own hardware names: "/file/file2", "ovf:/file/file2".
std::optional<std::string> nvram_of_items(const Context &in) {
  for (const Section &section : sections(in.system())) {
    if (section.name != "VirtualHardwareSection") continue;
    for (const SettingsReader &item : section.reader.children()) {
      const std::string resource = peek(item, "HostResource").value_or("");
      const std::string id = bare_name(resource);
      if (resource.find("/file/") != std::string::npos && is_nvram(href_of(in, id))) return id;
    }
  }
  return std::nullopt;
}

// Since 7.1.12 VirtualBox puts the file of EFI variables into the package; which of the package's it is, an Item says,
// or the name in vbox:Machine, or the machine's own name; a package with one machine has one only.
std::optional<std::string> nvram_file_id(const Context &in, const std::string &declared) {
  if (auto id = nvram_of_items(in)) return id;
  std::vector<std::string> all;
  for (const auto &[id, file] : in.files) {
    const std::string name = bare_name(href_of(in, id));
    if (!is_nvram(name)) continue;
    if (text::iequals_ascii(name, bare_name(declared)) || text::iequals_ascii(name, in.machine.name + ".nvram"))
      return id;
    all.push_back(id);
  }
  const bool alone = in.contents.size() == 1;
  return alone && all.size() == 1 ? std::optional(all.front()) : std::nullopt;
}

void find_nvram(Context &in, const std::string &declared, const Place &where) {
  const Hardware &hardware = in.machine.hardware;
  if (hardware.firmware.type == FirmwareType::bios && !hardware.tpm) return;
  const std::string field = "hardware.firmware.nvram_file";
  if (const auto id = nvram_file_id(in, declared)) {
    ImageFile file;
    resolve_file(in, *id, file, where, field);
    if (file.pieces.size() == 1 && !file.gzip) return attach_nvram(in, file.pieces.front());
  } else if (!bare_name(declared).empty()) {  // in the package, though no File says so
    for (const std::string &name : member_names(bare_name(declared), where)) {
      if (const auto found = in.package.find(name, where).range) return attach_nvram(in, *found);
    }
  }
  if (declared.empty() || hardware.firmware.type == FirmwareType::bios) return;
  in.raise(vbox::kNvramMissing, where, "the EFI variables " + in_quotes(declared) + " are not in the package");
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
  std::string nvram;
  try {
    own = vbox::import_embedded(machine, in.package.shown_as(), in.options, &nvram);
  } catch (const Error &error) {
    if (error.kind() == ErrorKind::encrypted) throw;
    in.raise(finding::kVirtualBoxFallback, {in.package.shown_as(), machine.line, machine.path},
             std::string("VirtualBox's own description could not be read: ") + error.what());
    enter_dropped(machine, {.file = in.package.shown_as()}, ledger);
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
  find_nvram(in, nvram, in.machine.hardware.firmware.origin);
  settle_described_again(in);
  return true;
}

}  // namespace ferry::ovf
