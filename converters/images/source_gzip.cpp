// SPDX-License-Identifier: Apache-2.0
#include "converters/images/source_file.hpp"

namespace ferry::image {

std::shared_ptr<const SourceFile> open_gzip(std::shared_ptr<const SourceFile> compressed) {
  throw Error(ErrorKind::unsupported, {.where = {.file = compressed->path()}, .message = "gzip'd images are not read"});
}

}  // namespace ferry::image
