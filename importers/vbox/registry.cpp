// SPDX-License-Identifier: Apache-2.0
// <MediaRegistry>: <HardDisks> with differencing images nested in their parents, <DVDImages>, <FloppyImages>.
// Facts: VirtualBox's settings schema and the files of the corpus.
// Since 1.11 in the machine's file, before in VirtualBox.xml. Before 1.4 the element is <DiskRegistry>, a disk's
// location stands in a child that names the format, differencing images are <DiffHardDisk>, and CD and floppy images
// have src instead of location. Newer VirtualBox versions keep writing diff images of multi-attach and linked-clone
// disks into the registry of the file that holds the base image.
#include "importers/vbox/registry.hpp"

#include <array>

#include "support/text.hpp"

namespace ferry::vbox {
namespace {

struct OldDiskElement {
  std::string_view element, format, location_attribute;
};
// Before 1.4.
constexpr std::array<OldDiskElement, 5> kOldDisks{{{"VirtualDiskImage", "VDI", "filePath"},
                                                   {"VMDKImage", "VMDK", "filePath"},
                                                   {"VHDImage", "VHD", "filePath"},
                                                   {"ISCSIHardDisk", "iSCSI", ""},
                                                   {"CustomHardDisk", "", "location"}}};

std::string value_or_empty(const xml::Element &element, std::string_view attribute) {
  const std::string *value = element.attribute(attribute);
  return value == nullptr ? std::string{} : *value;
}

[[noreturn]] void bad_medium(const SettingsReader &element, std::string message, std::string found) {
  throw Error(ErrorKind::malformed, {.where = element.place(),
                                     .message = std::move(message),
                                     .found = std::move(found),
                                     .advice = "Copy the settings file again, or take it from a backup."});
}

Uuid uuid_of(const SettingsReader &element) {
  const std::string text = value_or_empty(element.element(), "uuid");
  const auto uuid = Uuid::parse(text::trim(text));
  if (!uuid) bad_medium(element, "a medium of the registry has no valid UUID", "\"" + text::printable(text) + "\"");
  return *uuid;
}

// Server, target and LUN only: the user name is nobody's business and the password must not be kept.
void read_old_iscsi(const xml::Element &image, RegisteredMedium &medium) {
  std::string address = value_or_empty(image, "server");
  if (const std::string port = value_or_empty(image, "port"); !port.empty()) address += ":" + port;
  medium.properties["TargetAddress"] = address;
  medium.properties["TargetName"] = value_or_empty(image, "target");
  medium.properties["LUN"] = value_or_empty(image, "lun");
  medium.location = "iscsi://" + address + "/" + value_or_empty(image, "target") + "/" + value_or_empty(image, "lun");
}

void read_old_location(const xml::Element &disk, RegisteredMedium &medium) {
  for (const OldDiskElement &old : kOldDisks) {
    const xml::Element *image = disk.child(old.element);
    if (image == nullptr) continue;
    medium.format = old.format.empty() ? value_or_empty(*image, "format") : std::string(old.format);
    if (old.location_attribute.empty()) {
      read_old_iscsi(*image, medium);
    } else {
      medium.location = value_or_empty(*image, old.location_attribute);
    }
    return;
  }
}

bool is_secret(std::string_view property) {
  const std::string lower = text::lower_ascii(property);
  return lower.find("secret") != std::string::npos || lower.find("password") != std::string::npos ||
         lower.find("keystore") != std::string::npos;
}

void read_properties(const xml::Element &element, RegisteredMedium &medium) {
  for (const xml::Element &property : element.children) {
    if (property.name != "Property") continue;
    const std::string name = value_or_empty(property, "name");
    if (name.starts_with("CRYPT/") || text::iequals_ascii(name, "DekMissing")) medium.encrypted = true;
    if (!is_secret(name)) medium.properties[name] = value_or_empty(property, "value");
  }
}

}  // namespace

void Registry::add(RegisteredMedium medium) {
  const auto [at, inserted] = media_.try_emplace(medium.uuid, medium);
  if (inserted) return;
  RegisteredMedium &first = at->second;
  const bool same_file = first.origin.file == medium.origin.file;
  if (same_file && (first.location != medium.location || first.parent != medium.parent)) first.ambiguous = true;
}

void Registry::read_disk(const SettingsReader &element, const std::optional<Uuid> &parent,
                         const std::filesystem::path &folder, bool keep_elements) {
  const xml::Element &disk = element.element();
  RegisteredMedium medium;
  medium.uuid = uuid_of(element);
  medium.parent = parent;
  medium.location = value_or_empty(disk, "location");
  medium.format = value_or_empty(disk, "format");
  if (medium.location.empty()) read_old_location(disk, medium);
  if (medium.location.empty()) bad_medium(element, "a disk of the registry has no location", medium.uuid.text());
  if (const std::string *type = disk.attribute("type")) medium.type = *type;
  const std::string reset = text::lower_ascii(value_or_empty(disk, "autoReset"));
  medium.auto_reset = reset == "true" || reset == "1";
  read_properties(disk, medium);
  medium.folder = folder;
  medium.origin = element.place();
  if (keep_elements) medium.element = element;
  const Uuid uuid = medium.uuid;
  add(std::move(medium));
  for (const SettingsReader &below : element.children()) {
    const std::string &name = below.element().name;
    if (name == "HardDisk" || name == "DiffHardDisk") read_disk(below, uuid, folder, keep_elements);
  }
}

void Registry::read(const SettingsReader &registry, const std::filesystem::path &folder, bool keep_elements) {
  for (const SettingsReader &list : registry.children("HardDisks")) {
    for (const SettingsReader &disk : list.children("HardDisk")) read_disk(disk, std::nullopt, folder, keep_elements);
  }
  const auto read_images = [&](std::string_view name, MediumKind kind) {
    for (const SettingsReader &list : registry.children(name)) {
      for (const SettingsReader &image : list.children("Image")) {
        RegisteredMedium medium;
        medium.uuid = uuid_of(image);
        medium.kind = kind;
        medium.location = value_or_empty(image.element(), "location");
        if (medium.location.empty()) medium.location = value_or_empty(image.element(), "src");
        medium.format = value_or_empty(image.element(), "format");
        read_properties(image.element(), medium);
        medium.folder = folder;
        medium.origin = image.place();
        if (keep_elements) medium.element = image;
        add(std::move(medium));
      }
    }
  };
  read_images("DVDImages", MediumKind::dvd);
  read_images("FloppyImages", MediumKind::floppy);
}

const RegisteredMedium *Registry::find(const Uuid &uuid) const {
  const auto at = media_.find(uuid);
  return at == media_.end() ? nullptr : &at->second;
}

std::vector<const RegisteredMedium *> Registry::chain(const Uuid &uuid) const {
  std::vector<const RegisteredMedium *> out;
  std::set<Uuid> seen;
  for (const RegisteredMedium *medium = find(uuid); medium != nullptr;
       medium = medium->parent ? find(*medium->parent) : nullptr) {
    if (!seen.insert(medium->uuid).second) {
      throw Error(ErrorKind::malformed, {.where = medium->origin,
                                         .message = "the media registry contains a loop",
                                         .found = medium->uuid.text(),
                                         .expected = "every differencing image below its own parent"});
    }
    if (medium->ambiguous) {
      throw Error(ErrorKind::malformed, {.where = medium->origin,
                                         .message = "two media of the registry have the same UUID",
                                         .found = medium->uuid.text(),
                                         .expected = "a UUID of its own for every medium",
                                         .advice = "Remove the wrong entry from the registry."});
    }
    out.insert(out.begin(), medium);
  }
  return out;
}

}  // namespace ferry::vbox
