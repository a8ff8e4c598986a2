// SPDX-License-Identifier: Apache-2.0
// What the edits of a domain on its way to virtio share: which devices are old, which are ours, what is free. Private
// to edit/virtio and edit/spares.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "exporters/libvirt/edit/tree.hpp"

namespace ferry::libvirt::edit {

// Aliases of spares; libvirt keeps those that begin with "ua-".
inline constexpr std::string_view kSpare = "ua-ferry-spare-";
// The channel of QEMU's guest agent.
inline constexpr const char *kAgent = "org.qemu.guest_agent.0";

// Throws Error malformed.
[[nodiscard]] Element parsed_machine(const std::string &domain_xml);
// `text` with what others keep in <metadata> of `original`, with the prefixes that they gave it.
[[nodiscard]] std::string with_metadata_of(const std::string &original, std::string text);

[[nodiscard]] bool is_spare(const Element &device);
// One of the machine's own: no CD, no spare.
[[nodiscard]] bool is_hard_disk(const Element &device);
[[nodiscard]] bool is_controller(const Element &device, std::string_view type, std::string_view index);
// Null: the document names none.
[[nodiscard]] const Element *controller_of(const Element &devices, const Element &disk);
[[nodiscard]] bool is_virtio_scsi(const Element *controller);
// A disk on a controller that virtio is faster than.
[[nodiscard]] bool is_to_move(const Element &devices, const Element &device);
[[nodiscard]] bool is_old_card(const Element &device);
[[nodiscard]] bool has_agent_channel(const Element &devices);

// "0x0d" is 13.
[[nodiscard]] std::uint64_t hex_number(const std::string &text);
// Virtio devices are modern ones behind a PCI Express port, and transitional ones, of other ids, everywhere else.
[[nodiscard]] bool is_port(const Element &devices, const std::string &bus);
[[nodiscard]] bool has_express(const Element &devices);

// Of a SCSI controller: the next one, as libvirt adds controllers for indexes that are left out.
[[nodiscard]] std::string free_index(const Element &devices);
// "sdc": the first that no disk has. Throws Error unsupported when there is none.
[[nodiscard]] std::string free_name(const Element &devices, const std::string &prefix);
void put_on_scsi(Element &disk, const std::string &index, std::size_t unit);

}  // namespace ferry::libvirt::edit
