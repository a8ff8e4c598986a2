// SPDX-License-Identifier: Apache-2.0
#include "migration/guest_judgement.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "migration/findings.hpp"
#include "migration/guest_buses.hpp"
#include "migration/look_inside.hpp"

#include "support/text.hpp"

namespace ferry::migration {
namespace {

// The bus that --disk-bus offers, from which the guest boots with what it has; empty: none.
template <class Missing>
std::string way_out(const Missing &missing_of) {
  for (const BusNeeds &one : bus_needs()) {
    const bool offered = std::string_view(one.model).empty() || std::string_view(one.model) == "virtio-scsi";
    if (offered && missing_of(one).empty()) return one.bus;
  }
  return {};
}

class Judge {
 public:
  Judge(const Observed &observed, const Hardware &hardware, const Place &origin, target::Result &result,
        GuestFixes choice, const std::set<std::size_t> &copied)
      : observed_(observed), origin_(origin), result_(result), choice_(choice), copied_(copied) {
    for (const DriveRef &ref : drives_of(hardware, "hardware")) {
      if (ref.drive->kind == DriveKind::disk && ref.drive->medium) drives_.push_back(ref);
    }
  }

  Judgement judge() {
    for (const ObservedWindows &windows : observed_.windows) judge_windows(windows);
    for (const ObservedLinux &system : observed_.linux_systems) judge_linux(system);
    for (const ObservedVolume &volume : observed_.volumes) judge_volume(volume);
    return {std::move(findings_), std::move(fixes_)};
  }

 private:
  [[nodiscard]] Place origin(std::size_t disk) const {
    return disk >= 1 && disk <= drives_.size() ? drives_[disk - 1].drive->origin : origin_;
  }
  void raise_at(const FindingKind &kind, std::size_t disk, const std::string &message, std::string advice = {}) {
    findings_.push_back(raise(kind, origin(disk), message, std::move(advice)));
  }
  static std::string place(std::size_t disk, std::size_t partition) {
    return ObservedVolume{.disk = disk, .number = partition}.named();
  }

  [[nodiscard]] const target::Disk *target_of(std::size_t disk) const {
    if (disk < 1 || disk > drives_.size()) return nullptr;
    for (const target::Disk &one : result_.disks) {
      if (one.controller == drives_[disk - 1].controller && one.drive == drives_[disk - 1].index) return &one;
    }
    return nullptr;
  }

  // The target only knows that the bus is another one.
  void take_out(std::string_view id, const Place &where) {
    std::erase_if(result_.findings, [&](const Finding &one) { return one.id == id && one.where == where; });
  }

  void boots(std::size_t disk, const std::string &system, const BusNeeds &bus, const std::string &why) {
    take_out("disk.controller-replaced", origin(disk));
    raise_at(kBootDriverThere, disk, system + " finds its disk on " + bus.label + ": " + why);
  }

  void judge_windows(const ObservedWindows &windows) {
    const target::Disk *disk = target_of(windows.disk);
    const std::string system =
        (windows.product.empty() ? "Windows" : windows.product) + " on " + place(windows.disk, windows.partition);
    if (windows.hibernated)
      raise_at(kGuestHibernated, windows.disk, system + " is hibernated: its memory lies in hiberfil.sys");
    judge_data_disks(windows, system);
    const BusNeeds *bus = disk == nullptr ? nullptr : needs_of(disk->bus, disk->model);
    if (bus == nullptr || windows.control_sets.empty()) return;
    const auto missing_of = [&](const BusNeeds &one) { return missing_drivers(windows, one); };
    const std::string lacks = missing_of(*bus);
    if (lacks.empty()) return boots(windows.disk, system, *bus, "it starts the driver at boot");
    take_out("disk.controller-replaced", origin(windows.disk));
    const std::string why_not = fix_windows(windows, system, *bus);
    if (why_not.empty()) return;
    const std::string other = way_out(missing_of);
    raise_at(kBootDriver, windows.disk,
             system + " does not start " + lacks + " at boot, which it needs on " + bus->label +
                 ": it would stop with INACCESSIBLE_BOOT_DEVICE (7B). It is not changed in the copy: " + why_not,
             other.empty()
                 ? "Start the new machine from a Windows installation CD, load the registry with 'reg load', and "
                   "set Start of " +
                       bus->windows.front().front() + " to 0 there."
                 : "Use --disk-bus " + other + ", whose driver it starts.");
  }

  // Why it is not made to boot, a clause; empty: it is.
  std::string fix_windows(const ObservedWindows &windows, const std::string &system, const BusNeeds &bus) {
    return fix(windows, "so that " + system + " finds its disk on " + bus.label,
               [&] { return start_at_boot(observed_, windows, groups_not_started(windows, bus)); });
  }

