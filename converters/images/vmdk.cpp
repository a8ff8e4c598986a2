// SPDX-License-Identifier: Apache-2.0
// VMDK as a whole: a descriptor (a file of its own, or embedded in a hosted sparse file) and the parts that its
// extent lines name, laid one after the other. What a line names must lie in the image's own folder or an
// allowed one; types that name host devices are refused. The guest sees the sum of the lines, so an odd size is
// not rounded to a grain (VirtualBox; QEMU rounds).
#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <string_view>

#include "converters/images/findings.hpp"
#include "converters/images/format.hpp"
#include "converters/images/vmdk_descriptor.hpp"
#include "converters/images/vmdk_parts.hpp"

#include "support/file_names.hpp"
#include "support/folded_names.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::image {
namespace {

class VmdkImage final : public FormatImage {
 public:
  VmdkImage(std::shared_ptr<const SourceFile> source, const OpenOptions &options) : options_(&options) {
    info_.format = ImageFormat::vmdk;
    info_.file = source->path();
    switch (sparse_kind(*source)) {
      case SparseKind::hosted: open_hosted(std::move(source)); break;
      case SparseKind::cowd: open_bare(cowd_part(source), source, "vmfsSparse"); break;
      case SparseKind::sesparse: open_bare(sesparse_part(source), source, "seSparse"); break;
      case SparseKind::none: open_text(std::move(source)); break;
    }
    options_ = nullptr;
  }

  void check_tables() override {
    info_.allocated = 0;
    for (const Placed &placed : parts_) info_.allocated += placed.part->check(info_.findings);
    info_.allocated = std::min(info_.allocated, info_.virtual_size);
  }

  void map(std::uint64_t begin, std::uint64_t end, std::vector<Extent> &out) const override {
    end = std::min(end, info_.virtual_size);
    auto placed = std::ranges::upper_bound(parts_, begin, {}, &Placed::guest_begin);
    if (placed != parts_.begin()) --placed;
    for (; begin < end && placed != parts_.end(); ++placed) {
      const std::uint64_t stop = std::min(end, placed->guest_begin + placed->length);
      if (stop <= begin) continue;
      placed->part->map(begin - placed->guest_begin, stop - placed->guest_begin, placed->guest_begin, placed->file,
                        out);
      begin = stop;
    }
  }

 private:
  struct Placed {
    std::uint64_t guest_begin = 0, length = 0;  // bytes
    std::uint16_t file = 0;
    std::unique_ptr<VmdkPart> part;
  };

  void place(std::unique_ptr<VmdkPart> part, std::uint64_t length, std::size_t file) {
    info_.block_size = std::max(info_.block_size, part->block_size());
    parts_.push_back({info_.virtual_size, length, static_cast<std::uint16_t>(file), std::move(part)});
    info_.virtual_size += length;
  }

  // A hosted sparse file that holds its descriptor, or a bare part of a split disk.
  void open_hosted(std::shared_ptr<const SourceFile> source) {
    auto hosted = hosted_sparse_part(source);
    if (hosted.descriptor.empty()) {
      refuse_orphan(*source);
    }
    const auto descriptor =
        parse_descriptor(hosted.descriptor, {.file = source->path(), .line = {}, .path = "embedded descriptor"});
    read_descriptor(descriptor, source->path());
    const Place where{.file = source->path(), .line = {}, .path = "embedded descriptor"};
    require(descriptor.extents.size() == 1, where, "an embedded descriptor must name one extent: the file itself",
            descriptor.extents.size(), "1");
    const auto &line = descriptor.extents.front();
    if (line.type != "SPARSE") refuse_type(line, where);
    require(line.sectors <= hosted.part->size() / kSectorSize, where,
            "the descriptor's size is larger than the file's capacity", line.sectors,
            "at most " + std::to_string(hosted.part->size() / kSectorSize) + " sectors");
    add_file(std::move(source));
    place(std::move(hosted.part), line.sectors * kSectorSize, 0);
  }

