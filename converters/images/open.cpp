// SPDX-License-Identifier: Apache-2.0
// From an image file to its reader: the format by content, the refusals that hold for every format.
#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "converters/images/findings.hpp"
#include "converters/images/foreign.hpp"
#include "converters/images/format.hpp"
#include "converters/images/memory_source.hpp"
#include "converters/images/vmdk_descriptor.hpp"
#include "converters/images/vmdk_parts.hpp"

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::image {
namespace {

bool has(const std::vector<std::uint8_t> &bytes, std::size_t at, std::string_view text) {
  return bytes.size() >= at + text.size() && std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}

bool has_at(const SourceFile &source, std::uint64_t at, std::string_view text) {
  return inside(at, text.size(), source.size()) && has(read_bytes(source, at, text.size()), 0, text);
}

ImageFormat detect(const SourceFile &source) {
  const auto start = read_bytes(source, 0, static_cast<std::size_t>(std::min<std::uint64_t>(source.size(), 1024)));
  const std::string_view text(reinterpret_cast<const char *>(start.data()), start.size());
  if (has(start, 64, "\x7f\x10\xda\xbe")) return ImageFormat::vdi;
  if (sparse_kind(source) != SparseKind::none || is_descriptor(text)) return ImageFormat::vmdk;
  if (has(start, 0, "vhdxfile")) return ImageFormat::vhdx;
  if (has(start, 0, "conectix")) return ImageFormat::vhd;
  if (has(start, 0, std::string_view("QFI\xfb\0\0\0\1", 8))) return ImageFormat::qcow;
  if (has(start, 0, "QFI\xfb")) return ImageFormat::qcow2;
  if (has(start, 0, std::string_view("QED\0", 4))) return ImageFormat::qed;
  if (has(start, 0, "WithoutFreeSpace") || has(start, 0, "WithouFreSpacExt")) return ImageFormat::parallels;
  if (has_at(source, 32769, "CD001")) return ImageFormat::iso;
  // A fixed VHD is known by its footer only, which Virtual PC 2004 wrote a byte short.
  for (const std::uint64_t footer : {512U, 511U}) {
    if (source.size() >= footer && has_at(source, source.size() - footer, "conectix")) return ImageFormat::vhd;
  }
  return ImageFormat::unknown;
}

std::string_view name_of(ImageFormat format) {
  switch (format) {
    case ImageFormat::unknown: return "unknown";
    case ImageFormat::raw: return "raw";
    case ImageFormat::vdi: return "VDI";
    case ImageFormat::vmdk: return "VMDK";
    case ImageFormat::vhd: return "VHD";
    case ImageFormat::vhdx: return "VHDX";
    case ImageFormat::qcow: return "QCOW";
    case ImageFormat::qcow2: return "QCOW2";
    case ImageFormat::qed: return "QED";
    case ImageFormat::parallels: return "Parallels";
    case ImageFormat::iso: return "ISO";
    case ImageFormat::iscsi: return "iSCSI";
    case ImageFormat::host_device: return "host device";
  }
  return "unknown";
}

void refuse_by_declaration(const ImageFile &file) {
  if (file.encrypted) {
    throw Error(ErrorKind::encrypted,
                {.where = file.origin,
                 .message = "the disk image '" + file.display_path().string() + "' is encrypted",
                 .found = {},
                 .expected = {},
                 .advice = "Remove the encryption with the software that made the image, then migrate again."});
  }
  if (file.declared_format == ImageFormat::iscsi || file.declared_format == ImageFormat::host_device) {
    throw Error(ErrorKind::unsupported,
                {.where = file.origin,
                 .message = "this disk is not an image file",
                 .found = std::string(name_of(file.declared_format)),
                 .expected = "an image file",
                 .advice = "Detach it from the source machine and migrate again, then attach the device to the new "
                           "machine by hand; or copy it to an image first."});
  }
}

std::shared_ptr<FormatImage> open_as(ImageFormat format, std::shared_ptr<const SourceFile> source,
                                     const OpenOptions &options) {
  switch (format) {
    case ImageFormat::vdi: return open_vdi(std::move(source));
    case ImageFormat::vmdk: return open_vmdk(std::move(source), options);
    case ImageFormat::vhd: return open_vhd(std::move(source));
    case ImageFormat::vhdx: return open_vhdx(std::move(source));
    case ImageFormat::iso:
    case ImageFormat::raw: return open_raw(std::move(source), format);
    default: break;
  }
  const Place where{.file = source->path()};
  if (needs_qemu_img(format)) {
    throw Error(ErrorKind::unsupported, {.where = where,
                                         .message = "this format is read by qemu-img only",
                                         .found = std::string(name_of(format)),
                                         .expected = "VDI, VMDK, VHD, VHDX or raw",
                                         .advice = "Use --engine qemu-img."});
  }
  throw Error(ErrorKind::unsupported,
              {.where = where,
               .message = "the image's format is not known",
               .found = "content of an unknown format",
               .expected = "VDI, VMDK, VHD, VHDX, QCOW2, QED or Parallels",
               .advice = "If it is a raw disk, say so with --input-format raw: raw is never guessed, because a guest "
                         "can write any format's header into its own disk."});
}

// What is looked for, in the words of the source: a path, or the identity that nobody gives a path for.
std::string wanted(const ImageFile &file) {
  if (file.declared_location.starts_with("ovf:/"))
    return "the package declares no disk or file '" + text::printable(file.declared_location) + "'";
  if (!file.declared_location.empty())
    return "the image file '" + text::printable(file.declared_location) + "' does not exist";
  if (file.uuid) return "no file is known for the disk with UUID " + file.uuid->text();
  return "the source names no file for a disk";
}

std::string advice_for_missing(const ImageFile &file, const names::Found &looked) {
  if (file.declared_location.starts_with("ovf:/"))
    return "Correct the reference in the descriptor: what it names is not in DiskSection or References.";
  if (file.declared_location.empty()) {
    return file.uuid
               ? "Name the VirtualBox.xml of the host that the machine comes from with --virtualbox-registry: it or "
                 "a machine that it lists says where the file is."
               : "Attach an image in the source software, or remove the disk.";
  }
  const auto flat = std::ranges::find_if(looked.near, [](const std::filesystem::path &near) {
    return text::lower_ascii(near.filename().string()).ends_with("-flat.vmdk");
  });
  if (flat != looked.near.end())
    return "'" + text::printable(flat->filename().string()) +
           "' contains a disk's bytes without the descriptor that describes them: copy the descriptor too, or take the "
           "bytes as they are with --input-format raw.";
  if (!looked.near.empty())
    return "Copy the file too, or name its folder with --search. If it lies there under another name, correct the "
           "name.";
  return "Copy the file to where the source expects it, or name its folder with --search.";
}

[[noreturn]] void refuse_missing(const ImageFile &file, const OpenOptions &options) {
  names::Found looked;
  std::error_code failed;
  // Places inside an archive ("a.ova!a.ovf") are no files; there is nothing beside them.
  const bool on_disk = on_host::is_regular_file(file.origin.file, failed);
  if (on_disk && !file.declared_location.starts_with("ovf:/"))
    looked = names::find(file.declared_location, file.origin.file.parent_path(), options.places);
  throw Error(
      ErrorKind::missing,
      {.where = file.origin,
       .message = wanted(file) + (looked.tried.empty() ? "" : "; " + looked.searched()),
       .expected = file.uuid && !file.declared_location.empty() ? "an image with UUID " + file.uuid->text() : "",
       .advice = advice_for_missing(file, looked)});
}

// The registry and the image must speak of the same thing, as VirtualBox demands too.
void check_registry_id(FormatImage &image, const Uuid &registered, const ImageFile &file) {
  const auto own = image.linkage().id;
  if (!own) {
    image.set_registry_id(registered);
    return;
  }
  if (*own == registered || image.info().format == ImageFormat::vhdx) return;
  throw Error(
      ErrorKind::malformed,
      {.where = file.origin.file.empty() ? Place{.file = image.info().file} : file.origin,
       .message = "the image '" + image.info().file.string() + "' is not the one that is registered under this name",
       .found = "an image with UUID " + own->text(),
       .expected = registered.text(),
       .advice = "Restore the right file; if this one is meant, write its UUID into a copy of "
                 "the settings."});
}

// Looks at how a gzip'd image begins before all of it is inflated, which takes long for a small file that was made for
// it. Only a raw disk and a fixed VHD do not say what they are at their start; the source does then.
void refuse_inflating_in_vain(const ImageFile &file, const OpenOptions &options) {
  const ImageFormat declared = file.declared_format;
  if (!file.gzip || declared == ImageFormat::raw || declared == ImageFormat::iso || declared == ImageFormat::vhd)
    return;
  ImageFile packed = file;
  packed.gzip = false;
  const auto source = open_source(packed, options.cache.get());
  constexpr std::size_t kEnough = 33792;  // up to an ISO's descriptor
  std::vector<std::uint8_t> bytes(kEnough);
  gzip::Inflater inflater(*source, {.plain = 0, .compressed = 0, .bits = 0, .member = true, .window = {}});
  std::size_t have = 0;
  while (have < bytes.size() && !inflater.ended())
    have += inflater.step(bytes.data() + have, bytes.size() - have, false);
  bytes.resize(have);
  auto head = std::make_shared<const MemorySource>(std::move(bytes), source->path(), "header");
  if (const ImageFormat found = detect(*head); found == ImageFormat::unknown) (void)open_as(found, head, options);
}

void refuse_size(const ImageInfo &info) {
  require(info.virtual_size <= kLargestDisk, {.file = info.file}, "the disk is larger than any platform's",
          info.virtual_size, "at most " + std::to_string(kLargestDisk) + " bytes (64 TiB)");
}

std::shared_ptr<FormatImage> read_header(const ImageFile &file, const OpenOptions &options) {
  refuse_by_declaration(file);
  refuse_inflating_in_vain(file, options);
  if (file.blank) return open_blank(file);
  if (file.pieces.empty()) refuse_missing(file, options);
  auto source = open_source(file, options.cache.get());
  const bool flat = file.declared_format == ImageFormat::raw || file.declared_format == ImageFormat::iso;
  // What a raw disk holds is the guest's to choose, so its content does not decide.
  const ImageFormat found = flat ? file.declared_format : detect(*source);
  auto image = open_as(found, std::move(source), options);
  refuse_size(image->info());
  if (file.uuid) check_registry_id(*image, *file.uuid, file);
  if (file.declared_format != ImageFormat::unknown && file.declared_format != found) {
    image->add_finding(raise(kFormatDiffers, file.origin,
                             "'" + file.display_path().string() + "' is declared as " +
                                 std::string(name_of(file.declared_format)) + ", but its content is " +
                                 std::string(name_of(found)) + "."));
  }
  return image;
}

}  // namespace

ImageFormat detect_format(const ImageFile &file, const OpenOptions &options) {
  refuse_inflating_in_vain(file, options);
  return detect(*open_source(file, options.cache.get()));
}

std::shared_ptr<FormatImage> open_header(const ImageFile &file, const OpenOptions &options) {
  if (!options.cache) return read_header(file, options);
  return options.cache->image(file, [&] { return read_header(file, options); });
}

std::shared_ptr<const Image> open_image(const ImageFile &file, const OpenOptions &options) {
  auto image = open_header(file, options);
  image->check_once();
  return image;
}

}  // namespace ferry::image
