// SPDX-License-Identifier: Apache-2.0
// oVirt's and RHV's dialect of OVF (facts: what ovirt-engine and virt-v2v write). Its envelope has the 1.x
// namespace with a slash more, its sections have the form of 0.9, and the machine's settings are elements of its own
// beside them. Disks name their bus in DiskSection, devices their kind in <Type> and <Device>.
#pragma once

#include "importers/ovf/item.hpp"

namespace ferry::ovf {

[[nodiscard]] bool is_ovirt(const xml::Element &envelope);

// The machine's identity, firmware and guest system: everything that is no section. Settles the rest of it.
void read_ovirt_machine(Context &in);
// Whether `element`, a child of the system, is one of oVirt's settings and no section.
[[nodiscard]] bool is_ovirt_setting(const Context &in, const SettingsReader &element);
// Boot order by the devices' <BootOrder>.
void read_ovirt_boot_order(Context &in, const std::vector<Item> &items);

// The controller of the bus that the disk of `item` is on, made when it is not there.
[[nodiscard]] std::size_t ovirt_controller(Context &in, const Item &item);
// rasd:ResourceSubType of a network card, "3".
[[nodiscard]] std::optional<NicModel> ovirt_nic_model(std::string_view subtype);
// Devices that are QEMU's own and have no ResourceType: balloon, random numbers, controllers, channels.
void settle_ovirt_device(const Item &item);

}  // namespace ferry::ovf
