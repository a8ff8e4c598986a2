// SPDX-License-Identifier: Apache-2.0
// The machine's firmware variables and TPM state on the target, out of the source's.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "migration/plan.hpp"

namespace ferry::migration {

// Makes `target` from the template of the chosen firmware, with the source's variables carried over where there
// are any. Findings tell what was left out. Throws Error io, or malformed for a template that is not one.
std::vector<Finding> make_firmware_store(const FirmwarePlan &firmware, const Machine &machine,
                                         const std::filesystem::path &target);

struct TpmStateResult {
  std::vector<std::filesystem::path> files;  // made outside of the destination
  std::vector<Finding> findings;
};
// Puts VirtualBox's TPM state where the connection's swtpm looks for it. Only a session connection's state folder
// belongs to the user; for others it is a finding.
TpmStateResult place_tpm_state_for(const Machine &machine, const Uuid &domain, const std::string &connect);

}  // namespace ferry::migration
