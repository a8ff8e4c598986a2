// SPDX-License-Identifier: Apache-2.0
// Facts: names below /dev/disk as udev's 60-persistent-storage.rules give them; what Windows starts at boot as
// converters/guest/windows.cpp has it; the PCI ids of virtio's drivers in virtio-win's .inf files.
#include "migration/finish/proof.hpp"

#include <algorithm>
#include <string_view>

#include "migration/guest_buses.hpp"

#include "support/text.hpp"

namespace ferry::migration {
namespace {

using ProofKind = Proof::Kind;

std::string name_of(const ObservedLinux &system) {
  return text::printable(system.product.empty() ? "Linux" : system.product);
}
std::string name_of(const ObservedWindows &system) {
  return text::printable(system.product.empty() ? "Windows" : system.product);
}

std::string joined(const Drivers &groups) {
  std::string out;
  for (const std::vector<std::string> &group : groups) out += (out.empty() ? "" : ", ") + group.front();
  return out;
}

class Prover {
 public:
  Prover(const GuestEvidence &guest, const SwitchTo &to)
      : guest_(guest), to_(to), bus_(*(to.blk ? needs_of("virtio", "") : needs_of("scsi", "virtio-scsi"))) {}

  std::vector<Proof> all() {
    if (!guest_.says_something()) {
      say(ProofKind::unknown, guest_.why_not.empty() ? "no system was seen on its disks" : guest_.why_not);
      return std::move(out_);
    }
    for (const ObservedLinux &one : guest_.observed.linux_systems) prove(one);
    for (const ObservedWindows &one : guest_.observed.windows) prove(one);
    for (const ObservedVolume &one : guest_.observed.volumes) judge(one);
    if (guest_.devices) prove(*guest_.devices);
    return std::move(out_);
  }

 private:
  void say(ProofKind kind, std::string text) { out_.push_back({kind, std::move(text)}); }

  // ---- Linux ----

  void prove(const ObservedLinux &system) {
    if (to_.disks) prove_kernel(system);
    if (to_.cards && guest_.by_agent && !system.kernels.empty()) prove_card(system.kernels.front());
    if (to_.disks) judge_names(system);
  }

  void prove_kernel(const ObservedLinux &system) {
    if (system.kernels.empty()) return say(ProofKind::unknown, name_of(system) + ": no kernel was found");
    const ObservedKernel &kernel = system.kernels.front();
    const std::string which = "kernel " + text::printable(kernel.version);
    if (!kernel.examined) {
      const std::string why = kernel.problem.empty() ? "" : " (" + text::printable(kernel.problem) + ")";
      return say(ProofKind::unknown,
                 name_of(system) + ": the initial RAM disk of " + which + " could not be read" + why);
    }
    const std::string lacks = missing_drivers(kernel, bus_), where = text::printable(kernel.initramfs);
    if (lacks.empty())
      return say(ProofKind::proven,
                 which + " has " + joined(bus_.linux_modules) + " at boot (built in, or in " + where + ")");
    say(ProofKind::missing, which + " has no " + lacks + " in " + where + ", and would not find its root file system" +
                                (kernel.host_only ? ": it was made for the old hardware alone" : ""));
  }

  void prove_card(const ObservedKernel &kernel) {
    const bool there = std::find(kernel.drivers.begin(), kernel.drivers.end(), "virtio_net") != kernel.drivers.end();
    say(there ? ProofKind::proven : ProofKind::missing,
        "kernel " + text::printable(kernel.version) + (there ? " has " : " has no ") + "virtio_net for the card");
  }

  void judge_names(const ObservedLinux &system) {
    for (const ObservedMount &mount : system.mounts) {
      const bool gone = to_.blk && mount.device.starts_with("/dev/sd");
      if (!gone && !follows_the_hardware(mount.device)) continue;
      say(ProofKind::warning, text::printable(mount.file) + " names " + text::printable(mount.device) + " for " +
                                  text::printable(mount.target) +
                                  (gone ? ", which is called vdX then" : ", which has another name on virtio"));
    }
  }

  // ---- Windows ----

  void prove(const ObservedWindows &system) {
    const std::string name = name_of(system);
    if (system.hibernated)
      say(ProofKind::missing,
          name + " is hibernated: with other controllers it would lose what it has not written yet");
    else if (system.fast_startup)
      say(ProofKind::warning, name + " hibernates when it is shut down (fast startup)");
    if (system.registry_dirty)
      say(ProofKind::warning, name + " has not written its registry to the end: what is said of it may be old");
    if (system.control_sets.empty()) return say(ProofKind::unknown, name + ": what it starts could not be read");
    if (to_.disks) prove_service(system, bus_.windows.front().front());
    if (to_.cards) prove_card(system);
  }

