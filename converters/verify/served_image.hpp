// SPDX-License-Identifier: Apache-2.0
// A disk that somebody serves by NBD, as an image: for reads of little of it.
#pragma once

#include <memory>

#include "converters/images/image.hpp"

#include "support/file.hpp"

namespace ferry::verify {

// Over a connected socket. Throws Error io.
[[nodiscard]] std::shared_ptr<const image::Image> served_image(file::Descriptor socket);

}  // namespace ferry::verify
