// SPDX-License-Identifier: Apache-2.0
#include "migration/scsi_firmware.hpp"

#include <algorithm>
#include <array>
#include <system_error>

#include "converters/firmware/efi_drivers.hpp"
#include "migration/host.hpp"

#include "support/error.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// Where distributions put images that have no descriptor.
constexpr std::array kFolders{"/usr/share/ovmf", "/usr/share/OVMF", "/usr/share/edk2/ovmf", "/usr/share/edk2-ovmf/x64",
                              "/usr/share/edk2/x64"};

target::FirmwareImage image_of(const fs::path &file, const firmware::EfiImage &content) {
  target::FirmwareImage out;
  out.description = "EFI firmware " + file.string();
  out.loader = file;
  out.architecture = "x86_64";
  out.machines = {"pc-i440fx-*", "pc-q35-*"};
  out.joint = content.variables;
  out.vars_size = content.variables;
  if (content.pvscsi) out.scsi_models.insert("vmpvscsi");
  if (content.fusion_mpt) out.scsi_models.insert("lsisas1068");
  return out;
}

// Firmware of the host's that has a descriptor, without Secure Boot.
void add_described(std::vector<target::FirmwareImage> &out) {
  for (target::FirmwareImage image : host_firmware()) {
    if (image.features.contains("secure-boot") || image.architecture != "x86_64") continue;
    try {
      image.scsi_models = image_of(image.loader, firmware::examine_efi_image(image.loader)).scsi_models;
    } catch (const Error &) {  // what libvirt makes of it is not our business
      continue;
    }
    if (!image.scsi_models.empty()) out.push_back(std::move(image));
  }
}

// Images that are both in one file: of code alone nobody says which store belongs to it.
void add_undescribed(std::vector<target::FirmwareImage> &out) {
  std::vector<fs::path> files;
  for (const char *folder : kFolders) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      if (entry->path().extension() == ".fd") files.push_back(entry->path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const fs::path &file : files) {
    try {
      target::FirmwareImage image = image_of(file, firmware::examine_efi_image(file));
      if (image.joint > 0 && !image.scsi_models.empty()) out.push_back(std::move(image));
    } catch (const Error &) {  // a store, or nothing of ours
    }
  }
}

// "OVMF_CODE.fd" -> "OVMF_VARS.fd" beside it.
fs::path store_beside(const fs::path &code) {
  std::string name = code.filename().string();
  const std::size_t at = name.find("CODE");
  if (at == std::string::npos) return {};
  name.replace(at, 4, "VARS");
  std::error_code error;
  const fs::path file = code.parent_path() / name;
  return fs::is_regular_file(file, error) ? file : fs::path();
}

target::FirmwareImage named(const fs::path &file) {
  const fs::path path = fs::absolute(file).lexically_normal();
  target::FirmwareImage out = image_of(path, firmware::examine_efi_image(path));
  if (out.joint > 0) return out;
  out.nvram_template = store_beside(path);
  std::error_code error;
  out.vars_size = fs::file_size(out.nvram_template, error);
  if (out.nvram_template.empty() || error)
    throw Error(ErrorKind::usage, {.where = {.file = path, .path = "--firmware"},
                                   .message = "the firmware's variables are not found",
                                   .expected = "a file of the same name beside it with VARS in the place of CODE, or "
                                               "an image that has both"});
  return out;
}

}  // namespace

std::set<std::string> scsi_wanted(const Hardware &hardware) {
  std::set<std::string> out;
  if (hardware.firmware.type == FirmwareType::bios || hardware.described_by_qemu()) return out;
  for (const Controller &controller : hardware.controllers) {
    const bool disks = std::any_of(controller.drives.begin(), controller.drives.end(), [](const Drive &drive) {
      return drive.kind == DriveKind::disk && drive.medium.has_value();
    });
    if (disks && controller.type == ControllerType::pvscsi) out.insert("vmpvscsi");
    if (disks && controller.type == ControllerType::lsilogic_sas) out.insert("lsisas1068");
  }
  return out;
}

std::vector<target::FirmwareImage> find_scsi_firmware(const Hardware &hardware, const Options &options) {
  std::vector<target::FirmwareImage> out;
  if (options.firmware) {
    out.push_back(named(*options.firmware));
  } else if (!scsi_wanted(hardware).empty() && !hardware.firmware.secure_boot.value_or(false) &&
             !options.host_profile && !options.hardware.disk_bus) {
    add_described(out);
    add_undescribed(out);
  }
  return out;
}

const target::FirmwareImage *choose_scsi_firmware(const std::vector<target::FirmwareImage> &found,
                                                  const Hardware &hardware, bool asked, bool secure_boot) {
  if (secure_boot || hardware.firmware.type != FirmwareType::efi64) return nullptr;
  if (asked) return found.empty() ? nullptr : &found.front();
  const std::set<std::string> wanted = scsi_wanted(hardware);
  if (wanted.empty()) return nullptr;
  const auto suits = std::find_if(found.begin(), found.end(), [&](const target::FirmwareImage &image) {
    return std::includes(image.scsi_models.begin(), image.scsi_models.end(), wanted.begin(), wanted.end());
  });
  return suits == found.end() ? nullptr : &*suits;
}

}  // namespace ferry::migration
