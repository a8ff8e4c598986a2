// SPDX-License-Identifier: Apache-2.0
// Virtio in two phases, on libvirt's own inactive XML: spares, so that a guest takes its drivers in use, and then the
// disks and cards themselves. Only what has to change is touched.
#pragma once

#include <string>

#include "exporters/virtio.hpp"

namespace ferry::libvirt::edit {

[[nodiscard]] target::VirtioState virtio_state(const std::string &domain_xml);

// With a virtio-scsi (or virtio-blk) disk and a virtio card with its link down, at PCI ids that the final devices will
// have (transitional or modern), and a channel for the agent.
[[nodiscard]] std::string with_spares(const std::string &domain_xml, const target::VirtioSpares &spares,
                                      const target::VirtioChoice &choice);

// Of the devices on virtio that a document has, spares aside.
[[nodiscard]] target::VirtioIds virtio_ids(const std::string &domain_xml);

// With disks and cards on virtio, and without the spares. With virtio-scsi sdX names stay, and the controller takes the
// place of the first one that is empty then. Cards keep MAC and slot. Adds a balloon and a random number generator, and
// with KVM the host's processor and, for Windows, enlightenments of Hyper-V.
// Throws Error unsupported where there is nothing to switch.
[[nodiscard]] std::string on_virtio(const std::string &domain_xml, const target::VirtioChoice &choice);

}  // namespace ferry::libvirt::edit
