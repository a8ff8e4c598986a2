// SPDX-License-Identifier: Apache-2.0
// Where an image is. A .vmx names files as its host sees them: relative to itself, absolute, "[datastore] dir/x.vmdk"
// (ESX), "C:\VMs\x.vmdk", "..\x.vmdk". A machine that was copied elsewhere has its files beside the .vmx, so the
// bare name there is the second place to look; Windows hosts do not mind the case of a name.
#include <algorithm>
#include <system_error>

#include "importers/vmx/findings.hpp"
#include "importers/vmx/reader.hpp"

#include "support/text.hpp"

namespace ferry::vmx {
namespace {

namespace fs = std::filesystem;

bool is_windows_absolute(std::string_view path) {
  const bool drive = path.size() > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/');
  return drive || path.substr(0, 2) == "\\\\";
}

std::string with_slashes(std::string path) {
  std::replace(path.begin(), path.end(), '\\', '/');
  return path;
}

bool there(const fs::path &path) {
  std::error_code error;
  return fs::exists(path, error);
}

// `name` in `folder`, or the one file there that differs only in the case of its letters.
std::optional<fs::path> in_folder(const fs::path &folder, const std::string &name) {
  if (name.empty() || name == "." || name == "..") return std::nullopt;
  if (there(folder / name)) return folder / name;
  std::error_code error;
  for (const auto &entry : fs::directory_iterator(folder, error)) {
    if (text::iequals_ascii(entry.path().filename().string(), name)) return entry.path();
  }
  return std::nullopt;
}

// Where the text itself points, were this its host.
fs::path as_written(const fs::path &folder, const std::string &location) {
  if (!location.empty() && location.front() == '[') {
    const std::size_t close = location.find(']');
    if (close != std::string::npos) {
      return fs::path("/vmfs/volumes") / location.substr(1, close - 1) / text::trim(location.substr(close + 1));
    }
  }
  const fs::path path = location;
  return path.is_absolute() ? path : folder / path;
}

std::string bare_name(const std::string &location) {
  std::string path = with_slashes(location);
  if (const std::size_t close = path.find(']'); !path.empty() && path.front() == '[' && close != std::string::npos) {
    path = std::string(text::trim(path.substr(close + 1)));
  }
  return fs::path(path).filename().string();
}

bool inside(const fs::path &folder, const fs::path &file) {
  std::error_code error;
  const fs::path base = fs::weakly_canonical(folder, error);
  const fs::path full = fs::weakly_canonical(file, error);
  const auto mismatch = std::mismatch(base.begin(), base.end(), full.begin(), full.end());
  return mismatch.first == base.end();
}

ImageFormat format_of(const std::string &name) {
  const std::string suffix = text::lower_ascii(fs::path(name).extension().string());
  if (suffix == ".vmdk") return ImageFormat::vmdk;
  if (suffix == ".iso" || suffix == ".cdr") return ImageFormat::iso;
  if (suffix == ".flp" || suffix == ".img" || suffix == ".ima" || suffix == ".vfd") return ImageFormat::raw;
  return ImageFormat::unknown;
}

}  // namespace

std::optional<fs::path> locate_file(const fs::path &folder, const std::string &location) {
  if (text::trim(location).empty()) return std::nullopt;
  if (!is_windows_absolute(location)) {
    const fs::path written = as_written(folder, location);
    if (there(written)) return written.lexically_normal();
    const fs::path slashed = as_written(folder, with_slashes(location));
    if (there(slashed)) return slashed.lexically_normal();
  }
  const auto beside = in_folder(folder, bare_name(location));
  return beside ? std::optional(beside->lexically_normal()) : std::nullopt;
}

ImageFile locate_image(Reader &reader, std::string_view key, const std::string &location) {
  ImageFile image;
  image.declared_location = location;
  image.declared_format = format_of(bare_name(location));
  image.origin = reader.settings.place(key);
  const auto found = locate_file(reader.folder, location);
  const std::string shown = "\"" + text::printable(location) + "\"";
  if (!found) {
    if (reader.report) {
      reader.find(kMediumMissing, key,
                  shown + " was not found, neither there nor in " + text::printable(reader.folder.string()));
    }
    return image;
  }
  std::error_code error;
  if (!fs::is_regular_file(*found, error)) {
    if (reader.report) reader.find(kMediumNotAFile, key, shown + " is not a regular file");
    return image;
  }
  image.pieces.push_back({*found, 0, std::nullopt});
  if (!reader.report) return image;
  if (!inside(reader.folder, *found)) {
    reader.find(kMediumOutside, key, shown + " lies outside the machine's folder");
  } else if (is_windows_absolute(location) ||
             as_written(reader.folder, with_slashes(location)).lexically_normal() != *found) {
    reader.find(kMediumElsewhere, key, shown + " is taken from " + text::printable(found->string()));
  }
  return image;
}

}  // namespace ferry::vmx
