// SPDX-License-Identifier: Apache-2.0
// A small CD: ISO 9660 with Rock Ridge and Joliet names, as cloud-init's NoCloud and OVF's transport "iso" want it.
// libarchive writes it.
#pragma once

#include <string>
#include <vector>

namespace ferry::seed {

struct File {
  std::string name;  // in the CD's root folder: "user-data"
  std::string content;
};

// The whole image. `label`: the volume's, at most 16 characters, which is what Joliet has room for. The same input
// gives the same files; libarchive writes the time of the making besides. Throws Error internal.
[[nodiscard]] std::string iso_image(const std::string &label, const std::vector<File> &files);

}  // namespace ferry::seed
