// SPDX-License-Identifier: Apache-2.0
#include "migration/look_inside.hpp"

#include <exception>
#include <utility>

#include "migration/findings.hpp"
#include "migration/outside.hpp"

#include "support/text.hpp"

namespace ferry::migration {
namespace {

struct NumberedDisk {
  std::size_t number = 0;  // from 1
  DriveRef ref;
};

std::vector<NumberedDisk> disks_of(const Hardware &hardware, const std::string &field) {
  std::vector<NumberedDisk> out;
  for (const DriveRef &ref : drives_of(hardware, field)) {
    if (ref.drive->kind == DriveKind::disk && ref.drive->medium) out.push_back({out.size() + 1, ref});
  }
  return out;
}

// Of the current state, but for those that are to be left out.
std::vector<NumberedDisk> disks_of(const Machine &machine, const Options &options) {
  std::vector<NumberedDisk> out = disks_of(machine.hardware, "hardware");
  std::erase_if(out, [&](const NumberedDisk &disk) { return options.skip_disks.numbers.contains(disk.number); });
  return out;
}

// Why a disk with these facts cannot be looked into; empty: it can.
std::string why_not(const MediumFacts &facts) {
  if (facts.error) return facts.error->detail().message;
  const bool qcow2 = facts.info->chain.size() == 1 && facts.info->chain.front().format == ImageFormat::qcow2;
  if (facts.info->engine == disk::Engine::qemu_img && !qcow2)
    return "its format is one that qemu-img reads, not virt-ferry itself";
  return {};
}

Observed look(const std::vector<NumberedDisk> &disks, const std::map<std::string, MediumFacts> &media,
              const image::OpenOptions &open, Reader &reader) {
  std::vector<DiskToSee> to_see;
  std::vector<ObservedDisk> unreadable;
  for (const NumberedDisk &disk : disks) {
    const auto facts = media.find(disk.ref.field);
    if (facts == media.end()) continue;
    if (std::string why = why_not(facts->second); !why.empty()) {
      unreadable.push_back({.number = disk.number, .problem = std::move(why)});
    } else {
      to_see.push_back({disk.number, *disk.ref.drive->medium, facts->second.info->files});
    }
  }
  Observed out;
  const auto failed = [&](const std::string &why) {
    for (const DiskToSee &disk : to_see) unreadable.push_back({.number = disk.number, .problem = why});
  };
  try {
    out = reader.look_inside(to_see, open);
  } catch (const Error &error) {
    failed(error.detail().message);
  } catch (const std::exception &error) {  // no memory, a defect: the machine is migrated all the same
    failed(error.what());
  }
  out.disks.insert(out.disks.end(), std::make_move_iterator(unreadable.begin()),
                   std::make_move_iterator(unreadable.end()));
  return out;
}

// "Debian GNU/Linux 12 (bookworm)" and what is known besides in brackets.
std::string named(const std::string &product, const std::string &release, const std::string &version,
                  const std::string &architecture) {
  std::string out = product + (release.empty() ? "" : " " + release);
  const std::string more = version + (!version.empty() && !architecture.empty() ? ", " : "") + architecture;
  return more.empty() ? out : out + " (" + more + ")";
}

std::string place(std::size_t disk, std::size_t partition) {
  return ObservedVolume{.disk = disk, .number = partition}.named();
}

// What a change in the copy is about is in each state for itself. Only Windows' registry is changed.
void look_at_states(const Machine &machine, const Options &options, Survey &out) {
  if (!options.keep_snapshots || options.guest_fixes == GuestFixes::off || out.observed->windows.empty()) return;
  for (std::size_t i = 0; i < machine.snapshots.size(); ++i) {
    const std::string field = "snapshots." + std::to_string(i) + ".hardware";
    const std::vector<NumberedDisk> disks = disks_of(machine.snapshots[i].hardware, field);
    Observed seen = look(disks, out.media, open_options(machine, options), *out.reader);
    if (!seen.windows.empty()) out.snapshot_observed.emplace(i, std::move(seen));
  }
}

}  // namespace

void look_inside(const Machine &machine, const Options &options, Survey &out) {
  const std::vector<NumberedDisk> disks = disks_of(machine, options);
  out.observed = look(disks, out.media, open_options(machine, options), *out.reader);
  const auto report = [&](std::size_t number, const std::string &what, const std::string &why) {
    for (const NumberedDisk &disk : disks) {
      if (disk.number == number)
        out.findings.push_back(raise(kGuestNotRead, disk.ref.drive->origin, what + ": " + why));
    }
  };
  for (const ObservedDisk &disk : out.observed->disks) {
    if (!disk.problem.empty())
      report(disk.number, "disk " + std::to_string(disk.number) + " was not looked into", disk.problem);
  }
  for (const ObservedVolume &volume : out.observed->volumes) {
    if (!volume.problem.empty()) report(volume.disk, volume.named() + " was not read", volume.problem);
  }
  look_at_states(machine, options, out);
}

Observed look_inside(const Machine &machine, const Options &options, const std::shared_ptr<Reader> &reader) {
  const std::vector<NumberedDisk> disks = disks_of(machine, options);
  const image::OpenOptions open = open_options(machine, options);
  std::map<std::string, MediumFacts> media;
  for (const OutsideFile &file : files_outside(machine, options)) {
    if (file.judgement.refused()) media.emplace(file.field, MediumFacts{std::nullopt, refusal(file)});
  }
  for (const NumberedDisk &disk : disks) {
    if (media.contains(disk.ref.field)) continue;
    const MediumLook found = reader->look({*disk.ref.drive->medium}, open, options.engine).front();
    media.emplace(disk.ref.field,
                  MediumFacts{found.info, found.failure ? std::optional(found.failure->error()) : std::nullopt});
  }
  return look(disks, media, open, *reader);
}

std::vector<std::string> described(const Observed &observed) {
  std::vector<std::string> out;
  for (const ObservedWindows &one : observed.windows) {
    out.push_back(named(one.product.empty() ? "Windows" : one.product, one.release, one.version, one.architecture) +
                  (one.computer_name.empty() ? "" : ", " + one.computer_name) + ", on " +
                  place(one.disk, one.partition));
  }
  for (const ObservedLinux &one : observed.linux_systems) {
    out.push_back(named(one.product.empty() ? "Linux" : one.product, "",
                        one.kernels.empty() ? "" : "kernel " + one.kernels.front().version, one.architecture) +
                  (one.host_name.empty() ? "" : ", " + one.host_name) + ", on " + place(one.disk, one.partition));
  }
  return out;
}

}  // namespace ferry::migration
