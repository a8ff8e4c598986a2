// SPDX-License-Identifier: Apache-2.0
// A domain turned into one that touches nothing of the machine or of the host: another name, overlays in the place of
// its disks, a variable store of its own, cables out, nothing shared with the host.
#pragma once

#include <string>

#include "exporters/target.hpp"

namespace ferry::libvirt::edit {

// What the domain has that a trial needs copies of. Throws Error unsupported, naming the device, for what cannot be
// kept from being touched: encrypted and network disks, whole SCSI devices, NVDIMMs, QEMU arguments with files in them.
[[nodiscard]] target::TrialNeeds trial_needs(const std::string &domain_xml);

// The domain with these parts in the place of its own. `parts` has an overlay for each of the needs' disks. The guest
// reads the UUID that it has always read. Throws as trial_needs().
[[nodiscard]] std::string trial_domain(const std::string &domain_xml, const target::TrialParts &parts);

}  // namespace ferry::libvirt::edit
