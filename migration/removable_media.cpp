// SPDX-License-Identifier: Apache-2.0
#include "migration/removable_media.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <system_error>

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestFloppy = 2'949'120;  // bytes: 36 sectors a track, "2.88 MB"
constexpr std::uintmax_t kSector = 512;               // bytes
constexpr std::streamoff kDescriptors = 32769;        // bytes: ECMA-119 8 and ECMA-167 2/9, the identifier of sector 16

bool has_volume(const fs::path &file) {
  if (on_host::is_remote(file)) return false;  // it is judged by its name
  std::ifstream in(file, std::ios::binary);
  std::array<char, 5> identifier{};
  if (!in.seekg(kDescriptors) || !in.read(identifier.data(), identifier.size())) return false;
  const std::string_view text(identifier.data(), identifier.size());
  return text == "CD001" || text == "BEA01" || text == "NSR02" || text == "NSR03";
}

bool is_floppy(const fs::path &file) {
  std::error_code error;
  const std::uintmax_t size = on_host::file_size(file, error);
  return !error && size > 0 && size <= kLargestFloppy && size % kSector == 0;
}

}  // namespace

bool is_removable_image(const fs::path &file, DriveKind kind) {
  if (kind == DriveKind::floppy) return is_floppy(file);
  static constexpr std::array<std::string_view, 3> kSuffixes{".iso", ".cdr", ".udf"};
  const std::string suffix = text::lower_ascii(file.extension().string());
  return std::find(kSuffixes.begin(), kSuffixes.end(), suffix) != kSuffixes.end() || has_volume(file);
}

bool is_platform_tools(std::string_view location) {
  std::string path = text::lower_ascii(location);
  std::replace(path.begin(), path.end(), '\\', '/');
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const auto below = [&folder](std::string_view part) { return folder.find(part) != std::string::npos; };
  const bool installed = folder.starts_with("/usr/") || folder.starts_with("/opt/") ||
                         folder.starts_with("/applications/") || folder.starts_with("/library/") ||
                         below("/program files");
  if (!name.ends_with(".iso")) return false;
  if (name.starts_with("vboxguestadditions")) return installed && (below("virtualbox") || below("/oracle/"));
  // "/vmimages/tools-isoimages/" is ESX's, "/usr/lib/vmware/isoimages/" Workstation's on Linux.
  if (below("/isoimages/") || below("/tools-isoimages/") || below("/vmimages/"))
    return installed || below("/vmimages/");
  return installed && below("/vmware/vmware ");  // "C:\Program Files (x86)\VMware\VMware Workstation\windows.iso"
}

}  // namespace ferry::migration
