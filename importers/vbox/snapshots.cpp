// SPDX-License-Identifier: Apache-2.0
// <Hardware> as a whole, and the tree of <Snapshot> elements, each with a <Hardware> of its own.
#include <charconv>
#include <chrono>
#include <set>

#include "importers/vbox/defaults.hpp"
#include "importers/vbox/findings.hpp"
#include "importers/vbox/scope.hpp"

#include "support/text.hpp"

namespace ferry::vbox {
namespace {

// "2023-08-22T14:08:50Z" in seconds since 1970; nullopt for anything else.
std::optional<std::int64_t> timestamp(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() < kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == '0' ? !digit : text[i] != kShape[i]) return std::nullopt;
  }
  const auto part = [text](std::size_t at, std::size_t length) {
    unsigned value = 0;
    std::from_chars(text.data() + at, text.data() + at + length, value);
    return value;
  };
  using namespace std::chrono;
  const year_month_day date{year(static_cast<int>(part(0, 4))), month(part(5, 2)), day(part(8, 2))};
  if (!date.ok()) return std::nullopt;
  const auto time = sys_days(date) + hours(part(11, 2)) + minutes(part(14, 2)) + seconds(part(17, 2));
  return duration_cast<seconds>(time.time_since_epoch()).count();
}

constexpr std::size_t kMostSnapshots = 1000;  // VirtualBox allows a depth of 250, and a tree is rarely broad

class SnapshotReader {
 public:
  explicit SnapshotReader(Import &in) : in_(in) {}

  // The depth is bounded by the XML reader's.
  void read(const SettingsReader &element, std::optional<std::size_t> parent) {
    const std::size_t index = in_.machine.snapshots.size();
    if (index >= kMostSnapshots) {
      throw Error(ErrorKind::malformed, {.where = element.place(),
                                         .message = "the machine has more snapshots than any",
                                         .found = "more than " + std::to_string(kMostSnapshots),
                                         .expected = "at most " + std::to_string(kMostSnapshots),
                                         .advice = "Delete snapshots that are not needed."});
    }
    const std::string at = "snapshots." + std::to_string(index);
    Snapshot snapshot;
    snapshot.origin = element.place();
    snapshot.parent = parent;
    snapshot.id = identity(element, at);
    snapshot.name = element.text("name", at + ".name").value_or("");
    read_texts(element, at, snapshot);
    if (const auto file = element.text("stateFile", at + ".saved_state"); file && !file->empty()) {
      const names::Found found = names::find(*file, in_.folder, in_.places);
      snapshot.saved_state =
          SavedState{found.file.value_or(in_.folder / names::with_slashes(*file)), element.place("stateFile")};
    }
    read_hardware(in_, element, at + ".hardware", snapshot.hardware);
    in_.machine.snapshots.push_back(std::move(snapshot));
    for (const SettingsReader &list : element.children("Snapshots")) {
      for (const SettingsReader &child : list.children("Snapshot")) read(child, index);
    }
  }

 private:
  std::string identity(const SettingsReader &element, const std::string &at) {
    const std::string written = element.text("uuid", at + ".id").value_or("");
    const auto uuid = Uuid::parse(text::trim(written));
    if (uuid && ids_.insert(*uuid).second) return uuid->text();
    throw Error(ErrorKind::malformed,
                {.where = element.place("uuid"),
                 .message = uuid ? "two snapshots have the same UUID" : "a snapshot has no valid UUID",
                 .found = "\"" + text::printable(written) + "\"",
                 .expected = "a UUID of its own for every snapshot",
                 .advice = "Copy the settings file again, or take it from a backup."});
  }

  static void read_texts(const SettingsReader &element, const std::string &at, Snapshot &snapshot) {
    if (const auto time = element.text("timeStamp", at + ".created")) {
      snapshot.created = timestamp(*time);
      if (!snapshot.created) element.settle("timeStamp", Disposition::dropped, "not a time");
    }
    snapshot.description = element.text("Description", at + ".description").value_or("");
    if (const auto below = element.child("Description")) {
      snapshot.description = below->content(at + ".description").value_or("");
    }
  }

  Import &in_;
  std::set<Uuid> ids_;
};

bool has_iommu(const Scope &scope) {
  const auto iommu = scope.platform.child("Iommu");
  const std::string *type = iommu ? iommu->element().attribute("type") : nullptr;
  return type != nullptr && !same_word("None", *type);
}

}  // namespace

void read_hardware(Import &in, const SettingsReader &owner, const std::string &prefix, Hardware &hw) {
  const auto hardware = owner.child("Hardware");
  if (!hardware) {
    throw Error(ErrorKind::malformed, {.where = owner.place(),
                                       .message = "the machine's hardware is missing",
                                       .expected = "a <Hardware> element",
                                       .advice = "Copy the settings file again, or take it from a backup."});
  }
  // In development versions of 1.20 <Platform> stood inside <Hardware>.
  auto platform = owner.child("Platform");
  if (!platform) platform = hardware->child("Platform");
  Scope scope{in, owner, *hardware, platform.value_or(*hardware), prefix, hw, {}};
  read_platform(scope);
  read_memory(scope);
  read_firmware(scope);
  read_display(scope);
  read_devices(scope);
  read_usb(scope);
  read_ports(scope);
  read_network(scope);
  read_storage(scope);
  apply_defaults(hw, has_iommu(scope));
}

void read_snapshots(Import &in, const SettingsReader &machine) {
  SnapshotReader reader(in);
  for (const SettingsReader &root : machine.children("Snapshot")) reader.read(root, std::nullopt);
  const auto current = machine.text("currentSnapshot", "current_snapshot");
  if (!current || text::trim(*current).empty()) return;
  const auto uuid = Uuid::parse(text::trim(*current));
  for (std::size_t i = 0; uuid && i < in.machine.snapshots.size(); ++i) {
    if (in.machine.snapshots[i].id == uuid->text()) in.machine.current_snapshot = i;
  }
  if (!in.machine.current_snapshot) {
    in.find(kCurrentSnapshot, machine.place("currentSnapshot"),
            "the current snapshot " + text::printable(*current) + " is not among the machine's snapshots");
  }
}

}  // namespace ferry::vbox
