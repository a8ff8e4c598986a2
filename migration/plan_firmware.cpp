// SPDX-License-Identifier: Apache-2.0
#include "migration/plan_firmware.hpp"

#include <system_error>

#include "migration/findings.hpp"

namespace ferry::migration {

namespace {

namespace fs = std::filesystem;

// "OVMF_CODE_4M.fd" -> "OVMF_VARS_4M.fd" beside it.
std::optional<fs::path> template_beside(const fs::path &loader) {
  std::string name = loader.filename().string();
  const std::size_t code = name.find("CODE");
  if (code == std::string::npos) return std::nullopt;
  name.replace(code, 4, "VARS");
  std::error_code error;
  const fs::path file = loader.parent_path() / name;
  if (fs::is_regular_file(file, error)) return file;
  return std::nullopt;
}

// A machine of QEMU's own that names its firmware gets that one, and a copy of its store: the two belong together.
// The host's firmware of the same size stands for an image that is not here.
std::optional<FirmwarePlan> own_firmware(const Hardware &hardware, const target::Target &target,
                                         const fs::path &store) {
  if (hardware.machine_type.empty()) return std::nullopt;
  const Firmware &firmware = hardware.firmware;
  FirmwarePlan out;
  out.target.nvram = store;
  target::FirmwareImage &descriptor = out.target.descriptor;
  if (firmware.loader_file) {
    const auto vars = firmware.nvram_file ? firmware.nvram_file : template_beside(*firmware.loader_file);
    if (!vars) return std::nullopt;
    descriptor.loader = *firmware.loader_file;
    descriptor.nvram_template = *vars;
    const auto property = [&](const char *name) {
      const auto found = hardware.machine_properties.find(name);
      return found != hardware.machine_properties.end() && found->second == "on";
    };
    if (property("smm")) descriptor.features.insert("requires-smm");
    if (property("pflash-secure")) descriptor.features.insert("secure-boot");
    return out;
  }
  if (!firmware.nvram_file) return std::nullopt;
  const auto chosen = target.choose_firmware(hardware, false);
  std::error_code error;
  const std::uintmax_t size = fs::file_size(*firmware.nvram_file, error);
  if (error || !chosen || chosen->vars_size != size) return std::nullopt;
  descriptor = *chosen;
  descriptor.nvram_template = *firmware.nvram_file;
  return out;
}

}  // namespace

FirmwarePlan plan_store(const Hardware &hardware, const std::optional<firmware::NvramContents> &contents,
                        const target::Target &target, const std::filesystem::path &store,
                        std::vector<Finding> &findings) {
  if (auto own = own_firmware(hardware, target, store)) return std::move(*own);
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
