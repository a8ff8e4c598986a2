// SPDX-License-Identifier: Apache-2.0
// One drive of a machine: what it is, and what is in it.
#pragma once

#include <string>

#include "importers/vmx/reader.hpp"
#include "model/hardware.hpp"

namespace ferry::vmx {

// `name` is the device's in the file ("scsi0:0"), `field` the drive in the model.
[[nodiscard]] Drive read_drive(Reader &reader, const std::string &name, const std::string &field);
[[nodiscard]] Drive read_floppy(Reader &reader, const std::string &name, const std::string &field);

}  // namespace ferry::vmx