  // Why it is not done, a clause; empty: it is.
  template <class Decide>
  std::string fix(const ObservedWindows &windows, const std::string &what_for, const Decide &decide) {
    if (choice_ == GuestFixes::off) return "--guest-fix off was asked for";
    if (!copied_.contains(windows.disk)) return "its disk is used as it is, or copied by qemu-img";
    FixDecision decision = decide();
    if (!decision.why_not.empty()) return decision.why_not;
    if (choice_ == GuestFixes::list) {
      std::string list;
      for (const GuestFix &fix : decision.fixes) list += (list.empty() ? "" : "; ") + fix.text();
      return "--guest-fix list was asked for. It would be: " + list;
    }
    for (GuestFix &fix : decision.fixes) {
      raise_at(kGuestFixed, windows.disk, what_for + ", in the copy " + fix.text());
      fixes_.push_back(std::move(fix));
    }
    return {};
  }

  // A server leaves disks that are new to it offline, as they are shared with others where there is a SAN.
  void judge_data_disks(const ObservedWindows &windows, const std::string &system) {
    if (!windows.server) return;
    std::string offline;
    std::size_t first = 0;
    bool shared = false;
    for (std::size_t number = 1; number <= drives_.size(); ++number) {
      const target::Disk *disk = target_of(number);
      if (number == windows.disk || disk == nullptr || !stays_offline(windows, disk->bus)) continue;
      if (first == 0) first = number;
      offline += (offline.empty() ? "disk " : " and disk ") + std::to_string(number);
      const MediumType type = drives_[number - 1].drive->medium->type;
      shared = shared || type == MediumType::shareable;
    }
    if (offline.empty()) return;
    const std::string why_not = shared
                                    ? "a disk of the machine is shared with others"
                                    : fix(windows, "so that " + system + " uses " + offline + ", which are new to it",
                                          [&] { return use_new_disks(observed_, windows); });
    if (why_not.empty()) return;
    raise_at(kGuestDiskOffline, first,
             system + " would leave " + offline + " offline: its SanPolicy is " +
                 std::to_string(*windows.control_sets.front().san_policy) +
                 ", and disks that move are new to it. It is not changed in the copy: " + why_not);
  }

  void judge_linux(const ObservedLinux &system) {
    judge_kernel(system);
    judge_mounts(system);
    judge_interfaces(system);
  }

  static std::string named(const ObservedLinux &system) {
    return (system.product.empty() ? "Linux" : system.product) + " on " + place(system.disk, system.partition);
  }

  void judge_kernel(const ObservedLinux &system) {
    const target::Disk *disk = target_of(system.disk);
    const BusNeeds *bus = disk == nullptr ? nullptr : needs_of(disk->bus, disk->model);
    if (bus == nullptr || system.kernels.empty() || !system.kernels.front().examined) return;
    const ObservedKernel &kernel = system.kernels.front();
    const auto missing_of = [&](const BusNeeds &one) { return missing_drivers(kernel, one); };
    const std::string lacks = missing_of(*bus);
    if (lacks.empty())
      return boots(system.disk, named(system), *bus, "kernel " + kernel.version + " has the driver at boot");
    take_out("disk.controller-replaced", origin(system.disk));
    const std::string other = way_out(missing_of);
    raise_at(kBootDriver, system.disk,
             named(system) + " has no " + lacks + " in " + kernel.initramfs + ", which it needs on " + bus->label +
                 (kernel.host_only ? ": it was made for the old hardware alone" : ""),
             other.empty()
                 ? "Start the new machine from a rescue CD, and rebuild the initial RAM disk with all drivers."
                 : "Use --disk-bus " + other + ", whose driver it has.");
  }

  // Names that follow the bus, or the model that the source's platform gave its disks.
  void judge_mounts(const ObservedLinux &system) {
    const auto any_on = [&](std::initializer_list<std::string_view> buses) {
      return std::any_of(result_.disks.begin(), result_.disks.end(), [&](const target::Disk &disk) {
        return std::find(buses.begin(), buses.end(), disk.bus) != buses.end();
      });
    };
    for (const ObservedMount &mount : system.mounts) {
      const std::string &device = mount.device;
      const bool gone = (device.starts_with("/dev/sd") && !any_on({"sata", "scsi", "ide", "usb"})) ||
                        (device.starts_with("/dev/vd") && !any_on({"virtio"})) ||
                        (device.starts_with("/dev/nvme") && !any_on({"nvme"}));
      const bool by_hardware = device.starts_with("/dev/disk/by-path/") || device.starts_with("/dev/disk/by-id/");
      if (!gone && !by_hardware) continue;
      raise_at(kGuestMount, system.disk,
               named(system) + " names " + text::printable(device) + " in " + mount.file + " for " +
                   text::printable(mount.target) +
                   (gone ? ", which the new machine does not have" : ", a name that follows the hardware"));
    }
  }

