// SPDX-License-Identifier: Apache-2.0
// Machines that QEMU's own names describe (Hardware::described_by_qemu()): every device is there already under its name
// and at its place, so nothing is chosen; libvirt is told what is.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {

// What libvirt calls a device model of QEMU's, as <model> or type: "virtio-net-pci" is "virtio". The name itself when
// libvirt passes it on.
[[nodiscard]] std::string libvirt_model(std::string_view device);

// The place as libvirt takes it. It has no slot 0 on a PCI bridge and no other slot behind a root port: what QEMU puts
// there moves, and a finding says so.
[[nodiscard]] PciAddress pci_address(Mapping &m, const PciPlace &place, const Place &where);
[[nodiscard]] UsbAddress usb_address(const Mapping &m, const UsbPlace &place);
// <address type='pci' .../> and <address type='usb' .../>
[[nodiscard]] DomainElement address_element(const PciAddress &address);
[[nodiscard]] DomainElement address_element(const UsbAddress &address);

// Properties that no element says go to <qemu:override> of the device with this alias.
void override_properties(Mapping &m, const std::string &alias, const std::map<std::string, std::string> &properties,
                         std::string_view field);

void map_qemu_board(Mapping &m);        // qemu_board.cpp: machine type and its properties, bridges, kernel
void map_qemu_large_pages(Mapping &m);  // qemu_board.cpp
void map_qemu_cpu(Mapping &m);          // qemu_cpu.cpp
void map_qemu_clock(Mapping &m);        // qemu_board.cpp
void map_qemu_storage(Mapping &m);      // qemu_storage.cpp
void map_qemu_display(Mapping &m);      // qemu_devices.cpp: video, sound, graphics
void map_qemu_devices(Mapping &m);      // qemu_devices.cpp: USB, input and the rest

}  // namespace ferry::libvirt
