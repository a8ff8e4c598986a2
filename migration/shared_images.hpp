// SPDX-License-Identifier: Apache-2.0
// One image file never becomes two disks, unless the source itself declares it shared.
#pragma once

#include <string>

#include "migration/survey.hpp"

namespace ferry::migration {

// Looks at the disks of one state of the machine, whose field is `prefix`. Of two that have one image, by device and
// inode, the one that got it without being named so has the fault; of two that are both named so the later one.
void find_shared_images(const Machine &machine, const Hardware &hardware, const std::string &prefix, Survey &survey);

}  // namespace ferry::migration
