// SPDX-License-Identifier: Apache-2.0
#include "converters/images/format.hpp"

namespace ferry::image {

std::shared_ptr<FormatImage> open_vhdx(std::shared_ptr<const SourceFile> source) {
  throw Error(ErrorKind::unsupported,
              {.where = {.file = source->path()}, .message = "VHDX images are read by qemu-img only"});
}

}  // namespace ferry::image
