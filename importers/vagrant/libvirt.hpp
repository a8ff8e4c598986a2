// SPDX-License-Identifier: Apache-2.0
// A box for libvirt: what vagrant-libvirt makes of it.
#pragma once

#include "importers/common.hpp"
#include "importers/vagrant/box.hpp"

namespace ferry::vagrant {

// One machine. Throws Error malformed for metadata.json, missing for disks that are not there, unsupported for ARM.
[[nodiscard]] ImportedMachine import_libvirt(const Box &box, const ImportOptions &options);

}  // namespace ferry::vagrant
