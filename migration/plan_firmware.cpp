// SPDX-License-Identifier: Apache-2.0
#include "migration/plan_firmware.hpp"

#include "migration/findings.hpp"

namespace ferry::migration {

FirmwarePlan plan_store(const Hardware &hardware, const std::optional<firmware::NvramContents> &contents,
                        const target::Target &target, const std::filesystem::path &store,
                        std::vector<Finding> &findings) {
  const std::optional<bool> stored = contents ? firmware::secure_boot_of(*contents) : std::nullopt;
  bool secure_boot = hardware.firmware.secure_boot.value_or(stored.value_or(false));
  FirmwarePlan out;
  try {
    out.target.descriptor = *target.choose_firmware(hardware, secure_boot);
  } catch (const Error &error) {
    if (!secure_boot) throw;
    secure_boot = false;
    findings.push_back(raise(kSecureBootDropped, hardware.firmware.origin, error.detail().message));
    out.target.descriptor = *target.choose_firmware(hardware, false);
  }
  out.target.nvram = store;
  out.target.secure_boot = secure_boot;
  if (contents) out.variables = firmware::select_variables(*contents, secure_boot);
  return out;
}

std::string described_store(const FirmwarePlan &plan) {
  const std::size_t kept = plan.variables.kept.size();
  return std::to_string(kept) + (kept == 1 ? " boot entry goes" : " boot entries go") + " into " +
         plan.target.nvram.filename().string();
}

}  // namespace ferry::migration
