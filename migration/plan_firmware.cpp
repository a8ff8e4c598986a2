// SPDX-License-Identifier: Apache-2.0
#include "migration/plan_firmware.hpp"

#include <system_error>

#include "converters/firmware/findings.hpp"
#include "converters/firmware/made_entries.hpp"
#include "migration/findings.hpp"
#include "migration/scsi_firmware.hpp"

#include "support/on_host.hpp"

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
std::optional<FirmwarePlan> own_firmware(const Hardware &hardware, const std::optional<std::uint64_t> &store_size,
                                         const target::Target &target, const fs::path &store) {
  if (hardware.machine_type.empty()) return std::nullopt;
  Firmware firmware = hardware.firmware;
  if (!store_size) firmware.nvram_file.reset();
  FirmwarePlan out;
  out.target.nvram = store;
  if (store_size) out.image = store_image(firmware);
  target::FirmwareImage &descriptor = out.target.descriptor;
  if (firmware.loader_file) {
    const auto vars = firmware.nvram_file ? firmware.nvram_file : template_beside(*firmware.loader_file);
    if (!vars) return std::nullopt;
    descriptor.loader = *firmware.loader_file;
    // A store that is lost is made anew from the template, which must be one.
    descriptor.nvram_template = out.image ? template_beside(*firmware.loader_file).value_or(fs::path{}) : *vars;
    out.content = *vars;
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
  if (!chosen || chosen->vars_size != store_size) return std::nullopt;
  descriptor = *chosen;
  if (!out.image) descriptor.nvram_template = *firmware.nvram_file;
  out.content = *firmware.nvram_file;
  return out;
}

// Bytes of a store of QEMU's; nullopt, with a finding, where it cannot be used.
std::optional<std::uint64_t> size_of_store(const Firmware &firmware, const std::optional<MediumFacts> &image,
                                           std::vector<Finding> &findings) {
  if (!firmware.nvram_file) return std::nullopt;
  std::error_code error;
  if (!firmware.nvram_qcow2) {
    const std::uintmax_t size = on_host::file_size(*firmware.nvram_file, error);
    return error ? std::nullopt : std::optional<std::uint64_t>(size);
  }
  const auto refuse = [&](const std::string &why) -> std::optional<std::uint64_t> {
    findings.push_back(raise(firmware::kVariablesUnreadable, {.file = *firmware.nvram_file},
                             "the UEFI variables cannot be read: " + why));
    return std::nullopt;
  };
  if (!image) return std::nullopt;  // nobody has looked at it
  if (image->error) return refuse(image->error->detail().message);
  constexpr std::uint64_t kLargestStore = std::uint64_t{64} << 20U;  // as firmware::carry_variables() takes
  if (image->info->virtual_size > kLargestStore) return refuse("the image is larger than any store");
  if (!image->info->chain.empty() && image->info->chain.back().has_parent)
    return refuse("the image is a layer over another one");
  return image->info->virtual_size;
}

// "NAME_VARS.fd" -> "NAME_CODE.fd": where the code of an image goes that has both.
fs::path code_beside(const fs::path &store) {
  std::string name = store.filename().string();
  name.replace(name.rfind("VARS"), 4, "CODE");
  return store.parent_path() / name;
}

FirmwarePlan with_scsi_drivers(const target::FirmwareImage &found, const Hardware &hardware, const StoreFacts &facts,
                               const fs::path &store, std::vector<Finding> &findings) {
  FirmwarePlan out;
  out.target.descriptor = found;
  out.target.nvram = store;
  if (found.joint > 0) {
    out.joint = found.loader;
    out.target.descriptor.loader = code_beside(store);
  }
  if (facts.contents) out.variables = firmware::select_variables(*facts.contents, false);
  findings.push_back(raise(kFirmwareByDrivers, hardware.firmware.origin,
                           "the machine starts with the EFI firmware " + found.loader.string()));
  return out;
}

}  // namespace

FirmwarePlan plan_store(const Hardware &hardware, const StoreFacts &facts, const target::Target &target,
                        const std::filesystem::path &store, std::vector<Finding> &findings) {
  const std::optional<firmware::NvramContents> &contents = facts.contents;
  const auto size =
      hardware.machine_type.empty() ? std::nullopt : size_of_store(hardware.firmware, facts.image, findings);
  if (auto own = own_firmware(hardware, size, target, store)) return std::move(*own);
  const std::optional<bool> stored = contents ? firmware::secure_boot_of(*contents) : std::nullopt;
  bool secure_boot = hardware.firmware.secure_boot.value_or(stored.value_or(false));
  if (const auto *found = choose_scsi_firmware(facts.scsi_firmware, hardware, facts.asked, secure_boot))
    return with_scsi_drivers(*found, hardware, facts, store, findings);
  if (facts.asked)
    throw Error(ErrorKind::usage, {.where = hardware.firmware.origin,
                                   .message = "--firmware is for 64-bit EFI machines without Secure Boot",
                                   .advice = "Leave it out; the host's own firmware is used then."});
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

void make_boot_entries(FirmwarePlan &firmware, const Observed &observed, const Place &where,
                       std::vector<Finding> &findings) {
  if (!firmware.variables.boot_entries.empty() || !firmware.content.empty()) return;
  constexpr std::uint64_t kSector = 512;
  std::vector<firmware::SeenLoader> loaders;
  for (const ObservedLoader &loader : observed.loaders) {
    for (const ObservedVolume &volume : observed.volumes) {
      if (volume.disk != loader.disk || volume.number != loader.partition || volume.part_id.empty()) continue;
      loaders.push_back({.partition = static_cast<std::uint32_t>(volume.number),
                         .start = volume.start / kSector,
                         .length = volume.length / kSector,
                         .partition_id = volume.part_id,
                         .file = loader.file});
    }
  }
  firmware::Selection made = firmware::entries_for(loaders, firmware.target.descriptor.architecture, where);
  if (made.boot_entries.empty()) return;
  firmware.variables.boot_entries = std::move(made.boot_entries);
  firmware.variables.order = std::move(made.order);
  firmware.variables.kept = std::move(made.kept);
  findings.insert(findings.end(), made.findings.begin(), made.findings.end());
}

std::string described_store(const FirmwarePlan &plan) {
  const std::size_t kept = plan.variables.kept.size();
  return std::to_string(kept) + (kept == 1 ? " boot entry goes" : " boot entries go") + " into " +
         plan.target.nvram.filename().string();
}

}  // namespace ferry::migration
