// SPDX-License-Identifier: Apache-2.0
// Firmware descriptors: small JSON files by which distributions say which firmware image goes with which variable
// store, machine types and features. The facts come from QEMU's docs/interop/firmware.json. Known deviants: "mode"
// is missing in descriptors written before QEMU 7.0 (then it is "split"); Fedora and Arch name qcow2 stores, which
// cannot be edited in place and are left out here.
#include "exporters/libvirt/host/firmware_descriptors.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>

#include "support/folders.hpp"

namespace ferry::libvirt {

namespace {

using Json = nlohmann::json;

// Distribution descriptors have about 1 KiB.
constexpr std::uintmax_t kMaxDescriptorBytes = 1U << 20U;

std::string text_of(const Json &object, const char *name) {
  const auto member = object.is_object() ? object.find(name) : object.end();
  if (!object.is_object() || member == object.end() || !member->is_string()) return {};
  return member->get<std::string>();
}

const Json &member_of(const Json &object, const char *name) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto member = object.find(name);
  return member == object.end() ? kNull : *member;
}

std::vector<std::string> texts_of(const Json &object, const char *name) {
  std::vector<std::string> out;
  for (const Json &item : member_of(object, name)) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

bool contains(const std::vector<std::string> &list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// File name -> the file that holds under it, in the order in which libvirt tries them.
std::map<std::string, std::filesystem::path> effective_files(const std::vector<std::filesystem::path> &folders) {
  std::map<std::string, std::filesystem::path> out;
  for (const std::filesystem::path &folder : folders) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (entry->path().extension() != ".json" || name.starts_with('.')) continue;
      out[name] = entry->path();
    }
  }
  return out;
}

std::string read_small(const std::filesystem::path &file) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (error || size > kMaxDescriptorBytes) return {};
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>{stream}, {}};
}

}  // namespace

std::vector<target::FirmwareImage> parse_firmware_descriptor(std::string_view json) {
  const Json document = Json::parse(json, nullptr, false);
  const Json &mapping = member_of(document, "mapping");
  const Json &executable = member_of(mapping, "executable");
  const Json &store = member_of(mapping, "nvram-template");
  const std::string mode = text_of(mapping, "mode");
  if (!contains(texts_of(document, "interface-types"), "uefi") || text_of(mapping, "device") != "flash" ||
      (!mode.empty() && mode != "split") || text_of(executable, "format") != "raw" ||
      text_of(store, "format") != "raw") {
    return {};
  }
  target::FirmwareImage common;
  common.description = text_of(document, "description");
  common.loader = text_of(executable, "filename");
  common.nvram_template = text_of(store, "filename");
  for (std::string &feature : texts_of(document, "features")) common.features.insert(std::move(feature));
  if (!common.loader.is_absolute() || !common.nvram_template.is_absolute()) return {};

  std::vector<target::FirmwareImage> out;
  for (const Json &target : member_of(document, "targets")) {
    target::FirmwareImage firmware = common;
    firmware.architecture = text_of(target, "architecture");
    firmware.machines = texts_of(target, "machines");
    if (!firmware.architecture.empty()) out.push_back(std::move(firmware));
  }
  return out;
}

std::vector<target::FirmwareImage> read_firmware_descriptors(const std::vector<std::filesystem::path> &folders) {
  std::vector<target::FirmwareImage> out;
  for (const auto &[name, file] : effective_files(folders)) {
    for (target::FirmwareImage &firmware : parse_firmware_descriptor(read_small(file))) {
      std::error_code error;
      if (!std::filesystem::is_regular_file(firmware.loader, error)) continue;
      const std::uintmax_t size = std::filesystem::file_size(firmware.nvram_template, error);
      if (error) continue;
      firmware.vars_size = size;
      out.push_back(std::move(firmware));
    }
  }
  return out;
}

std::vector<std::filesystem::path> firmware_folders() {
  return {"/usr/share/qemu/firmware", "/etc/qemu/firmware", folders::config_home() / "qemu" / "firmware"};
}

}  // namespace ferry::libvirt