  // A COWD or SESparse file opened by itself: only its descriptor knows its parent.
  void open_bare(std::unique_ptr<VmdkPart> /*part*/, const std::shared_ptr<const SourceFile> &source,
                 const char * /*type*/) {
    refuse_orphan(*source);
  }

  [[noreturn]] static void refuse_orphan(const SourceFile &source) {
    throw Error(ErrorKind::unsupported,
                {.where = {.file = source.path()},
                 .message = "this file is one extent of a VMDK, not the disk",
                 .found = "an extent without a descriptor",
                 .expected = "the descriptor file that names it",
                 .advice = "Give the descriptor, usually the same name without -s001, -delta or -sesparse."});
  }

  void open_text(std::shared_ptr<const SourceFile> source) {
    require(source->size() <= kLongestDescriptor, {.file = source->path()}, "the descriptor is too long",
            source->size(), "at most " + std::to_string(kLongestDescriptor) + " bytes");
    const auto bytes = read_bytes(*source, 0, static_cast<std::size_t>(source->size()));
    const std::string text(bytes.begin(), bytes.end());
    const auto descriptor = parse_descriptor(text, {.file = source->path()});
    read_descriptor(descriptor, source->path());
    info_.file_size = source->size();
    const auto roots = allowed_roots(source->path(), *options_);
    for (const auto &line : descriptor.extents) place_line(line, source->path(), roots);
    if (files_.empty()) files_.push_back(std::move(source));  // only zeros: Extent::file 0 still names something
  }

  void read_descriptor(const VmdkDescriptor &descriptor, const std::filesystem::path &file) {
    info_.variant = descriptor.create_type;
    refuse_device_types(descriptor.create_type, file);
    require(!descriptor.extents.empty(), {.file = file}, "the descriptor names no extent", 0, "at least 1");
    const auto uuid_at = [&](const char *key) -> std::optional<Uuid> {
      const auto found = descriptor.database.find(key);
      return found == descriptor.database.end() ? std::nullopt : Uuid::parse(found->second);
    };
    linkage_.id = uuid_at("ddb.uuid.image");
    if (linkage_.id && linkage_.id->is_nil()) linkage_.id.reset();
    info_.uuid = linkage_.id ? linkage_.id : uuid_at("ddb.uuid");
    linkage_.modification = uuid_at("ddb.uuid.modification");
    linkage_.cid = descriptor.cid;
    if (const auto parent = uuid_at("ddb.uuid.parent"); parent && !parent->is_nil()) {
      linkage_.parent_id = info_.parent_uuid = parent;
      linkage_.parent_modification = uuid_at("ddb.uuid.parentmodification");
      info_.has_parent = true;
    }
    if (descriptor.parent_cid != 0xffffffff) {
      linkage_.parent_cid = descriptor.parent_cid;
      info_.has_parent = true;
    }
    info_.parent_hint = descriptor.parent_hint;
    if (descriptor.parent_hint.empty()) return;
    linkage_.parent_names.push_back(descriptor.parent_hint);
    std::ranges::replace(linkage_.parent_names.back(), '\\', '/');
    // A hint without an identity cannot be verified; open_chain() refuses it.
    info_.has_parent = true;
  }

  static void refuse_device_types(const std::string &type, const std::filesystem::path &file) {
    static constexpr std::array<std::string_view, 8> kRefused{
        "custom",  "fullDevice", "partitionedDevice", "vmfsRaw", "vmfsRawDeviceMap", "vmfsPassthroughRawDeviceMap",
        "vmfsRDM", "vmfsRDMP"};
    for (const auto name : kRefused) {
      if (!text::iequals_ascii(type, name)) continue;
      throw Error(ErrorKind::unsupported, {.where = {.file = file, .line = {}, .path = "createType"},
                                           .message = "this VMDK stands for a device of the host, not for an image",
                                           .found = type,
                                           .expected = "a type that holds its data, such as monolithicSparse",
                                           .advice = "Copy the device to an image first, with dd on its host."});
    }
  }

