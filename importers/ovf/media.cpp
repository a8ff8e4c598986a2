// SPDX-License-Identifier: Apache-2.0
// Media: from a drive's HostResource through DiskSection and References to bytes in the package (DSP0243
// "References", "DiskSection"): compression="gzip" per file, chunkSize (parts named .000000000 and on), parentRef.
#include <algorithm>
#include <array>
#include <cstdio>

#include "importers/ovf/context.hpp"
#include "importers/ovf/units.hpp"

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::ovf {
namespace {

// A disk of a chain this long has a loop that the ids hide, or was made to harm.
constexpr std::size_t kMaxChain = 256;
// DSP0243: the chunk's number has nine digits; a real package has a few dozen.
constexpr std::uint64_t kMaxChunks = 100000;

// The text behind "/disk/" or "/file/" with or without "ovf:" and a second slash; empty when it is not of that kind.
std::string reference_id(std::string_view resource, std::string_view kind) {
  if (resource.starts_with("ovf:")) resource.remove_prefix(4);
  while (resource.starts_with("/")) resource.remove_prefix(1);
  if (!resource.starts_with(kind) || resource.size() <= kind.size() || resource[kind.size()] != '/') return {};
  return std::string(resource.substr(kind.size() + 1));
}

ImageFormat format_of(std::string_view uri) {
  // URIs that exporters write; what the file really is, its header says.
  static constexpr std::array<std::pair<std::string_view, ImageFormat>, 12> kParts{{
      {"vmdk", ImageFormat::vmdk},
      {"vhdx", ImageFormat::vhdx},
      {"vhd", ImageFormat::vhd},
      {"bb676673", ImageFormat::vhd},  // Microsoft's page on the format, as VirtualBox and Citrix write it
      {"vdi", ImageFormat::vdi},
      {"qcow2", ImageFormat::qcow2},
      {"qcow", ImageFormat::qcow2},  // RHEV names qcow2 by the page "qcow-image-format"
      {"ecma-119", ImageFormat::iso},
      {"iso9660", ImageFormat::iso},
      {".iso", ImageFormat::iso},
      {"wiki/byte", ImageFormat::raw},  // RHEV
      {"raw", ImageFormat::raw},
  }};
  const std::string lower = text::lower_ascii(uri);
  for (const auto &[part, format] : kParts) {
    if (lower.find(part) != std::string::npos) return format;
  }
  return ImageFormat::unknown;
}

// The first of the names that is there, and where they were looked for.
Package::Member find_any(Context &in, const std::vector<std::string> &names, std::string_view suffix,
                         const Place &where) {
  Package::Member first;
  for (const std::string &name : names) {
    Package::Member member = in.package.find(name + std::string(suffix), where, in.options.places);
    if (member.range) return member;
    if (first.found.tried.empty()) first = std::move(member);
  }
  return first;
}

std::uint64_t size_of(const FileRange &range) {
  if (range.length) return *range.length;
  std::error_code ec;
  const std::uintmax_t size = on_host::file_size(range.file, ec);
  return ec ? 0 : size;
}

std::vector<FileRange> chunks(Context &in, const std::vector<std::string> &names, std::optional<std::uint64_t> count,
                              const Place &where) {
  std::vector<FileRange> out;
  for (std::uint64_t i = 0; i < count.value_or(kMaxChunks); ++i) {
    std::array<char, 24> suffix{};
    std::snprintf(suffix.data(), suffix.size(), ".%09llu", static_cast<unsigned long long>(i));
    auto range = find_any(in, names, suffix.data(), where).range;
    if (!range) {
      if (!count) return out;  // no size given: the first number that is not there ends the file
      in.raise(finding::kFileMissing, where,
               "part " + std::to_string(i + 1) + " of " + std::to_string(*count) + " of " + in_quotes(names.front()) +
                   " is not in the package");
      return {};
    }
    out.push_back(std::move(*range));
  }
  return out;
}

std::optional<std::uint64_t> chunk_count(std::optional<std::uint64_t> size, std::uint64_t chunk, const Place &where) {
  if (!size) return std::nullopt;
  const std::uint64_t count = *size / chunk + (*size % chunk != 0 ? 1 : 0);
  if (count <= kMaxChunks) return count;
  throw Error(ErrorKind::malformed, {.where = where,
                                     .message = "the file would have too many parts",
                                     .found = std::to_string(count),
                                     .expected = "at most " + std::to_string(kMaxChunks)});
}

void set_compression(const SettingsReader &file, ImageFile &image, const std::string &field) {
  const auto compression = file.text("compression", field);
  if (!compression || compression->empty() || *compression == "identity") return;
  if (*compression != "gzip") {
    throw Error(ErrorKind::unsupported, {.where = file.place("compression"),
                                         .message = "the file's compression is not known",
                                         .found = in_quotes(*compression),
                                         .expected = "gzip or identity",
                                         .advice = "Decompress the file and remove the attribute."});
  }
  image.gzip = true;
}

// A size that is none is passed over: the file itself tells its size.
std::optional<std::uint64_t> number(const SettingsReader &file, std::string_view name, const std::string &field) {
  const auto value = file.text(name, field);
  if (!value || value->empty()) return std::nullopt;
  return text::parse_u64(text::trim(*value));
}

void check_size(Context &in, const SettingsReader &file, const ImageFile &image,
                std::optional<std::uint64_t> declared) {
  std::uint64_t found = 0;
  for (const FileRange &piece : image.pieces) found += size_of(piece);
  // Exporters write estimates, and people pack files anew: only a file that ends early is a doubt, and where a manifest
  // holds its digest not even that.
  if (declared && !image.pieces.empty() && found < *declared && !in.package.manifest()) {
    in.raise(finding::kFileSize, file.place("size"),
             in_quotes(image.declared_location) + " has " + std::to_string(found) + " bytes; the descriptor says " +
                 std::to_string(*declared));
  }
}

void set_capacity(Context &in, const SettingsReader &disk, ImageFile &image, const std::string &field) {
  auto amount = disk.text("capacity", field);
  const auto units = disk.text(
      peek_attribute(disk, "capacityAllocationUnits") ? "capacityAllocationUnits" : "allocationUnits",  // 0.9 drafts
      field);
  if (!amount && in.platform == Platform::ovirt) {
    if (const auto gibibytes = disk.text("size", field)) {
      image.declared_capacity = to_bytes(*gibibytes, std::uint64_t{1} << 30U);
    }
  }
  if (!amount) return;
  const auto value = substitute(in, *amount);
  const auto unit = units && !units->empty() ? bytes_per_unit(*units) : std::optional<std::uint64_t>(1);
  if (value && unit) image.declared_capacity = to_bytes(*value, *unit);
  if (!image.declared_capacity) {
    in.raise(finding::kUnitsGuessed, disk.place("capacity"),
             "the capacity " + in_quotes(*amount) + (units ? " " + in_quotes(*units) : "") +
                 " of the disk is not a size, or names a property without a value; the size of its image is used");
  }
}

// One link of a chain, without its parents.
ImageFile image_of_disk(Context &in, const SettingsReader &disk, const std::string &id, const std::string &field) {
  ImageFile image;
  image.origin = disk.place();
  (void)disk.text("diskId", field);
  if (const auto format = disk.text("format", field + ".declared_format")) image.declared_format = format_of(*format);
  // VirtualBox's vbox:uuid ties the disk to vbox:Machine; the exported image has a new identity of its own (all of 9
  // packages that VirtualBox 6.1 wrote), so it is not one that the image could be held to.
  (void)disk.text("uuid", field);
  set_capacity(in, disk, image, field + ".declared_capacity");
  disk.settle("populatedSize", Disposition::irrelevant, "an estimate of the data in the image; the image is measured");
  disk.settle("readOnly", Disposition::dropped, "a disk of the package is given to the machine as its own, writable");
  const auto file = disk.text("fileRef", field);
  if (in.platform == Platform::ovirt) disk.settle_all(Disposition::irrelevant, "how oVirt's engine manages the disk");
  if (!file || file->empty()) {
    image.declared_location = id;
    image.blank = true;
    in.raise(finding::kBlankDisk, disk.place(), "the disk " + in_quotes(id) + " has no file; an empty one is created");
    return image;
  }
  resolve_file(in, *file, image, disk.place("fileRef"), field);
  return image;
}

}  // namespace

void resolve_file(Context &in, const std::string &file_id, ImageFile &image, const Place &where,
                  const std::string &field) {
  auto hit = in.files.find(file_id);
  if (hit == in.files.end()) hit = in.files.find(file_id.substr(file_id.rfind('/') + 1));  // oVirt: "disk/image"
  if (hit == in.files.end()) {
    image.declared_location = "ovf:/file/" + file_id;
    in.raise(finding::kReferenceBroken, where, "the package declares no file " + in_quotes(file_id));
    return;
  }
  const SettingsReader &file = hit->second;
  (void)file.text("id", field);
  const auto href = file.text("href", field);
  const auto declared = number(file, "size", field);
  const auto chunk = number(file, "chunkSize", field);
  set_compression(file, image, field);
  image.gzip_outer = in.package.gzip_outer();
  if (!href || href->empty()) {
    in.raise(finding::kReferenceBroken, file.place(), "the file " + in_quotes(file_id) + " has no href");
    return;
  }
  image.declared_location = *href;
  if (image.declared_format == ImageFormat::unknown) image.declared_format = format_of(*href);
  const std::vector<std::string> names = member_names(*href, file.place("href"));
  if (chunk && *chunk > 0) {
    image.pieces = chunks(in, names, chunk_count(declared, *chunk, file.place("chunkSize")), file.place("href"));
  }
  if (!image.pieces.empty()) {
    check_size(in, file, image, declared);
    return;
  }
  Package::Member member = find_any(in, names, "", file.place("href"));  // also a chunked file that somebody joined
  if (member.range) {
    if (member.found.elsewhere)
      in.raise(finding::kFoundElsewhere, file.place("href"),
               in_quotes(*href) + " is read from " + in_quotes(member.range->file.string()));
    image.pieces.push_back(std::move(*member.range));
  } else {
    in.raise(finding::kFileMissing, file.place("href"),
             "the package has no file " + in_quotes(*href) +
                 (member.found.tried.empty() ? "" : "; " + member.found.searched()));
  }
  check_size(in, file, image, declared);
}

Medium medium_of_disk(Context &in, const std::string &disk_id, const std::string &field) {
  Medium medium;
  std::vector<std::string> ids;  // the disk, its parent, the parent's parent ...
  for (std::string id = disk_id; !id.empty();) {
    const auto hit = in.disks.find(id);
    if (hit == in.disks.end()) break;
    if (std::find(ids.begin(), ids.end(), id) != ids.end() || ids.size() >= kMaxChain) {
      throw Error(ErrorKind::malformed, {.where = hit->second.place("parentRef"),
                                         .message = "the disk is its own ancestor",
                                         .found = in_quotes(id),
                                         .expected = "a chain of disks that ends"});
    }
    ids.push_back(id);
    in.used_disks.insert(id);
    id = hit->second.text("parentRef", field).value_or("");
    if (!id.empty() && in.disks.find(id) == in.disks.end()) {
      in.raise(finding::kReferenceBroken, hit->second.place("parentRef"),
               "the package declares no parent disk " + in_quotes(id));
      ImageFile lost;
      lost.declared_location = "ovf:/disk/" + id;
      lost.origin = hit->second.place("parentRef");
      medium.chain.push_back(std::move(lost));
    }
  }
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    const std::string link = field + ".chain." + std::to_string(medium.chain.size());
    medium.chain.push_back(image_of_disk(in, in.disks.at(*id), *id, link));
  }
  if (!ids.empty()) {
    medium.origin = in.disks.at(ids.front()).place();
    if (in.disks.at(ids.front()).element().name == "SharedDisk") medium.type = MediumType::shareable;
  }
  return medium;
}

