// SPDX-License-Identifier: Apache-2.0
// From the UUID in a drive to the chain of image files.
#include <array>
#include <system_error>

#include "importers/vbox/findings.hpp"
#include "importers/vbox/scope.hpp"

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::vbox {
namespace {

namespace fs = std::filesystem;

struct Attachment {
  Import &in;
  Place where;  // of the attachment
  DriveKind kind;
  const std::string &field;
  const std::string &name;
  [[nodiscard]] bool is_disk() const { return kind == DriveKind::disk; }
};

ImageFormat image_format(const std::string &format, DriveKind kind) {
  static constexpr std::array<Word<ImageFormat>, 9> kFormats{{{"VDI", ImageFormat::vdi},
                                                              {"VMDK", ImageFormat::vmdk},
                                                              {"VHD", ImageFormat::vhd},
                                                              {"VPC", ImageFormat::vhd},
                                                              {"VHDX", ImageFormat::vhdx},
                                                              {"Parallels", ImageFormat::parallels},
                                                              {"QCOW", ImageFormat::qcow},
                                                              {"QED", ImageFormat::qed},
                                                              {"iSCSI", ImageFormat::iscsi}}};
  for (const auto &row : kFormats) {
    if (same_word(row.text, format)) return row.value;
  }
  const bool raw = format.empty() || same_word("RAW", format);  // CDs and floppies have no format before 1.11
  if (!raw) return ImageFormat::unknown;
  return kind == DriveKind::cdrom ? ImageFormat::iso : ImageFormat::raw;
}

MediumType medium_type(const std::optional<std::string> &type, DriveKind kind) {
  static constexpr std::array<Word<MediumType>, 6> kTypes{{{"Normal", MediumType::normal},
                                                           {"Immutable", MediumType::immutable},
                                                           {"Writethrough", MediumType::writethrough},
                                                           {"Shareable", MediumType::shareable},
                                                           {"Readonly", MediumType::readonly},
                                                           {"MultiAttach", MediumType::multiattach}}};
  if (kind == DriveKind::cdrom) return MediumType::readonly;
  if (kind == DriveKind::floppy) return MediumType::writethrough;
  for (const auto &row : kTypes) {
    if (type && same_word(row.text, *type)) return row.value;
  }
  return MediumType::normal;
}

struct PropertyNote {
  std::string_view name;
  Disposition disposition;
  std::string_view note;
  bool secret = false;
};
constexpr std::string_view kIscsiNote = "of an iSCSI target, which is not carried over";
constexpr std::string_view kCreation = "how VirtualBox made or opens the image; the copy is made anew";
constexpr std::string_view kEncryption = "the key of an encrypted image";
constexpr std::array<PropertyNote, 27> kPropertyNotes{{
    {"InitiatorName", Disposition::dropped, kIscsiNote},
    {"InitiatorUsername", Disposition::dropped, kIscsiNote},
    {"InitiatorSecret", Disposition::dropped, kIscsiNote, true},
    {"InitiatorSecretEncrypted", Disposition::dropped, kIscsiNote, true},
    {"TargetUsername", Disposition::dropped, kIscsiNote},
    {"TargetSecret", Disposition::dropped, kIscsiNote, true},
    {"TargetSecretEncrypted", Disposition::dropped, kIscsiNote, true},
    {"TargetName", Disposition::dropped, kIscsiNote},
    {"TargetAddress", Disposition::dropped, kIscsiNote},
    {"LUN", Disposition::dropped, kIscsiNote},
    {"WriteSplit", Disposition::dropped, kIscsiNote},
    {"Timeout", Disposition::dropped, kIscsiNote},
    {"HostIPStack", Disposition::dropped, kIscsiNote},
    {"CRYPT/KeyId", Disposition::dropped, kEncryption, true},
    {"CRYPT/KeyStore", Disposition::dropped, kEncryption, true},
    {"DekMissing", Disposition::dropped, kEncryption},
    {"UnattendedInstall", Disposition::irrelevant, "the image was made for an unattended installation"},
    {"AllocationBlockSize", Disposition::irrelevant, kCreation},
    {"BlockSize", Disposition::irrelevant, kCreation},
    {"BootSector", Disposition::irrelevant, kCreation},
    {"Partitions", Disposition::irrelevant, kCreation},
    {"RawDrive", Disposition::irrelevant, kCreation},
    {"Relative", Disposition::irrelevant, kCreation},
    {"TcpNoDelay", Disposition::irrelevant, kCreation},
    {"DataTransferLimit", Disposition::dropped, kIscsiNote},
    {"Special/GUI/Hints", Disposition::irrelevant, "belongs to VirtualBox's window"},
    {"VSCSI", Disposition::irrelevant, kCreation},
}};

void settle_property(const SettingsReader &property) {
  const std::string *name = property.element().attribute("name");
  if (name == nullptr) return;
  for (const PropertyNote &row : kPropertyNotes) {
    if (!same_word(row.name, *name)) continue;
    property.settle_all(row.disposition, row.note);
    if (row.secret) property.hide("value");
  }
}

// Into `at`, the medium's field, and `field`, that of this image of its chain.
void take_element(const RegisteredMedium &medium, const std::string &at, const std::string &field) {
  if (!medium.element) return;
  const SettingsReader &element = *medium.element;
  (void)element.text("uuid", field + ".uuid");
  for (const std::string_view name : {"location", "src"}) (void)element.text(name, field + ".declared_location");
  (void)element.text("format", field + ".declared_format");
  (void)element.text("type", at + ".type");
  (void)element.text("autoReset", at + ".auto_reset");
  constexpr std::string_view kNote = "the user's note on the image";
  element.settle("Description", Disposition::dropped, kNote);
  for (const SettingsReader &below : element.children()) {
    const std::string &name = below.element().name;
    if (name == "Property") settle_property(below);
    if (name == "Description") below.settle("", Disposition::dropped, kNote);
    if (name == "HardDisk" || name == "DiffHardDisk" || name == "Property" || name == "Description") continue;
    below.hide("password");  // <ISCSIHardDisk>, before 1.4
    for (const std::string_view old : {"filePath", "location"}) (void)below.text(old, field + ".declared_location");
    (void)below.text("format", field + ".declared_format");
    for (const std::string_view old : {"server", "port", "target", "lun", "userName", "password"}) {
      below.settle(old, Disposition::dropped, kIscsiNote);
    }
  }
}

void check_place(const Attachment &at, const RegisteredMedium &medium, const names::Found &found) {
  std::error_code ignored;
  const fs::file_status status = on_host::status(*found.file, ignored);
  const std::string shown = text::printable(found.file->string());
  if (!fs::is_regular_file(status)) {
    at.in.find(kMediumDevice, medium.origin, at.name + ": \"" + shown + "\" is not a regular file");
    return;
  }
  if (found.elsewhere) {
    at.in.find(kFoundElsewhere, medium.origin,
               at.name + ": \"" + text::printable(medium.location) + "\" is read from \"" + shown + "\"");
  }
}

void locate(const Attachment &at, const RegisteredMedium &medium, ImageFile &image) {
  if (at.in.media == nullptr) return;  // inside an OVF: the OVF's own references count
  const names::Found found = names::find(medium.location, medium.folder, at.in.places);
  if (found.file) {
    image.pieces.push_back({*found.file, 0, std::nullopt});
    check_place(at, medium, found);
    return;
  }
  at.in.find(at.is_disk() ? kFileMissing : kRemovableMissing, medium.origin,
             at.name + ": \"" + text::printable(medium.location) + "\" does not exist; " + found.searched());
}

ImageFile image_of(const Attachment &at, const RegisteredMedium &medium) {
  ImageFile image;
  image.declared_location = medium.location;
  image.declared_format = image_format(medium.format, at.kind);
  image.uuid = medium.uuid;
  image.encrypted = medium.encrypted;
  image.origin = medium.origin;
  if (image.declared_format == ImageFormat::iscsi) {
    const auto property = [&medium](const char *name) {
      const auto hit = medium.properties.find(name);
      return hit == medium.properties.end() ? std::string("?") : text::printable(hit->second);
    };
    at.in.find(kIscsi, medium.origin,
               at.name + " is the iSCSI target " + property("TargetName") + " at " + property("TargetAddress") +
                   ", LUN " + property("LUN"));
  } else {
    locate(at, medium, image);
  }
  return image;
}

// VirtualBox names differencing images by their UUID; their folder is the last place to look for an unlisted one.
std::optional<fs::path> unlisted_image(const Attachment &at, const Uuid &uuid) {
  const std::string stem = "{" + uuid.text() + "}";
  for (const fs::path &folder : {at.in.folder / "Snapshots", at.in.folder}) {
    for (const std::string_view extension : {".vdi", ".vmdk", ".vhd"}) {
      const fs::path candidate = folder / (stem + std::string(extension));
      std::error_code ignored;
      if (on_host::is_regular_file(candidate, ignored)) return candidate;
    }
  }
  return std::nullopt;
}

std::optional<Medium> unlisted(const Attachment &at, const Uuid &uuid) {
  Medium medium;
  medium.origin = at.where;
  medium.type = medium_type(std::nullopt, at.kind);
  ImageFile image;
  image.uuid = uuid;
  image.origin = at.where;
  if (at.in.media == nullptr) {
    medium.chain.push_back(std::move(image));
    return medium;
  }
  if (!at.is_disk()) {
    at.in.find(kRemovableUnknown, at.where,
               at.name + " contains the image " + uuid.text() + ", which no registry lists");
    return std::nullopt;
  }
  const auto guess = unlisted_image(at, uuid);
  at.in.find(kMediumUnknown, at.where,
             at.name + " contains the disk " + uuid.text() + ", which no registry lists" +
                 (guess ? "; \"" + text::printable(guess->string()) + "\" has this UUID" : ""));
  if (guess) {
    image.declared_location = guess->string();
    image.pieces.push_back({*guess, 0, std::nullopt});
  }
  medium.chain.push_back(std::move(image));
  return medium;
}

void note_source(const Attachment &at, const std::vector<const RegisteredMedium *> &chain) {
  const Place &listed = chain.back()->origin;
  if (listed.file == at.where.file || !at.is_disk()) return;
  at.in.find(kForeignRegistry, at.where,
             at.name + " is listed by " + text::printable(listed.file.string()) + ", not by the machine itself");
}

}  // namespace

std::optional<Medium> attach_medium(Import &in, const SettingsReader &image, std::string_view attribute, DriveKind kind,
                                    const std::string &field, const std::string &name) {
  const Attachment at{in, image.place(attribute), kind, field, name};
  const std::string written = image.text(attribute, field).value_or("");
  const auto uuid = Uuid::parse(text::trim(written));
  if (!uuid) {
    throw Error(ErrorKind::malformed, {.where = at.where,
                                       .message = "the UUID of " + name + "'s medium cannot be understood",
                                       .found = "\"" + text::printable(written) + "\"",
                                       .expected = "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}"});
  }
  if (uuid->is_nil()) return std::nullopt;
  const auto chain = in.media == nullptr ? std::vector<const RegisteredMedium *>{} : in.media->chain(*uuid);
  if (chain.empty()) return unlisted(at, *uuid);
  for (std::size_t i = 0; i < chain.size(); ++i) take_element(*chain[i], field, field + ".chain." + std::to_string(i));
  if (same_word("VBoxIsoMaker", chain.back()->format)) {
    in.find(kViso, chain.back()->origin,
            name + ": \"" + text::printable(chain.back()->location) + "\" is a list of files, not an image");
    return std::nullopt;
  }
  note_source(at, chain);
  Medium medium;
  medium.origin = at.where;
  medium.type = medium_type(chain.front()->type, kind);
  medium.auto_reset = chain.back()->auto_reset;
  bool encrypted = false;
  for (const RegisteredMedium *link : chain) {
    medium.chain.push_back(image_of(at, *link));
    encrypted = encrypted || link->encrypted;
  }
  if (encrypted) {  // the key stands with the base image and holds for the whole chain
    for (ImageFile &file : medium.chain) file.encrypted = true;
    in.find(kMediumEncrypted, chain.front()->origin, name + " is encrypted");
  }
  return medium;
}

}  // namespace ferry::vbox
