// SPDX-License-Identifier: Apache-2.0
#include "migration/firmware_store.hpp"

namespace ferry::migration {

namespace fs = std::filesystem;

std::vector<Finding> make_firmware_store(const FirmwarePlan &firmware, const Machine &, const fs::path &target) {
  std::error_code error;
  fs::copy_file(firmware.target.descriptor.nvram_template, target, error);
  if (!error) fs::permissions(target, fs::perms::owner_read | fs::perms::owner_write, error);
  if (error) {
    throw Error(ErrorKind::io, {.where = {firmware.target.descriptor.nvram_template, {}, {}},
                                .message = "the firmware's variable template cannot be copied: " + error.message()});
  }
  return {};
}

TpmStateResult place_tpm_state_for(const Machine &, const Uuid &, const std::string &) { return {}; }

}  // namespace ferry::migration
