// SPDX-License-Identifier: Apache-2.0
// What all mappings share: the input, the domain that grows, and the account of what became of each field.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "exporters/bookkeeper.hpp"
#include "exporters/libvirt/export.hpp"
#include "exporters/libvirt/findings.hpp"
#include "exporters/libvirt/xml/domain.hpp"

namespace ferry::libvirt {

// The slots of PCI bus 0. All devices of ours get an explicit address from here, so that libvirt's own
// assignment never collides with a slot that the guest knows.
class PciSlots {
 public:
  // `q35`: 1f is the chipset's own. On `pc` it is slot 1. Slot 0 is the host bridge in both.
  explicit PciSlots(bool q35);
  // Takes `wanted` (all functions) if it exists and is free.
  [[nodiscard]] std::optional<PciAddress> take(unsigned wanted);
  // `wanted` if that can be had, else a slot that no source platform uses for a fixed device, else any; nullopt
  // when the bus is full (libvirt then adds a bridge of its own).
  [[nodiscard]] std::optional<PciAddress> place(std::optional<unsigned> wanted);
  // Keeps a slot for a device that is placed later; numbers that are none of this bus are no matter.
  void reserve(unsigned slot) { mark(slot, true); }
  void release(unsigned slot) { mark(slot, false); }

 private:
  void mark(unsigned slot, bool reserved) {
    if (slot < reserved_.size()) reserved_[slot] = reserved;
  }
  std::array<bool, 32> used_{};
  std::array<bool, 32> reserved_{};
};

constexpr unsigned kVideoSlot = 2;  // libvirt's own choice on `pc` too

struct Board {
  bool q35 = false;
  bool root_port_names = false;  // "ens33": each NIC behind a root port with that number
};

using target::Field;
using target::field_at;

struct Mapping : target::Bookkeeper {
  explicit Mapping(const ExportInput &in);

  const ExportInput &input;
  const Machine &machine;
  const Hardware &hardware;
  const HostProfile &host;
  const target::Choices &options;
  Board board;
  PciSlots slots;
  Domain domain;
  std::vector<HostForward> host_ports;  // that the cards so far forward
  unsigned moved_slots = 0;             // of devices that could not stay where QEMU has them
  unsigned root_ports = 0;              // PCIe root ports so far; libvirt indexes them from 1

  [[nodiscard]] bool efi() const { return hardware.firmware.type != FirmwareType::bios; }
  [[nodiscard]] bool session() const;  // no cgroups, no host devices, no privileged ports
  [[nodiscard]] bool windows() const { return machine.guest_os.family == OsFamily::windows; }
  [[nodiscard]] bool linux_guest() const { return machine.guest_os.family == OsFamily::linux; }
  [[nodiscard]] bool host_has_libvirt(unsigned major, unsigned minor) const;
  // The folder of the machine's new files; empty when nothing is known of it.
  [[nodiscard]] std::filesystem::path target_folder() const;

  [[nodiscard]] DomainController *nvme_controller(unsigned index);  // null when there is none of that number

  // libvirt refuses a feature that is named twice: the first policy stays.
  void cpu_feature(std::string_view name, std::string_view policy);
  void taint(std::string_view why);      // the domain carries QEMU arguments of its own
  void listen(target::ListenPort port);  // and says when another machine does so too
};

// Sets that a host profile leaves empty are not known, so nothing is held against the host.
[[nodiscard]] bool has(const std::set<std::string> &set, std::string_view value);
[[nodiscard]] bool unknown_or_has(const std::set<std::string> &set, std::string_view value);

[[nodiscard]] Board choose_board(const Hardware &hardware, const Machine *machine, const HostProfile &host,
                                 const target::Choices *options, bool secure_boot);

// The host has a usable machine of that kind: the alias or any version of it.
[[nodiscard]] bool has_board(const HostProfile &host, bool q35);

// A descriptor of the host's suits the machine on that board.
[[nodiscard]] bool firmware_exists(const Hardware &hardware, const HostProfile &host, bool secure_boot, bool q35);

// Of every machine. The order in export.cpp matters: who comes first gets the slots.
void map_emulator(Mapping &m);        // board.cpp: what runs it
void map_identity(Mapping &m);        // identity.cpp: names, description, guest OS
void map_uuid(Mapping &m);            // smbios.cpp
void map_smbios(Mapping &m);          // smbios.cpp
void map_generation_id(Mapping &m);   // smbios.cpp
void map_memory(Mapping &m);          // memory.cpp
void map_macos(Mapping &m);           // macos.cpp: after the CPU
void map_firmware(Mapping &m);        // firmware.cpp
void map_nics(Mapping &m);            // network.cpp
void map_char_ports(Mapping &m);      // char_ports.cpp
void map_tpm(Mapping &m);             // tpm.cpp
void map_folders(Mapping &m);         // shared_folders.cpp
void map_boot_order(Mapping &m);      // boot.cpp: after storage and network
void place_channels(Mapping &m);      // display.cpp: after all other devices
void map_nvme_arguments(Mapping &m);  // nvme_arguments.cpp: after the boot order

// Of a machine of another platform, whose devices become the nearest that QEMU has. Their counterparts for a machine
// that QEMU's own names describe are in qemu_parts.hpp.
void map_board(Mapping &m);          // board.cpp
void map_large_pages(Mapping &m);    // memory.cpp
void map_cpu(Mapping &m);            // cpu.cpp
void map_clock(Mapping &m);          // clock.cpp
void map_storage(Mapping &m);        // storage.cpp
void map_display(Mapping &m);        // display.cpp
void map_exchange(Mapping &m);       // display.cpp: clipboard and dropped files
void map_sound(Mapping &m);          // display.cpp
void reserve_usb_slots(Mapping &m);  // usb_input.cpp
void map_usb_input(Mapping &m);      // usb_input.cpp

}  // namespace ferry::libvirt
