// SPDX-License-Identifier: Apache-2.0
#include "migration/image_driver.hpp"

#include "converters/qemu_img.hpp"

namespace ferry::migration {

std::optional<ImageFormat> image_format_of(const std::string &driver) {
  for (const ImageFormat format :
       {ImageFormat::raw, ImageFormat::qcow2, ImageFormat::vdi, ImageFormat::vmdk, ImageFormat::vhd, ImageFormat::vhdx,
        ImageFormat::qcow, ImageFormat::qed, ImageFormat::parallels}) {
    if (qemu_img::driver_name(format) == driver) return format;
  }
  return std::nullopt;
}

}  // namespace ferry::migration
