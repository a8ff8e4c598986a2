// SPDX-License-Identifier: Apache-2.0
// Formats that qemu-img reads for us, and what must be checked before it may.
#pragma once

#include "converters/images/image.hpp"

namespace ferry::image {

// True for qcow, qcow2, qed and parallels: open_image() refuses them, qemu-img reads them.
[[nodiscard]] bool needs_qemu_img(ImageFormat format);

// Looks for the files that a qcow, qcow2 or qed header makes qemu-img open: backing file, external data file. Both are
// refused: throws unsafe when one leads out of the allowed folders or names a protocol ("json:", "nbd://..."),
// unsupported when it is beside the image (a chain that nobody verifies), encrypted, malformed. Returns when the image
// stands alone, and for other formats.
void check_foreign_header(const ImageFile &file, const OpenOptions &options);

// The same for qcow and qcow2, by the name under which callers know it.
inline void check_qcow2_header(const ImageFile &file, const OpenOptions &options) {
  check_foreign_header(file, options);
}

}  // namespace ferry::image