  static const ObservedService *service_of(const ObservedWindows &system, std::string_view name) {
    const auto &all = system.control_sets.front().services;
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const ObservedService &one) { return one.name == name; });
    return found == all.end() ? nullptr : &*found;
  }

  void prove_service(const ObservedWindows &system, const std::string &driver) {
    const ObservedService *service = service_of(system, driver);
    const std::string name = name_of(system);
    if (service == nullptr)
      return say(ProofKind::missing,
                 name + " has no driver " + driver + ": it would stop with INACCESSIBLE_BOOT_DEVICE (7B)");
    if (service->starts_at_boot()) return say(ProofKind::proven, name + " starts " + driver + " at boot");
    const std::string value = service->start_override ? "StartOverride is " + std::to_string(*service->start_override)
                                                      : "Start is " + std::to_string(service->start);
    say(ProofKind::missing, name + " has the driver " + driver + " and does not start it at boot (" + value +
                                "): it would stop with INACCESSIBLE_BOOT_DEVICE (7B)");
  }

  void prove_card(const ObservedWindows &system) {
    constexpr std::uint32_t kDisabled = 4;
    const ObservedService *service = service_of(system, "netkvm");
    const std::string name = name_of(system);
    if (service == nullptr) return say(ProofKind::missing, name + " has no driver netkvm for the card");
    if (service->start == kDisabled) return say(ProofKind::missing, name + " has the driver netkvm disabled");
    say(ProofKind::proven, name + " has netkvm for the card");
  }

  // A list of what has a driver, and is there: by spares.
  void prove(const std::vector<AgentDevice> &devices) {
    const auto prove_ids = [&](const std::set<std::string> &ids, const char *what) {
      for (const std::string &id : ids) {
        const auto found =
            std::find_if(devices.begin(), devices.end(), [&](const AgentDevice &one) { return one.id == id; });
        if (found == devices.end()) {
          say(ProofKind::missing, std::string("Windows has no driver for ") + what + " " + id);
        } else {
          say(ProofKind::proven, std::string("Windows has a driver for ") + what + " " + id + ": " +
                                     text::printable(found->driver) +
                                     (found->version.empty() ? "" : " " + text::printable(found->version)));
        }
      }
    };
    if (to_.disks) prove_ids(to_.ids.disks, "the disks' controller");
    if (to_.cards) prove_ids(to_.ids.cards, "the card");
  }

  void judge(const ObservedVolume &volume) {
    const auto opened_by = [&](const char *what) {
      return std::find(volume.protectors.begin(), volume.protectors.end(), what) != volume.protectors.end();
    };
    if (volume.content == "bitlocker" && opened_by("tpm") && !opened_by("clear-key"))
      say(ProofKind::warning, "the TPM opens BitLocker on " + volume.named() + ", which may ask for the recovery key");
  }

  const GuestEvidence &guest_;
  const SwitchTo &to_;
  const BusNeeds &bus_;
  std::vector<Proof> out_;
};

}  // namespace

const char *to_string(Proof::Kind kind) {
  switch (kind) {
    case ProofKind::proven: return "proven";
    case ProofKind::missing: return "missing";
    case ProofKind::warning: return "warning";
    case ProofKind::unknown: return "unknown";
  }
  return "";
}

std::vector<Proof> proofs_of(const GuestEvidence &guest, const SwitchTo &to) { return Prover(guest, to).all(); }

bool is_missing(const std::vector<Proof> &proofs) {
  return std::any_of(proofs.begin(), proofs.end(), [](const Proof &one) { return one.kind == ProofKind::missing; });
}

bool follows_the_hardware(const std::string &device) {
  constexpr std::string_view kById = "/dev/disk/by-id/", kByPath = "/dev/disk/by-path/";
  if (device.starts_with(kByPath)) return true;
  if (!device.starts_with(kById)) return false;
  // Those of volumes are their own.
  const std::string_view name = std::string_view(device).substr(kById.size());
  return !name.starts_with("dm-") && !name.starts_with("md-") && !name.starts_with("lvm-");
}

}  // namespace ferry::migration
