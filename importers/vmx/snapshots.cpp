// SPDX-License-Identifier: Apache-2.0
// The snapshot list, NAME.vmsd. Snapshots are numbered, with gaps where some were deleted; snapshotN.uid names
// one for parent and snapshot.current. createTimeHigh and createTimeLow are the halves of 64 bits of microseconds
// since 1970, each written as a signed number. diskM.fileName is the image that holds the snapshot's data: the
// one that was attached when it was taken. The devices of that time are only in the .vmsn file.
#include "importers/vmx/snapshots.hpp"

#include <algorithm>

#include "importers/vmx/findings.hpp"

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::vmx {
namespace {

constexpr std::size_t kMaxSnapshots = 1000;  // VMware allows 32 in a chain and 496 in a tree

struct Listed {
  std::string name;  // "snapshot3"
  std::string uid;
  std::string parent;
};

std::vector<Listed> read_list(Settings &list) {
  std::vector<Listed> out;
  for (const unsigned index : list.indices("snapshot")) {
    const std::string name = "snapshot" + std::to_string(index);
    const std::string *uid = list.peek(name + ".uid");
    if (uid == nullptr || out.size() >= kMaxSnapshots) {
      list.settle_rest(name + ".", Disposition::irrelevant, "an entry without a uid is not a snapshot");
      continue;
    }
    const std::string *parent = list.peek(name + ".parent");
    out.push_back({name, std::string(text::trim(*uid)), parent ? std::string(text::trim(*parent)) : std::string()});
  }
  return out;
}

std::optional<std::size_t> position(const std::vector<Listed> &list, std::string_view uid) {
  const auto hit = std::find_if(list.begin(), list.end(), [&](const Listed &one) { return one.uid == uid; });
  return hit == list.end() ? std::nullopt : std::optional(static_cast<std::size_t>(hit - list.begin()));
}

// Parents before children. A parent that is not listed, or a circle, makes a root and a finding.
std::vector<Listed> in_order(std::vector<Listed> waiting, Settings &list, std::vector<Finding> &findings) {
  for (Listed &one : waiting) {
    const bool none = one.parent.empty() || one.parent == "0";
    if (!none && !position(waiting, one.parent)) {
      findings.push_back(
          raise(kSnapshotParent, list.place(one.name + ".parent"),
                one.name + " names the parent " + text::printable(one.parent) + ", which is not listed"));
    }
    if (none || !position(waiting, one.parent)) one.parent.clear();
  }
  std::vector<Listed> out;
  while (!waiting.empty()) {
    auto next = std::find_if(waiting.begin(), waiting.end(),
                             [&](const Listed &one) { return one.parent.empty() || position(out, one.parent); });
    if (next == waiting.end()) {
      next = waiting.begin();
      findings.push_back(
          raise(kSnapshotParent, list.place(next->name + ".parent"), "the parents of " + next->name + " form a loop"));
      next->parent.clear();
    }
    out.push_back(std::move(*next));
    waiting.erase(next);
  }
  return out;
}

std::optional<std::int64_t> creation_time(Settings &list, const std::string &name, const std::string &field) {
  const auto high = list.number(name + ".createTimeHigh", field);
  const auto low = list.number(name + ".createTimeLow", field);
  if (!high || !low) return std::nullopt;
  const std::uint64_t micros =
      (static_cast<std::uint64_t>(static_cast<std::uint32_t>(*high)) << 32U) | static_cast<std::uint32_t>(*low);
  if (micros == 0) return std::nullopt;
  return static_cast<std::int64_t>(micros / 1'000'000);
}

// "scsi0:1" -> the drive there. `controller` and `drive` are set to its place in `hardware`.
Drive *find_drive(Hardware &hardware, const std::string &node, std::size_t &controller, std::size_t &drive) {
  for (controller = 0; controller < hardware.controllers.size(); ++controller) {
    Controller &one = hardware.controllers[controller];
    const bool ide = one.type == ControllerType::ide_vmware;
    for (drive = 0; drive < one.drives.size(); ++drive) {
      Drive &at = one.drives[drive];
      const std::string name = ide ? "ide" + std::to_string(at.port) + ":" + std::to_string(at.device)
                                   : one.name + ":" + std::to_string(at.port);
      if (text::iequals_ascii(name, node)) return &at;
    }
  }
  return nullptr;
}

// A new drive for `node` on the controller that it names, if there is one: in its turn, whatever the list's order.
void add_drive(Hardware &hardware, const std::string &node) {
  const std::size_t colon = node.find(':');
  const auto unit = text::parse_u64(colon == std::string::npos ? "" : std::string_view(node).substr(colon + 1));
  if (!unit || *unit > 255) return;
  const std::string bus = text::lower_ascii(node.substr(0, colon));
  for (Controller &one : hardware.controllers) {
    const bool ide = one.type == ControllerType::ide_vmware && (bus == "ide0" || bus == "ide1");
    if (one.name != bus && !ide) continue;
    Drive added;
    added.port = ide ? (bus == "ide1" ? 1U : 0U) : static_cast<unsigned>(*unit);
    added.device = ide ? static_cast<unsigned>(*unit) : 0;
    const auto place = [](const Drive &other) { return std::pair(other.port, other.device); };
    const auto at = std::find_if(one.drives.begin(), one.drives.end(),
                                 [&](const Drive &other) { return place(other) > place(added); });
    one.drives.insert(at, std::move(added));
    return;
  }
}

// Independent disks take no part in snapshots.
bool takes_part(const Drive &drive) {
  return drive.kind == DriveKind::disk && drive.medium && drive.medium->type == MediumType::normal;
}

// Without the hardware of that time: disks that the snapshot does not list were not there.
void drop_later_disks(Hardware &hardware, const std::vector<std::string> &nodes) {
  if (nodes.empty()) return;
  std::vector<const Drive *> known;
  for (const std::string &node : nodes) {
    std::size_t controller = 0;
    std::size_t drive = 0;
    if (const Drive *found = find_drive(hardware, node, controller, drive)) known.push_back(found);
  }
  std::vector<std::pair<std::size_t, std::size_t>> drop;
  for (std::size_t c = 0; c < hardware.controllers.size(); ++c) {
    for (std::size_t d = 0; d < hardware.controllers[c].drives.size(); ++d) {
      const Drive &drive = hardware.controllers[c].drives[d];
      if (takes_part(drive) && std::find(known.begin(), known.end(), &drive) == known.end()) drop.emplace_back(c, d);
    }
  }
  for (auto at = drop.rbegin(); at != drop.rend(); ++at) {
    auto &drives = hardware.controllers[at->first].drives;
    drives.erase(drives.begin() + static_cast<std::ptrdiff_t>(at->second));
  }
}

struct DiskOf {
  std::string key;   // "snapshot0.disk1"
  std::string node;  // "scsi0:1"
  std::string file;
};

std::vector<DiskOf> disks_of(Settings &list, const std::string &name) {
  std::vector<DiskOf> out;
  for (const unsigned index : list.indices(name + ".disk")) {
    const std::string key = name + ".disk" + std::to_string(index);
    const std::string *node = list.peek(key + ".node");
    const std::string *file = list.peek(key + ".fileName");
    if (file != nullptr) out.push_back({key, node ? *node : std::string(), *file});
  }
  return out;
}

void apply_disks(Reader &reader, const std::vector<DiskOf> &disks, Hardware &hardware) {
  std::size_t controller = 0;
  std::size_t drive = 0;
  for (const DiskOf &disk : disks) {
    if (find_drive(hardware, disk.node, controller, drive) == nullptr) add_drive(hardware, disk.node);
  }
  for (const DiskOf &disk : disks) {
    Drive *at = find_drive(hardware, disk.node, controller, drive);
    std::string field = reader.field("controllers");
    if (at == nullptr) {
      reader.find(kSnapshotNode, disk.key + ".node",
                  disk.key + " is " + text::printable(disk.file) + " at \"" + text::printable(disk.node) + "\"");
    } else {
      field += "." + std::to_string(controller) + ".drives." + std::to_string(drive) + ".medium";
      if (!at->medium) at->medium = Medium{};
      at->medium->chain = {locate_image(reader, disk.key + ".fileName", disk.file)};
      at->medium->origin = reader.settings.place(disk.key + ".fileName");
    }
    static_cast<void>(reader.settings.text(disk.key + ".fileName", field));
    static_cast<void>(reader.settings.text(disk.key + ".node", field));
  }
}

// The hardware in the configuration that a .vmsn holds; nullopt when it cannot be understood.
std::optional<Hardware> embedded_hardware(const Reader &machine, const std::string &prefix, const std::string &text,
                                          const std::filesystem::path &file, Ledger &ledger) {
  Ledger trial;
  std::vector<Finding> trial_findings;
  const auto read = [&](Ledger &into, std::vector<Finding> &findings) {
    Settings settings(parse_dictionary(text, file), file, into, findings);
    Reader reader{settings, findings,      machine.folder, prefix, machine.guest, machine.hardware_version,
                  false,    machine.places};
    Hardware hardware = read_hardware(reader);
    for (const char *key : {"displayName", "annotation", "guestOS", "uuid.location", "vc.uuid", "virtualHW.version"}) {
      settings.settle(key, Disposition::irrelevant, "the snapshot's copy of what the machine itself says");
    }
    settings.settle_known();
    return hardware;
  };
  try {
    static_cast<void>(read(trial, trial_findings));
  } catch (const Error &) {
    return std::nullopt;  // the caller falls back and says so; the ledger stays free of half a file
  }
  std::vector<Finding> ignored;  // the machine's own file raised what there is to say
  return read(ledger, ignored);
}

// Hardware and saved state of one snapshot.
void read_state(Reader &reader, const Machine &machine, const Listed &listed, Ledger &ledger, Snapshot &snapshot) {
  Settings &list = reader.settings;
  const std::string key = listed.name + ".filename";
  const auto name = list.filled(key, reader.prefix.substr(0, reader.prefix.size() - 1));
  const auto file = name ? locate_file(reader, *name) : std::nullopt;
  const auto state = file ? read_state_file(*file) : std::nullopt;
  const std::vector<DiskOf> disks = disks_of(list, listed.name);
  std::optional<Hardware> hardware;
  if (state && !state->configuration.empty()) {
    hardware = embedded_hardware(reader, reader.prefix, state->configuration, *file, ledger);
  }
  if (hardware) {
    snapshot.hardware = std::move(*hardware);
  } else {
    snapshot.hardware = machine.hardware;
    std::vector<std::string> nodes;
    for (const DiskOf &disk : disks) nodes.push_back(disk.node);
    drop_later_disks(snapshot.hardware, nodes);
    reader.find(kSnapshotHardware, key,
                name ? "\"" + text::printable(*name) + "\" does not describe the hardware"
                     : listed.name + " names no state file");
  }
  apply_disks(reader, disks, snapshot.hardware);
  if (!file) return;
  std::filesystem::path memory = *file;
  memory.replace_extension(".vmem");
  std::error_code error;
  if ((state && state->running) || on_host::exists(memory, error)) {
    snapshot.saved_state = SavedState{*file, list.place(key)};
  }
}

Snapshot read_snapshot(Settings &list, const Reader &machine_reader, const Machine &machine, const Listed &listed,
                       Ledger &ledger) {
  const std::string base = "snapshots." + std::to_string(machine.snapshots.size()) + ".";
  Snapshot snapshot;
  snapshot.origin = list.place(listed.name + ".uid");
  snapshot.id = list.text(listed.name + ".uid", base + "id").value_or("");
  snapshot.name = list.filled(listed.name + ".displayName", base + "name").value_or(listed.name);
  snapshot.description = list.text(listed.name + ".description", base + "description").value_or("");
  snapshot.created = creation_time(list, listed.name, base + "created");
  static_cast<void>(list.text(listed.name + ".parent", base + "parent"));
  Reader reader{list,
                machine_reader.findings,
                machine_reader.folder,
                base + "hardware.",
                machine_reader.guest,
                machine_reader.hardware_version,
                true,
                machine_reader.places};
  read_state(reader, machine, listed, ledger, snapshot);
  return snapshot;
}

}  // namespace

void read_snapshots(Reader &reader, Ledger &ledger, Machine &machine, bool needed) {
  std::filesystem::path file = machine.source.file;
  file.replace_extension(".vmsd");
  std::error_code error;
  if (!on_host::exists(file, error)) return;
  Dictionary dictionary;
  try {
    const std::string bytes = read_text_file(file, kDictionaryLimit);
    dictionary = parse_dictionary(bytes, file);
    refuse_damage(bytes, file);
  } catch (const Error &problem) {
    if (needed && problem.kind() == ErrorKind::io) {
      ErrorDetail detail = problem.detail();
      detail.message = "the list of the machine's snapshots cannot be read";
      detail.advice += (detail.advice.empty() ? "" : " ");
      detail.advice += "To go on without the snapshots, use --snapshots flatten.";
      throw Error(ErrorKind::io, std::move(detail));
    }
    reader.findings.push_back(raise(kSnapshotList, problem.detail().where, problem.detail().message));
    return;
  }
  Settings list(dictionary, file, ledger, reader.findings);
  const std::vector<Listed> order = in_order(read_list(list), list, reader.findings);
  for (const Listed &listed : order) {
    Snapshot snapshot = read_snapshot(list, reader, machine, listed, ledger);
    if (!listed.parent.empty()) snapshot.parent = position(order, listed.parent);
    machine.snapshots.push_back(std::move(snapshot));
  }
  if (const auto current = list.filled("snapshot.current", "current_snapshot")) {
    machine.current_snapshot = position(order, text::trim(*current));
  }
  list.settle_known();
}

}  // namespace ferry::vmx
