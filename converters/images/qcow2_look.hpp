// SPDX-License-Identifier: Apache-2.0
// A qcow2 image that is looked into. Conversions of qcow2 are qemu-img's; this reads just enough to see what is on the
// disk, in the worker that may do nothing else.
#pragma once

#include "converters/images/image.hpp"

namespace ferry::image {

// The current state. Throws as open_image(); unsupported for what refers to other files (a backing or a data file), for
// extended L2 entries and for features that are not known; encrypted.
[[nodiscard]] Chain open_qcow2_to_look(const ImageFile &file, const OpenOptions &options);
// The image in a file, whose header names no other ones.
[[nodiscard]] std::shared_ptr<const Image> qcow2_to_look(std::shared_ptr<const SourceFile> file, ImageInfo info);

}  // namespace ferry::image