  [[noreturn]] static void refuse_type(const VmdkExtentLine &line, Place where) {
    where.line = line.line;
    const bool device = line.type == "VMFSRDM" || line.type == "VMFSRAW";
    throw Error(ErrorKind::unsupported, {.where = std::move(where),
                                         .message = device ? "an extent of this VMDK is a device of the host"
                                                           : "the extent type is not known or does not belong here",
                                         .found = text::printable(line.type),
                                         .expected = "SPARSE, FLAT, ZERO, VMFS, VMFSSPARSE or SESPARSE",
                                         .advice = "Clone the disk in its own software to a plain image first."});
  }

  void place_line(const VmdkExtentLine &line, const std::filesystem::path &descriptor,
                  const std::vector<std::filesystem::path> &roots) {
    const Place where{.file = descriptor, .line = line.line, .path = {}};
    const std::uint64_t length = line.sectors * kSectorSize;
    if (line.access == VmdkExtentLine::Access::none) {
      info_.findings.push_back(
          raise(kNoAccessExtent, where,
                "An extent of " + text::human_bytes(length) + " cannot be accessed and becomes zeros."));
    }
    if (line.access == VmdkExtentLine::Access::none || line.type == "ZERO") {
      place(zero_part(length), length, 0);
      return;
    }
    if (line.type != "FLAT" && line.type != "VMFS" && line.type != "SPARSE" && line.type != "VMFSSPARSE" &&
        line.type != "SESPARSE") {
      refuse_type(line, where);
    }
    auto source = options_->archive
                      ? open_member(line, where)
                      : open_file(find_extent(line, descriptor, roots, where), where, options_->cache.get());
    std::unique_ptr<VmdkPart> part;
    if (line.type == "FLAT" || line.type == "VMFS") {
      part = flat_part(*source, line.offset * kSectorSize, length, where);
    } else {
      part = sparse_part(source, line, where);
    }
    require(length <= part->size(), where, "an extent is larger than its file's capacity", line.sectors,
            "at most " + std::to_string(part->size() / kSectorSize) + " sectors in '" + source->path().string() + "'");
    const std::size_t index = files_.size();
    info_.file_size += source->size();
    files_.push_back(std::move(source));
    place(std::move(part), length, index);
  }

  static std::unique_ptr<VmdkPart> sparse_part(const std::shared_ptr<const SourceFile> &source,
                                               const VmdkExtentLine &line, const Place &where) {
    switch (sparse_kind(*source)) {
      case SparseKind::hosted: return hosted_sparse_part(source).part;
      case SparseKind::cowd: return cowd_part(source);
      case SparseKind::sesparse: return sesparse_part(source);
      case SparseKind::none: break;
    }
    throw Error(ErrorKind::malformed, {.where = where,
                                       .message = "'" + source->path().string() + "' is not a sparse extent",
                                       .found = "no known magic number",
                                       .expected = line.type,
                                       .advice = "Copy the file again: it is damaged, or another file."});
  }

  // An extent of a machine that lies in an archive: the only member of that name.
  std::shared_ptr<const SourceFile> open_member(const VmdkExtentLine &line, const Place &where) {
    const std::u32string wanted = names::folded(names::last_name(line.name));
    const std::map<std::string, FileRange> &members = options_->archive->members;
    const auto is = [&](const auto &member) { return names::folded(names::last_name(member.first)) == wanted; };
    const auto hit = std::ranges::find_if(members, is);
    if (hit == members.end() || std::find_if(std::next(hit), members.end(), is) != members.end()) {
      throw Error(ErrorKind::missing,
                  {.where = where,
                   .message = "the archive has no extent file '" + text::printable(line.name) + "'",
                   .found = hit == members.end() ? "no member of that name" : "several members of that name",
                   .expected = "one",
                   .advice = "Download the archive again, or unpack it and give the machine's file."});
    }
    ImageFile file;
    file.pieces = {hit->second};
    file.gzip_outer = options_->archive->gzip;
    file.origin = where;
    return open_source(file, options_->cache.get());
  }

