// SPDX-License-Identifier: Apache-2.0
// What qemu-img must not be given. Measured on QEMU 7.2 against images that VirtualBox and VMware wrote: for each row
// here it exits 0 and writes something else than the guest had, or reads files that the image does not own.
#include <algorithm>
#include <array>

#include "converters/qemu_img.hpp"

#include "support/text.hpp"

namespace ferry::qemu_img {

namespace {

using image::ImageInfo;

bool is_sparse(std::string_view variant) {
  static constexpr std::array<std::string_view, 3> kSparse = {"monolithicSparse", "streamOptimized",
                                                              "twoGbMaxExtentSparse"};
  return std::any_of(kSparse.begin(), kSparse.end(), [&](auto name) { return text::iequals_ascii(name, variant); });
}

// Descriptors that name devices of the host they were made on.
bool is_host_device(std::string_view variant) {
  static constexpr std::array<std::string_view, 6> kDevices = {
      "custom", "fullDevice", "partitionedDevice", "vmfsRaw", "vmfsRawDeviceMap", "vmfsPassthroughRawDeviceMap"};
  return std::any_of(kDevices.begin(), kDevices.end(), [&](auto name) { return text::iequals_ascii(name, variant); });
}

bool leads_elsewhere(std::string_view file) {
  // Windows separators too: a descriptor that VMware wrote there can carry them.
  if (file.starts_with('/') || file.starts_with('\\') || (file.size() > 1 && file[1] == ':')) return true;
  std::size_t begin = 0;
  while (begin <= file.size()) {
    const auto end = std::min(file.find_first_of("/\\", begin), file.size());
    if (file.substr(begin, end - begin) == "..") return true;
    begin = end + 1;
  }
  return false;
}

std::string extent_reason(const DescriptorExtent &extent, std::uint64_t grain) {
  if (text::iequals_ascii(extent.type, "ZERO"))
    return "qemu-img leaves out ZERO extents and moves all data behind them to the front";
  if (!text::iequals_ascii(extent.access, "RW"))
    return "qemu-img leaves out " + text::printable(extent.access) +
           " extents and moves all data behind them to the front";
  if (leads_elsewhere(extent.file))
    return "qemu-img would follow the extent " + text::printable(extent.file) + " out of the image's folder";
  if (text::iequals_ascii(extent.type, "SPARSE") && grain != 0 && (extent.sectors * 512) % grain != 0)
    return "qemu-img rounds the extent " + text::printable(extent.file) + " up to a whole grain";
  return {};
}

std::string vmdk_reason(const ImageInfo &image, std::span<const DescriptorExtent> extents) {
  if (is_host_device(image.variant)) return "the descriptor names a device of the host that it was made on";
  if (image.has_parent)
    return "qemu-img follows a parent's name unchecked, and where there is only an identity it reads the delta as if "
           "it were a whole disk";
  for (const auto &extent : extents)
    if (auto reason = extent_reason(extent, image.block_size); !reason.empty()) return reason;
  if (is_sparse(image.variant) && image.block_size != 0 && image.virtual_size % image.block_size != 0)
    return "qemu-img rounds the disk's size up to a whole grain";
  return {};
}

}  // namespace

std::string misread_reason(const ImageInfo &image, std::span<const DescriptorExtent> extents) {
  switch (image.format) {
    case ImageFormat::vmdk: return vmdk_reason(image, extents);
    case ImageFormat::vdi: return image.has_parent ? "qemu-img cannot read differencing VDI images" : "";
    case ImageFormat::vhd:
      return image.has_parent ? "qemu-img reads zeros where a differencing VHD leaves the data to its parent" : "";
    case ImageFormat::vhdx: return image.has_parent ? "qemu-img cannot read differencing VHDX images" : "";
    case ImageFormat::qcow:
    case ImageFormat::qcow2:
    case ImageFormat::qed:
      return image.has_parent ? "qemu-img follows the name of the backing file wherever it leads" : "";
    case ImageFormat::raw:
    case ImageFormat::iso:
    case ImageFormat::parallels: return {};
    case ImageFormat::unknown:
    case ImageFormat::iscsi:
    case ImageFormat::host_device: return "it is not an image file of a known format";
  }
  return {};
}

}  // namespace ferry::qemu_img
