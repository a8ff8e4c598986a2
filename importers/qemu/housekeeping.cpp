// SPDX-License-Identifier: Apache-2.0
// Options that say how the process runs, not what the guest sees; and those that cannot be carried.
#include <algorithm>
#include <array>

#include "importers/qemu/context.hpp"

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

struct Row {
  std::string_view name;
  Disposition disposition;
  std::string_view note;
  bool told = false;  // a finding says it
};
constexpr Disposition kIrrelevant = Disposition::irrelevant, kDrop = Disposition::dropped;
constexpr std::string_view kProcess = "how the process runs on the host";
constexpr std::string_view kHow = "how the host runs the machine";
constexpr std::string_view kMonitor = "libvirt has a monitor of its own";
constexpr std::string_view kWindow = "the window on the host";

constexpr std::array kRows{
    Row{"accel", kIrrelevant, kHow},
    Row{"enable-kvm", kIrrelevant, kHow},
    Row{"no-kvm", kIrrelevant, kHow},
    Row{"enable-kqemu", kIrrelevant, kHow},
    Row{"kernel-kqemu", kIrrelevant, kHow},
    Row{"no-kqemu", kIrrelevant, kHow},
    Row{"enable-hax", kIrrelevant, kHow},
    Row{"no-kvm-irqchip", kIrrelevant, kHow},
    Row{"no-kvm-pit", kIrrelevant, kHow},
    Row{"no-kvm-pit-reinjection", kIrrelevant, kHow},
    Row{"tb-size", kIrrelevant, kHow},
    Row{"singlestep", kIrrelevant, kHow},
    Row{"one-insn-per-tb", kIrrelevant, kHow},
    Row{"realtime", kIrrelevant, kHow},
    Row{"overcommit", kIrrelevant, kHow},
    Row{"sandbox", kIrrelevant, kProcess},
    Row{"pidfile", kIrrelevant, kProcess},
    Row{"daemonize", kIrrelevant, kProcess},
    Row{"msg", kIrrelevant, kProcess},
    Row{"runas", kIrrelevant, kProcess},
    Row{"run-with", kIrrelevant, kProcess},
    Row{"async-teardown", kIrrelevant, kProcess},
    Row{"chroot", kIrrelevant, kProcess},
    Row{"trace", kIrrelevant, kProcess},
    Row{"d", kIrrelevant, kProcess},
    Row{"D", kIrrelevant, kProcess},
    Row{"dfilter", kIrrelevant, kProcess},
    Row{"L", kIrrelevant, "where QEMU looks for its firmware"},
    Row{"no-user-config", kIrrelevant, kProcess},
    Row{"nodefconfig", kIrrelevant, kProcess},
    Row{"iscsi", kIrrelevant, kProcess},
    Row{"id", kIrrelevant, "Proxmox VE's number of the machine"},
    Row{"S", kIrrelevant, "the machine waits at its start"},
    Row{"s", kIrrelevant, "a debugger's port"},
    Row{"gdb", kIrrelevant, "a debugger's port"},
    Row{"seed", kIrrelevant, kProcess},
    Row{"add-fd", kIrrelevant, kProcess},
    Row{"compat", kIrrelevant, kProcess},
    Row{"preconfig", kIrrelevant, kProcess},
    Row{"only-migratable", kIrrelevant, kProcess},
    Row{"plugin", kIrrelevant, kProcess},
    Row{"qtest", kIrrelevant, kProcess},
    Row{"qtest-log", kIrrelevant, kProcess},
    Row{"enable-fips", kIrrelevant, kProcess},
    Row{"dump-vmstate", kIrrelevant, kProcess},
    Row{"enable-sync-profile", kIrrelevant, kProcess},
    Row{"perfmap", kIrrelevant, kProcess},
    Row{"jitdump", kIrrelevant, kProcess},
    Row{"writeconfig", kIrrelevant, kProcess},
    Row{"action", kIrrelevant, "what the process does when the guest stops"},
    Row{"no-reboot", kIrrelevant, "what the process does when the guest restarts"},
    Row{"no-shutdown", kIrrelevant, "what the process does when the guest stops"},
    Row{"monitor", kIrrelevant, kMonitor},
    Row{"mon", kIrrelevant, kMonitor},
    Row{"qmp", kIrrelevant, kMonitor},
    Row{"qmp-pretty", kIrrelevant, kMonitor},
    Row{"echr", kIrrelevant, kMonitor},
    Row{"full-screen", kIrrelevant, kWindow},
    Row{"sdl", kIrrelevant, kWindow},
    Row{"curses", kIrrelevant, kWindow},
    Row{"no-frame", kIrrelevant, kWindow},
    Row{"alt-grab", kIrrelevant, kWindow},
    Row{"ctrl-grab", kIrrelevant, kWindow},
    Row{"no-quit", kIrrelevant, kWindow},
    Row{"rotate", kIrrelevant, kWindow},
    Row{"portrait", kIrrelevant, kWindow},
    Row{"g", kIrrelevant, "of other architectures"},
    Row{"k", kIrrelevant, "the keyboard of a viewer"},
    Row{"prom-env", kIrrelevant, "of other architectures"},
    Row{"semihosting", kIrrelevant, "of other architectures"},
    Row{"semihosting-config", kIrrelevant, "of other architectures"},
    Row{"old-param", kIrrelevant, "of other architectures"},
    Row{"mtdblock", kDrop, "of other architectures", true},
    Row{"sd", kDrop, "a PC has no SD card slot", true},
    Row{"win2k-hack", kDrop, "for the installation of Windows 2000 only", true},
    Row{"no-fd-bootchk", kIrrelevant, "an old firmware's check"},
    Row{"tdf", kIrrelevant, kHow},
    Row{"rtc-td-hack", kIrrelevant, kHow},
    Row{"clock", kIrrelevant, kHow},
    Row{"audio-help", kIrrelevant, kProcess},
    Row{"smb", kDrop, "the user network's folder is not shared", true},
    Row{"tftp", kDrop, "the user network's TFTP server", true},
    Row{"bootp", kDrop, "the user network's boot file", true},
    Row{"xen-domid", kDrop, "Xen's", true},
    Row{"xen-attach", kDrop, "Xen's", true},
    Row{"xen-domid-restrict", kDrop, "Xen's", true},
    Row{"dtb", kDrop, "of other architectures", true},
    Row{"shim", kDrop, "the kernel is started without it", true},
    Row{"set", kDrop, "a property set by hand is not carried over", true},
    Row{"numa", kDrop, "memory is on one node", true},
};

}  // namespace