  // The file of an extent: below the allowed folders after links are resolved, by its decoded or its raw name.
  std::filesystem::path find_extent(const VmdkExtentLine &line, const std::filesystem::path &descriptor,
                                    const std::vector<std::filesystem::path> &roots, const Place &where) {
    require(!line.name.empty() && line.name.find('\0') == std::string::npos, where, "an extent names no file",
            line.name.empty() ? std::string("nothing") : "\"" + text::printable(line.name) + "\"", "a file name");
    if (line.name.find("://") != std::string::npos) refuse_object(line, where);
    if (line.name.starts_with(R"(\\.\)")) refuse_outside(line, where, "a device of a Windows host");
    names::Found looked;
    for (const std::string &name : {line.name, line.raw_name}) {
      names::Found found = names::find(name, descriptor.parent_path(), options_->places);
      if (!found.file && name == line.raw_name && name != line.name) continue;  // the decoded name is what to speak of
      looked = std::move(found);
      if (looked.file) return reached(*looked.file, line, roots, where);
    }
    std::error_code failed;
    if (auto folder = on_host::joined(descriptor.parent_path(), line.name); on_host::is_directory(folder, failed))
      return folder;  // opening it says what it is
    // Never told apart from what is outside: whether a file is there is nobody's business.
    if (!names::is_windows_path(line.name) &&
        reach_of(on_host::joined(descriptor.parent_path(), line.name), roots, *options_).refused())
      refuse_outside(line, where, "a name that points outside the machine's folder");
    throw Error(
        ErrorKind::missing,
        {.where = where,
         .message = "the extent file '" + text::printable(line.name) + "' does not exist; " + looked.searched(),
         .found = {},
         .expected = (descriptor.parent_path() / names::last_name(line.name)).string(),
         .advice = looked.near.empty()
                       ? "Copy all files of the disk, not only the descriptor, or name their folder with --search."
                       : "Copy all files of the disk, not only the descriptor. If one of the files there is the extent "
                         "under a new name, give it its old name back."});
  }

  // vSAN and vVols keep a disk's data in an object of the datastore, which no file system shows.
  [[noreturn]] static void refuse_object(const VmdkExtentLine &line, const Place &where) {
    throw Error(ErrorKind::unsupported,
                {.where = where,
                 .message = "the disk's data lies in an object of a vSAN or vVol datastore, not in a file",
                 .found = text::printable(line.name),
                 .expected = "a file beside the descriptor",
                 .advice = "Export the machine from vSphere (Export OVF Template, or ovftool), or clone its disk to a "
                           "VMFS or NFS datastore (vmkfstools -i)."});
  }

  [[noreturn]] static void refuse_outside(const VmdkExtentLine &line, const Place &where, const std::string &why) {
    throw Error(ErrorKind::unsafe,
                {.where = where,
                 .message = "an extent is outside the machine's folders",
                 .found = text::printable(line.name) + ", " + why,
                 .expected = "a file in '" + where.file.parent_path().string() + "' or an allowed folder",
                 .advice = "If the file belongs to the machine, put it beside the descriptor, or allow its folder with "
                           "--allow-outside (--search for a single disk)."});
  }

  std::filesystem::path reached(const std::filesystem::path &file, const VmdkExtentLine &line,
                                const std::vector<std::filesystem::path> &roots, const Place &where) {
    const reach::Judgement judgement = reach_of(file, roots, *options_);
    if (judgement.refused()) refuse_outside(line, where, judgement.why);
    if (judgement.verdict == reach::Verdict::own)
      info_.findings.push_back(raise(kLinkOutside, where,
                                     "The extent '" + text::printable(line.name) + "' is " +
                                         text::printable(judgement.file.string()) + ", " + judgement.why + "."));
    return judgement.file;
  }

  const OpenOptions *options_;  // only while opening
  std::vector<Placed> parts_;   // by guest_begin, without gaps
};

}  // namespace

std::shared_ptr<FormatImage> open_vmdk(std::shared_ptr<const SourceFile> source, const OpenOptions &options) {
  return std::make_shared<VmdkImage>(std::move(source), options);
}

}  // namespace ferry::image