Medium medium_of(Context &in, const std::string &host_resource, const Place &where, const std::string &field) {
  const std::string resource(text::trim(host_resource));
  std::string disk = reference_id(resource, "disk");
  std::string file = reference_id(resource, "file");
  if (disk.empty() && file.empty() && in.platform == Platform::ovirt) {  // "disk/image": either is the id
    for (const auto &[id, declared] : in.disks) {
      if (resource == id || peek_attribute(declared, "fileRef") == resource || resource.ends_with("/" + id) ||
          resource.starts_with(id + "/"))
        disk = id;
    }
  }
  if (disk.empty() && file.empty()) {  // a bare id
    (in.disks.find(resource) != in.disks.end() || in.files.find(resource) == in.files.end() ? disk : file) = resource;
  }
  if (!disk.empty() && in.disks.find(disk) != in.disks.end()) return medium_of_disk(in, disk, field);
  Medium medium;
  medium.origin = where;
  ImageFile image;
  image.origin = where;
  if (!file.empty()) {
    resolve_file(in, file, image, where, field + ".chain.0");
  } else {
    image.declared_location = "ovf:/disk/" + disk;
    in.raise(finding::kReferenceBroken, where, "the package declares no disk " + in_quotes(disk));
  }
  medium.chain.push_back(std::move(image));
  return medium;
}

void attach_nvram(Context &in, const FileRange &file) {
  Firmware &firmware = in.machine.hardware.firmware;
  if (in.package.is_archive()) {
    firmware.nvram_inside = file;
    firmware.nvram_gzip = in.package.gzip_outer();
  } else {
    firmware.nvram_file = file.file;
  }
}

}  // namespace ferry::ovf
