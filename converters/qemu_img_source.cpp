// SPDX-License-Identifier: Apache-2.0
// How qemu-img is told what to open: --image-opts with every node named. File names go through unparsed, bytes that are
// not UTF-8 too (the json: form could not carry them).
#include "converters/qemu_img.hpp"

#include "support/error.hpp"

namespace ferry::qemu_img {

namespace {

// QemuOpts: a comma inside a value is doubled; nothing else is special.
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    out += c;
    if (c == ',') out += c;
  }
  return out;
}

}  // namespace

std::string_view driver_name(ImageFormat format) {
  switch (format) {
    case ImageFormat::raw:
    case ImageFormat::iso: return "raw";
    case ImageFormat::vdi: return "vdi";
    case ImageFormat::vmdk: return "vmdk";
    case ImageFormat::vhd: return "vpc";
    case ImageFormat::vhdx: return "vhdx";
    case ImageFormat::qcow: return "qcow";
    case ImageFormat::qcow2: return "qcow2";
    case ImageFormat::qed: return "qed";
    case ImageFormat::parallels: return "parallels";
    case ImageFormat::unknown:
    case ImageFormat::iscsi:
    case ImageFormat::host_device: break;
  }
  throw Error(ErrorKind::unsupported, {.message = "qemu-img has no driver for what this medium is",
                                       .expected = "an image file (VDI, VMDK, VHD, VHDX, qcow2, raw)"});
}

Source source_of(const ImageFile &file, ImageFormat format) {
  if (file.pieces.empty())
    throw Error(ErrorKind::missing,
                {.where = file.origin, .message = "the disk image does not exist", .found = file.declared_location});
  const bool packed = file.gzip || file.gzip_outer;
  if (file.pieces.size() > 1 || packed) {
    throw Error(ErrorKind::unsupported,
                {.where = {.file = file.display_path()},
                 .message = packed ? "qemu-img cannot read a disk image that is gzip'd inside its package"
                                   : "qemu-img cannot read a disk image that is cut into pieces",
                 .advice = "Unpack the package and migrate the unpacked machine."});
  }
  static_cast<void>(driver_name(format));  // throws for what is no image file
  return {.format = format, .range = file.pieces.front()};
}

std::string image_options(const Source &source) {
  std::string out = "driver=" + std::string(driver_name(source.format));
  // VHD: the footer's CurrentSize, as VirtualBox and Hyper-V take it; by default qemu goes by the CHS geometry, which
  // is rounded down and cuts the disk's end off.
  if (source.format == ImageFormat::vhd) out += ",force_size_calc=current_size";
  std::string node = "file.";
  if (source.range.offset != 0 || source.range.length) {
    out += ",file.driver=raw,file.offset=" + std::to_string(source.range.offset);
    if (source.range.length) out += ",file.size=" + std::to_string(*source.range.length);
    node += "file.";
  }
  const auto file = std::filesystem::absolute(source.range.file).string();
  return out + "," + node + "driver=file," + node + "filename=" + escaped(file);
}

}  // namespace ferry::qemu_img
