// SPDX-License-Identifier: Apache-2.0
// Where an image is. A .vmx names files as its host sees them: relative to itself, absolute, "[datastore] dir/x.vmdk"
// (ESX), "C:\VMs\x.vmdk", "..\x.vmdk".
#include <system_error>
#include <utility>

#include "importers/vmx/findings.hpp"
#include "importers/vmx/reader.hpp"

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::vmx {
namespace {

namespace fs = std::filesystem;

ImageFormat format_of(const std::string &name) {
  const std::string suffix = text::lower_ascii(fs::path(name).extension().string());
  if (suffix == ".vmdk") return ImageFormat::vmdk;
  if (suffix == ".iso" || suffix == ".cdr") return ImageFormat::iso;
  if (suffix == ".flp" || suffix == ".img" || suffix == ".ima" || suffix == ".vfd") return ImageFormat::raw;
  return ImageFormat::unknown;
}

// What stands at the place that is written, be it a folder.
bool is_no_file(const fs::path &folder, const std::string &location) {
  std::error_code error;
  const fs::path written = on_host::joined(folder, names::with_slashes(location));
  return !text::trim(location).empty() && on_host::is_directory(written, error);
}

}  // namespace

std::optional<fs::path> locate_file(const Reader &reader, const std::string &location) {
  if (reader.inside != nullptr) return std::nullopt;
  return names::find(location, reader.folder, reader.places).file;
}

ImageFile locate_image(Reader &reader, std::string_view key, const std::string &location) {
  ImageFile image;
  image.declared_location = location;
  image.declared_format = format_of(names::last_name(location));
  image.origin = reader.settings.place(key);
  const std::string shown = "\"" + text::printable(location) + "\"";
  if (reader.inside != nullptr) {
    image.gzip_outer = reader.inside->gzip;
    if (auto range = reader.inside->find(location)) {
      image.pieces.push_back(std::move(*range));
    } else if (reader.report) {
      reader.find(kMediumMissing, key, shown + " is not in the archive");
    }
    return image;
  }
  const names::Found found = names::find(location, reader.folder, reader.places);
  std::error_code error;
  if (found.file ? !on_host::is_regular_file(*found.file, error) : is_no_file(reader.folder, location)) {
    if (reader.report) reader.find(kMediumNotAFile, key, shown + " is not a regular file");
    if (found.file) image.pieces.push_back({*found.file, 0, std::nullopt});  // refused before it is opened
    return image;
  }
  if (!found.file) {
    if (reader.report) reader.find(kMediumMissing, key, shown + " does not exist; " + found.searched());
    return image;
  }
  image.pieces.push_back({*found.file, 0, std::nullopt});
  if (reader.report && found.elsewhere)
    reader.find(kMediumElsewhere, key, shown + " is read from " + text::printable(found.file->string()));
  return image;
}

}  // namespace ferry::vmx
