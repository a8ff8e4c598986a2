// SPDX-License-Identifier: Apache-2.0
// Which files of a machine lie outside of its folder, and whether they may be used (support/reach.hpp has the rule).
#pragma once

#include <string>
#include <vector>

#include "migration/options.hpp"
#include "model/machine.hpp"

#include "support/reach.hpp"

namespace ferry::migration {

[[nodiscard]] reach::Limits limits_of(const Machine &machine, const Options &options);

struct OutsideFile {
  std::string field;  // of the drive or the firmware: "hardware.controllers.0.drives.1"
  Place where;
  std::string what;  // "the disk", "the CD image", "the firmware's variables"
  bool is_disk = false;
  bool is_removable = false;
  reach::Judgement judgement;
};

// In every state of the machine, once for each use; those inside are left out.
[[nodiscard]] std::vector<OutsideFile> files_outside(const Machine &machine, const Options &options);

[[nodiscard]] Error refusal(const OutsideFile &file);
// For what is allowed, and for what is not where nothing is opened yet (inspect). Each file once.
[[nodiscard]] std::vector<Finding> findings_of(const std::vector<OutsideFile> &files);

// --input-format raw: takes NAME-flat.vmdk where a VMDK's descriptor NAME.vmdk is not there, and content that is of no
// known format, as raw disks.
void take_raw_images(Machine &machine, const Options &options);

}  // namespace ferry::migration
