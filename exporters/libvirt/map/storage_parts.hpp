// SPDX-License-Identifier: Apache-2.0
// What the files about drives share: storage.cpp, qemu_storage.cpp, drive_identity.cpp, storage_account.cpp. `c` is the
// number of the controller in the model, `d` that of the drive on it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "exporters/libvirt/map/storage_buses.hpp"

namespace ferry::libvirt {

// "controllers.0.drives.1.serial"
[[nodiscard]] std::string drive_field(std::size_t c, std::size_t d);
[[nodiscard]] std::string drive_field(std::size_t c, std::size_t d, FieldOf<Drive> member);
// "Disk 0:1 on 'IDE' (PIIX4)"
[[nodiscard]] std::string drive_label(const Controller &controller, const Drive &drive);
// The end of a device's name in the guest: 0 is "a", 25 "z", 26 "aa".
[[nodiscard]] std::string drive_letters(std::size_t number);
// What the planner made of the drive's medium; null: the drive is empty, or the disk is left out.
[[nodiscard]] const target::Medium *medium_of(const Mapping &m, std::size_t c, std::size_t d);
[[nodiscard]] DriveNeeds needs_of(const Mapping &m, std::size_t c, std::size_t d);

// What a disk reads besides its own image, and that nothing is lost when that cannot be read: QEMU stops the machine
// instead of telling the guest. After the disk has its medium's image.
void map_backing(const Mapping &m, const target::Medium &medium, DomainDisk &disk);

// drive_identity.cpp: serial number, world wide name and model string.
void map_drive_identity(Mapping &m, std::size_t c, std::size_t d, const BusChoice &choice, DomainDisk &disk);

// storage_account.cpp: what became of the settings, with findings for what the guest may notice.
void settle_drive(Mapping &m, std::size_t c, std::size_t d, const Buses::Position &position, const BusChoice &used);
void settle_controller(Mapping &m, std::size_t c);

}  // namespace ferry::libvirt