void read_housekeeping(Context &c) {
  for (const Row &row : kRows) {
    for (Option *option : c.all(row.name)) {
      c.settle(*option, row.disposition, row.note);
      if (row.told) {
        c.raise(kDropped, option->where, option->written + " is not carried over: " + std::string(row.note) + ".");
      }
    }
  }
  for (Option *option : c.all("machine")) {
    for (const Key &key : option->keys) {
      if (key.taken) continue;
      c.raise(kDropped, option->where,
              "The machine's property '" + text::printable(key.name) + "' is not carried over.");
      break;
    }
    c.settle_rest(*option, Disposition::dropped, "libvirt has no such property of a board");
  }
  // Without a watchdog of its own; Q35's chipset has one, which -global switches on.
  for (Option *option : c.all("watchdog-action")) {
    if (option->taken || (!option->keys.empty() && option->keys.front().taken)) continue;
    auto &arguments = c.hardware().qemu_arguments;
    const bool chipset = std::find(arguments.begin(), arguments.end(), "ICH9-LPC.noreboot=off") != arguments.end();
    if (chipset && !has_open(option->argument)) {
      c.take_rest(*option, "hardware.qemu_arguments");
      arguments.insert(arguments.end(), {"-watchdog-action", option->argument});
    } else {
      c.settle(*option, Disposition::irrelevant, "the machine has no watchdog");
    }
  }
  for (const std::string_view name : {"incoming", "loadvm"}) {
    for (Option *option : c.all(name)) {
      c.settle(*option, Disposition::dropped, "a saved machine cannot be resumed");
      c.raise(kSavedState, option->where, "The command resumes a saved machine (" + option->written + ").");
    }
  }
  for (const std::string_view name : {"acpitable", "fw_cfg", "icount", "option-rom"}) {
    for (Option *option : c.all(name)) {
      c.take_rest(*option, "hardware.qemu_arguments");
      c.ask(option->argument, option->where);
      c.hardware().qemu_arguments.insert(c.hardware().qemu_arguments.end(),
                                         {option->written, without_opens(option->argument)});
      c.raise(kCommandlineKept, option->where,
              "libvirt has no element for " + option->written + "; QEMU gets it as it is.");
    }
  }
}

}  // namespace ferry::qemu
