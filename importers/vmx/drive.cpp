// SPDX-License-Identifier: Apache-2.0
// deviceType is often left out for disks. "disk" stands for a disk on any bus. Facts: files in the wild.
#include "importers/vmx/drive.hpp"

#include <array>
#include <optional>
#include <string_view>

#include "importers/vmx/findings.hpp"

#include "support/text.hpp"

namespace ferry::vmx {
namespace {

bool ends_with(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text::iequals_ascii(text.substr(text.size() - suffix.size()), suffix);
}

enum class Backing { image, host, raw_disk, passthrough };

struct DeviceType {
  DriveKind kind;
  Backing backing;
};

// What deviceType says; the file's name decides when it says nothing or nothing that is known.
DeviceType device_type(Reader &reader, const std::string &name, const std::string &file, const std::string &field) {
  struct Row {
    std::string_view value;
    DeviceType type;
  };
  static constexpr std::array<Row, 16> kRows{{{"disk", {DriveKind::disk, Backing::image}},
                                              {"scsi-harddisk", {DriveKind::disk, Backing::image}},
                                              {"ata-harddisk", {DriveKind::disk, Backing::image}},
                                              {"sata-harddisk", {DriveKind::disk, Backing::image}},
                                              {"nvme-harddisk", {DriveKind::disk, Backing::image}},
                                              {"plaindisk", {DriveKind::disk, Backing::image}},
                                              {"rawdisk", {DriveKind::disk, Backing::raw_disk}},
                                              {"scsi-nonpassthru-rdm", {DriveKind::disk, Backing::raw_disk}},
                                              {"scsi-passthru-rdm", {DriveKind::disk, Backing::raw_disk}},
                                              {"scsi-passthru", {DriveKind::cdrom, Backing::passthrough}},
                                              {"cdrom-image", {DriveKind::cdrom, Backing::image}},
                                              {"sata-cdrom-image", {DriveKind::cdrom, Backing::image}},
                                              {"cdrom-raw", {DriveKind::cdrom, Backing::host}},
                                              {"atapi-cdrom", {DriveKind::cdrom, Backing::host}},
                                              {"cdrom", {DriveKind::cdrom, Backing::host}},
                                              {"scsi-cdrom", {DriveKind::cdrom, Backing::host}}}};
  const std::string key = name + ".deviceType";
  const auto value = reader.settings.filled(key, field);
  if (value) {
    const std::string lower = text::lower_ascii(*value);
    for (const Row &row : kRows) {
      if (row.value == lower) return row.type;
    }
    reader.find(kBadValue, key, "\"" + text::printable(*value) + "\" is not a known kind of drive");
  }
  const bool cd = ends_with(file, ".iso") || text::iequals_ascii(file, "auto detect");
  if (cd) return {DriveKind::cdrom, ends_with(file, ".iso") ? Backing::image : Backing::host};
  return {DriveKind::disk, Backing::image};
}

// What was written since the last start, and neither committed nor discarded: a delta of the disk that the machine
// would ask about when it is switched off.
void read_redo_log(Reader &reader, const std::string &name, const std::string &field, Medium &medium) {
  const std::string key = name + ".redo";
  const std::string redo(text::trim(reader.settings.text(key, field + ".medium").value_or("")));
  if (redo.empty()) return;
  const std::string what = name + " has changes in the redo log \"" + text::printable(redo) + "\"";
  if (!reader.keep_disk_changes) {
    reader.find(kRedoLog, key, what + "; they are left behind");
  } else if (!*reader.keep_disk_changes) {
    reader.find(kRedoLogLeft, key, what + "; they are left behind, as asked");
  } else {
    ImageFile image = locate_image(reader, key, redo);
    image.declared_format = ImageFormat::vmdk;
    medium.chain.push_back(std::move(image));
    medium.auto_reset = false;
    reader.find(kRedoLogTaken, key, what + "; they become a part of the disk, as asked");
  }
}

// mode and redo of a disk: what becomes of its writes.
void read_mode(Reader &reader, const std::string &name, const std::string &field, Medium &medium) {
  const std::string key = name + ".mode";
  const std::string mode =
      text::lower_ascii(reader.settings.filled(key, field + ".medium.type").value_or("persistent"));
  if (mode == "independent-persistent") {
    medium.type = MediumType::writethrough;
  } else if (mode == "independent-nonpersistent" || mode == "nonpersistent") {
    medium.type = MediumType::immutable;
    medium.auto_reset = true;
  } else if (mode != "persistent" && mode != "undoable" && mode != "append") {
    reader.find(kBadValue, key, "\"" + text::printable(mode) + "\" is not a known disk mode");
  }
  read_redo_log(reader, name, field, medium);
}

void read_disk(Reader &reader, const std::string &name, const std::string &field, Backing backing,
               const std::optional<std::string> &file, Drive &drive) {
  Settings &settings = reader.settings;
  if (backing == Backing::raw_disk) {
    reader.find(kRawDisk, name + ".deviceType", name + " is a raw disk mapping");
  }
  Medium medium;
  medium.origin = drive.origin;
  if (file) medium.chain.push_back(locate_image(reader, name + ".fileName", *file));
  read_mode(reader, name, field, medium);
  if (const auto sharing = settings.filled(name + ".sharing", field + ".medium.type")) {
    if (text::iequals_ascii(*sharing, "multi-writer")) medium.type = MediumType::shareable;
  }
  if (const auto ssd = settings.boolean(name + ".virtualSSD", field + ".nonrotational")) drive.nonrotational = ssd;
  if (const auto serial = settings.filled(name + ".serialNumber", field + ".serial")) drive.serial = serial;
  const auto vendor = settings.filled(name + ".vendorID", field + ".model");
  const auto product = settings.filled(name + ".productID", field + ".model");
  if (vendor || product) drive.model = std::string(text::trim(vendor.value_or("") + " " + product.value_or("")));
  if (settings.boolean(name + ".writeThrough", field).value_or(false)) {
    settings.settle(name + ".writeThrough", Disposition::dropped,
                    "how the host caches writes is decided anew; choose cache='writethrough' for the disk if needed");
  } else {
    settings.settle(name + ".writeThrough", Disposition::irrelevant, "this is the default");
  }
  if (file) {
    drive.medium = std::move(medium);
  } else if (reader.report) {
    reader.find(kMediumMissing, name + ".fileName", name + " is a disk without a file");
  }
}

// fileName; ESX 2 has name = "vmhba0:0:0:1:web.vmdk" or "volume:web.vmdk" in its place.
std::optional<std::string> drive_file(Settings &settings, const std::string &name, const std::string &field) {
  if (auto file = settings.filled(name + ".fileName", field)) return file;
  const auto old = settings.filled(name + ".name", field);
  return old ? std::optional(old->substr(old->rfind(':') + 1)) : std::nullopt;  // npos + 1 is 0
}

}  // namespace

Drive read_drive(Reader &reader, const std::string &name, const std::string &field) {
  Settings &settings = reader.settings;
  Drive drive;
  drive.origin = settings.place(name + ".present");
  const auto file = drive_file(settings, name, field + ".medium");
  const DeviceType type = device_type(reader, name, file.value_or(""), field + ".kind");
  drive.kind = type.kind;
  drive.connected_at_start = settings.boolean(name + ".startConnected", field + ".connected_at_start").value_or(true);
  const bool autodetect = settings.boolean(name + ".autodetect", field + ".host_device").value_or(false);
  const bool remote = settings.boolean(name + ".clientDevice", field + ".client_device").value_or(false);
  if (type.kind == DriveKind::disk) {
    read_disk(reader, name, field, type.backing, file, drive);
    return drive;
  }
  settings.settle(name + ".redo", Disposition::irrelevant, "CD drives have no redo log");
  settings.settle(name + ".mode", Disposition::irrelevant, "CD drives have no disk mode");
  const std::string value = file.value_or("");
  if (remote || text::iequals_ascii(value, "emptyBackingString") || value.rfind("vmware-null-remote", 0) == 0) {
    drive.client_device = value;
  } else if (type.backing == Backing::image && !text::iequals_ascii(value, "auto detect")) {
    if (!value.empty())
      drive.medium =
          Medium{{locate_image(reader, name + ".fileName", value)}, MediumType::readonly, false, drive.origin};
  } else if (ends_with(value, ".iso")) {
    drive.medium = Medium{{locate_image(reader, name + ".fileName", value)}, MediumType::readonly, false, drive.origin};
  } else {
    drive.host_device = autodetect || value.empty() ? "auto detect" : value;
    drive.passthrough = type.backing == Backing::passthrough;
    if (*drive.passthrough && reader.report) {
      reader.find(kPassthrough, name + ".deviceType", name + " passes the SCSI device " + value + " through");
    }
  }
  return drive;
}

Drive read_floppy(Reader &reader, const std::string &name, const std::string &field) {
  Settings &settings = reader.settings;
  Drive drive;
  drive.kind = DriveKind::floppy;
  drive.origin = settings.place(name + ".present");
  const std::string type = text::lower_ascii(settings.filled(name + ".fileType", field + ".kind").value_or(""));
  const std::string file = settings.filled(name + ".fileName", field + ".medium").value_or("");
  const bool remote = settings.boolean(name + ".clientDevice", field + ".client_device").value_or(false);
  const bool autodetect = settings.boolean(name + ".autodetect", field + ".host_device").value_or(false);
  drive.connected_at_start = settings.boolean(name + ".startConnected", field + ".connected_at_start").value_or(true);
  const bool image_name = ends_with(file, ".flp") || ends_with(file, ".img") || ends_with(file, ".ima");
  if (remote || file.rfind("vmware-null-remote", 0) == 0 || text::iequals_ascii(file, "emptyBackingString")) {
    drive.client_device = file;
  } else if (!file.empty() && (type == "file" || (type.empty() && image_name))) {
    drive.medium = Medium{{locate_image(reader, name + ".fileName", file)}, MediumType::normal, false, drive.origin};
    const bool readonly = settings.boolean(name + ".readonly", field + ".medium.type").value_or(false);
    if (readonly) drive.medium->type = MediumType::readonly;
  } else {
    drive.host_device = autodetect || file.empty() ? "auto detect" : file;
  }
  return drive;
}

}  // namespace ferry::vmx
