// SPDX-License-Identifier: Apache-2.0
// From an image file to its reader: the format by content, the refusals that hold for every format.
#include <algorithm>
#include <cstring>
#include <string_view>

#include "converters/images/findings.hpp"
#include "converters/images/foreign.hpp"
#include "converters/images/format.hpp"
#include "converters/images/vmdk_descriptor.hpp"
#include "converters/images/vmdk_parts.hpp"

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
    throw Error(ErrorKind::encrypted, {.where = file.origin,
                                       .message = "the disk image '" + file.display_path().string() + "' is encrypted",
                                       .found = {},
                                       .expected = {},
                                       .advice = "Remove the encryption in the source software, then migrate again."});
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
  throw Error(ErrorKind::unsupported, {.where = where,
                                       .message = "the image's format is not known",
                                       .found = "content of no format that is known",
                                       .expected = "VDI, VMDK, VHD, VHDX, QCOW2, QED or Parallels",
                                       .advice = "If it is a raw image, say so: raw is never guessed."});
}

// The registry and the image must speak of the same thing, as VirtualBox demands too.
void check_registry_id(FormatImage &image, const Uuid &registered, const ImageFile &file) {
  const auto own = image.linkage().id;
  if (!own) {
    image.set_registry_id(registered);
    return;
  }
  if (*own == registered || image.info().format == ImageFormat::vhdx) return;
  throw Error(ErrorKind::malformed, {.where = file.origin.file.empty() ? Place{.file = image.info().file} : file.origin,
                                     .message = "the image '" + image.info().file.string() +
                                                "' is not the one that is registered under this name",
                                     .found = "an image with UUID " + own->text(),
                                     .expected = registered.text(),
                                     .advice = "Restore the right file, or register this one in VirtualBox."});
}

std::shared_ptr<FormatImage> read_header(const ImageFile &file, const OpenOptions &options) {
  refuse_by_declaration(file);
  if (file.blank) return open_blank(file);
  auto source = open_source(file, options.cache.get());
  const bool flat = file.declared_format == ImageFormat::raw || file.declared_format == ImageFormat::iso;
  // What a raw disk holds is the guest's to choose, so its content does not decide.
  const ImageFormat found = flat ? file.declared_format : detect(*source);
  auto image = open_as(found, std::move(source), options);
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
