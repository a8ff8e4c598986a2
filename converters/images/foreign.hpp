// SPDX-License-Identifier: Apache-2.0
// Formats that qemu-img reads for us, and what must be checked before it may.
#pragma once

#include "converters/images/image.hpp"

namespace ferry::image {

// True for qcow, qcow2, qed and parallels: open_image() refuses them, qemu-img reads them.
[[nodiscard]] bool needs_qemu_img(ImageFormat format);

// The header of an image that needs qemu-img: format, virtual size, has_parent never set. Refuses what makes qemu-img
// open further files (backing file, external data file): throws unsafe when one leads out of the allowed folders or
// names a protocol ("json:", "nbd://..."), unsupported when it is beside the image (a chain that nobody verifies);
// encrypted; malformed; unsupported for every other format.
[[nodiscard]] ImageInfo check_qcow2_header(const ImageFile &file, const OpenOptions &options);

}  // namespace ferry::image