  void judge_interfaces(const ObservedLinux &system) {
    const bool all_known = std::all_of(result_.nics.begin(), result_.nics.end(),
                                       [](const target::Nic &nic) { return nic.guest_name.has_value(); });
    if (!all_known) return;
    // Its own files say which names matter; where none does, none.
    std::erase_if(result_.findings, [](const Finding &one) { return one.id == "nic.name-changes"; });
    std::string names;
    for (const target::Nic &nic : result_.nics) names += (names.empty() ? "" : ", ") + *nic.guest_name;
    for (const ObservedInterface &one : system.interfaces) {
      const bool by_slot = one.name.starts_with("en");  // eth0 is the kernel's own, and another name the user's
      const auto same = [&](const target::Nic &nic) { return nic.guest_name == one.name; };
      if (!by_slot || std::any_of(result_.nics.begin(), result_.nics.end(), same)) continue;
      findings_.push_back(raise(kGuestInterface, origin_,
                                named(system) + " configures " + text::printable(one.name) + " in " + one.file +
                                    "; the new machine's cards are " + (names.empty() ? "none" : names)));
    }
  }

  void judge_volume(const ObservedVolume &volume) {
    const auto opened_by = [&](const char *what) {
      return std::find(volume.protectors.begin(), volume.protectors.end(), what) != volume.protectors.end();
    };
    if (volume.content == "bitlocker" && opened_by("tpm") && !opened_by("clear-key")) {
      raise_at(kGuestBitlocker, volume.disk,
               "the TPM opens BitLocker on " + volume.named() + ", and what it measures changes with the machine");
    }
    if (volume.dirty && (volume.content == "ntfs" || volume.content.starts_with("ext")))
      raise_at(kGuestDirty, volume.disk,
               "the file system on " + volume.named() + " (" + volume.content + ") was not unmounted, or has errors");
  }

  const Observed &observed_;
  const Place &origin_;
  target::Result &result_;
  GuestFixes choice_;
  const std::set<std::size_t> &copied_;
  std::vector<GuestFix> fixes_;
  std::vector<DriveRef> drives_;  // of the disks, by their number
  std::vector<Finding> findings_;
};

// ---- the operating system ----

std::string osinfo_of(const ObservedWindows &windows) {
  struct Row {
    const char *name, *id;
  };
  for (const Row &row : {Row{"Windows 11", "11"}, Row{"Windows 10", "10"}, Row{"Windows 8.1", "8.1"},
                         Row{"Windows 7", "7"}, Row{"Windows Server 2022", "2k22"}, Row{"Windows Server 2019", "2k19"},
                         Row{"Windows Server 2016", "2k16"}, Row{"Windows Server 2012 R2", "2k12r2"}}) {
    if (windows.product.starts_with(row.name)) return std::string("http://microsoft.com/win/") + row.id;
  }
  return {};
}

std::string osinfo_of(const ObservedLinux &system) {
  if (system.version.empty()) return {};
  if (system.id == "debian") return "http://debian.org/debian/" + system.version;
  if (system.id == "ubuntu") return "http://ubuntu.com/ubuntu/" + system.version;
  if (system.id == "fedora") return "http://fedoraproject.org/fedora/" + system.version;
  return {};
}

}  // namespace

void take_observed_system(const Observed &observed, GuestOs &guest_os, const Place &origin,
                          std::vector<Finding> &findings) {
  if (observed.windows.empty() == observed.linux_systems.empty()) return;  // none, or both
  const bool windows = !observed.windows.empty();
  const OsFamily family = windows ? OsFamily::windows : OsFamily::linux;
  if (guest_os.family == family) return;
  const bool said = guest_os.family != OsFamily::unknown && guest_os.family != OsFamily::other;
  const std::string seen = described(observed).front();
  if (said) {
    findings.push_back(raise(kGuestOsDiffers, origin,
                             "the settings say " + (guest_os.label.empty() ? guest_os.source_id : guest_os.label) +
                                 "; the disks have " + text::printable(seen)));
  }
  guest_os.family = family;
  guest_os.osinfo_id = windows ? osinfo_of(observed.windows.front()) : osinfo_of(observed.linux_systems.front());
  guest_os.osinfo_newer.clear();
  guest_os.darwin.reset();
  const std::string &architecture =
      windows ? observed.windows.front().architecture : observed.linux_systems.front().architecture;
  if (!architecture.empty()) guest_os.is_64bit = architecture != "i686" && architecture != "armv7l";
}

Judgement judge_guest(const Observed &observed, const Hardware &hardware, const Place &origin, target::Result &result,
                      GuestFixes choice, const std::set<std::size_t> &copied) {
  return Judge(observed, hardware, origin, result, choice, copied).judge();
}

}  // namespace ferry::migration
