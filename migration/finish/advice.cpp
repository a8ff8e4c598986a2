// SPDX-License-Identifier: Apache-2.0
// Facts: names of packages in Debian 12, Ubuntu 24.04, Fedora 40, openSUSE and Arch; VirtualBox' manual, "Guest
// Additions"; pnputil and Get-PnpDevice as Microsoft documents them. No Windows was run.
#include "migration/finish/advice.hpp"

#include <algorithm>
#include <array>

#include "model/guest_tools.hpp"

#include "support/text.hpp"

namespace ferry::migration {
namespace {

constexpr const char *kModules = "virtio_pci virtio_scsi virtio_blk virtio_net";

enum class Packages { apt, dnf, zypper, pacman, unknown };

Packages packages_of(const ObservedLinux &system) {
  struct Row {
    const char *id;
    Packages packages;
  };
  constexpr std::array kRows{Row{"debian", Packages::apt},           Row{"ubuntu", Packages::apt},
                             Row{"linuxmint", Packages::apt},        Row{"raspbian", Packages::apt},
                             Row{"fedora", Packages::dnf},           Row{"rhel", Packages::dnf},
                             Row{"centos", Packages::dnf},           Row{"rocky", Packages::dnf},
                             Row{"almalinux", Packages::dnf},        Row{"ol", Packages::dnf},
                             Row{"opensuse-leap", Packages::zypper}, Row{"opensuse-tumbleweed", Packages::zypper},
                             Row{"sles", Packages::zypper},          Row{"arch", Packages::pacman},
                             Row{"manjaro", Packages::pacman}};
  for (const Row &row : kRows)
    if (system.id == row.id) return row.packages;
  return Packages::unknown;
}

// Of one thing in each of them; an empty word: it is not there.
struct PackageNames {
  const char *apt, *dnf, *zypper, *pacman;
};

std::string package_in(const PackageNames &names, Packages packages) {
  switch (packages) {
    case Packages::apt: return names.apt;
    case Packages::dnf: return names.dnf;
    case Packages::zypper: return names.zypper;
    case Packages::pacman: return names.pacman;
    case Packages::unknown: break;
  }
  return {};
}

std::string removal(Packages packages, const std::string &names) {
  switch (packages) {
    case Packages::apt: return "apt purge " + names;
    case Packages::dnf: return "dnf remove " + names;
    case Packages::zypper: return "zypper remove " + names;
    case Packages::pacman: return "pacman -Rs " + names;
    case Packages::unknown: break;
  }
  return {};
}

std::string installation(Packages packages, const std::string &names) {
  switch (packages) {
    case Packages::apt: return "apt install " + names;
    case Packages::dnf: return "dnf install " + names;
    case Packages::zypper: return "zypper install " + names;
    case Packages::pacman: return "pacman -S " + names;
    case Packages::unknown: break;
  }
  return {};
}

template <class System>
bool has_tool(const System &system, const char *name) {
  return std::find(system.tools.begin(), system.tools.end(), name) != system.tools.end();
}

// ---- Linux ----

constexpr PackageNames kAdditionsPackages{"virtualbox-guest-utils virtualbox-guest-x11", "virtualbox-guest-additions",
                                          "virtualbox-guest-tools", "virtualbox-guest-utils"};
constexpr PackageNames kVmToolsPackages{"open-vm-tools", "open-vm-tools", "open-vm-tools", "open-vm-tools"};
constexpr PackageNames kAgentPackages{"qemu-guest-agent", "qemu-guest-agent", "qemu-guest-agent", "qemu-guest-agent"};

void clean_linux(const ObservedLinux &system, std::vector<std::string> &out) {
  const Packages packages = packages_of(system);
  const auto remove = [&](const char *tool, const PackageNames &names, const std::string &otherwise) {
    if (!has_tool(system, tool)) return;
    const std::string package = package_in(names, packages);
    const std::string with = package.empty() ? "its package manager" : "'" + removal(packages, package) + "'";
    out.push_back(std::string(tool) + " can go: with " + with + otherwise + ".");
  };
  remove(kGuestAdditions, kAdditionsPackages,
         ", or with '/opt/VBoxGuestAdditions-*/uninstall.sh' where they came from a CD");
  remove(kOpenVmTools, kVmToolsPackages, "");
  for (const ObservedMount &mount : system.mounts) {
    if (mount.device.starts_with(".host:/"))
      out.push_back("The line of " + text::printable(mount.device) + " in " + text::printable(mount.file) +
                    " can go: it is a folder that VMware shared.");
  }
  if (!has_tool(system, kQemuAgent)) {
    const std::string with = installation(packages, package_in(kAgentPackages, packages));
    out.push_back("QEMU's guest agent is not there: " +
                  (with.empty() ? std::string("install the package qemu-guest-agent") : "'" + with + "'") +
                  ". With it the host sees the guest's name and addresses, and can shut it down.");
  }
}

// ---- Windows ----

// Since Windows 10 2004 pnputil removes devices.
bool has_pnputil_removal(const ObservedWindows &system) {
  constexpr std::uint64_t kFirst = 19041;
  const std::size_t dot = system.version.rfind('.');
  const std::string build = dot == std::string::npos ? "" : system.version.substr(dot + 1);
  return text::parse_u64(build).value_or(0) >= kFirst;
}

void clean_ghosts(bool pnputil, std::vector<std::string> &out) {
  if (pnputil) {
    out.emplace_back(
        "Old network cards are hidden devices. In PowerShell as administrator, "
        "'Get-PnpDevice -Class Net -Status Unknown' lists them, and 'pnputil /remove-device \"INSTANCE ID\"' removes "
        "one.");
  } else {
    out.emplace_back(
        "Old network cards are hidden devices. In a command prompt as administrator, "
        "'set devmgr_show_nonpresent_devices=1' and then 'devmgmt.msc'; View > Show hidden devices shows them grey "
        "below Network adapters, where Uninstall removes them.");
  }
}

void clean_windows(const ObservedWindows &system, bool card_changed, std::vector<std::string> &out) {
  for (const char *tool : {kVmwareTools, kGuestAdditions}) {
    if (has_tool(system, tool))
      out.push_back(std::string(tool) + " can go: in 'appwiz.cpl' (Programs and Features), Uninstall.");
  }
  if (!has_tool(system, kQemuAgent))
    out.emplace_back(
        "QEMU's guest agent is not there: guest-agent\\qemu-ga-x86_64.msi on the virtio-win CD installs it.");
  if (!card_changed) return;
  for (const ObservedAddress &one : system.addresses) {
    std::string all;
    for (const std::string &address : one.addresses) all += (all.empty() ? "" : ", ") + text::printable(address);
    out.push_back("The connection \"" + text::printable(one.adapter) + "\" had " + all +
                  ": give it to the new card once the old one is removed.");
  }
  clean_ghosts(has_pnputil_removal(system), out);
}

}  // namespace

std::string initramfs_command(const Observed &observed) {
  std::string debian =
      std::string("printf '%s\\n' ") + kModules + " >>/etc/initramfs-tools/modules && update-initramfs -u -k all";
  std::string dracut = std::string("dracut --force --regenerate-all --add-drivers \"") + kModules + "\"";
  if (observed.linux_systems.empty()) return debian;
  const ObservedLinux &system = observed.linux_systems.front();
  const bool named =
      !system.kernels.empty() && system.kernels.front().initramfs.find("/initrd.img-") != std::string::npos;
  return named || packages_of(system) == Packages::apt ? debian : dracut;
}

std::vector<std::string> windows_driver_steps() {
  return {"Start the machine. In Windows, run virtio-win-guest-tools.exe from the CD.",
          "Turn fast startup off: 'powercfg /h off' in a command prompt as administrator.",
          "Write down the output of 'ipconfig /all': to Windows the new card is another one.",
          "Wait until Disk Management (diskmgmt.msc) shows the spare disk of 64 MiB, then shut down."};
}

std::vector<std::string> clean_up_steps(const GuestEvidence &guest, bool card_changed) {
  std::vector<std::string> out;
  for (const ObservedLinux &one : guest.observed.linux_systems) clean_linux(one, out);
  for (const ObservedWindows &one : guest.observed.windows) clean_windows(one, card_changed, out);
  if (guest.observed.windows.empty() && guest.devices && card_changed) clean_ghosts(false, out);
  return out;
}

}  // namespace ferry::migration
