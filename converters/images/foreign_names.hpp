// SPDX-License-Identifier: Apache-2.0
// The other files that an image of QEMU's formats (QCOW, QCOW2, QED) names in its header.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "converters/images/source_file.hpp"

#include "support/error.hpp"

namespace ferry::image {

struct NamedFile {
  std::string what;  // "a backing file", for messages
  std::string name;  // as the image has it: relative to its folder, absolute, "json:{...}", "nbd://..."
  Place where;
};

// Throw malformed for a header that ends too soon or whose names are too long.
[[nodiscard]] std::vector<NamedFile> names_in_qcow(const SourceFile &source);
[[nodiscard]] std::vector<NamedFile> names_in_qed(const SourceFile &source);

// Where on this host the files lie that an image names, and those that these name in turn; the image itself is not
// among them. What cannot be read, is of another format or lies behind a protocol names none.
[[nodiscard]] std::vector<std::filesystem::path> files_below(const std::filesystem::path &image);

}  // namespace ferry::image
