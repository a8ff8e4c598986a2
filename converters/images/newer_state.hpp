// SPDX-License-Identifier: Apache-2.0
// Images that lie beside a disk and continue it though nothing attaches them: what is left when a machine's settings
// lost its snapshots, or name the base in place of the delta.
#pragma once

#include <filesystem>
#include <set>
#include <vector>

#include "converters/images/image.hpp"

namespace ferry::image {

struct NewerState {
  std::vector<ImageFile> chain;               // from the attached image's child to the newest leaf; empty: none
  std::vector<std::filesystem::path> others;  // images that continue it in another line
};

// Looks in the attached image's folder, its "Snapshots" and the allowed folders, by the formats' own identities; images
// of `known` are not looked at. Of several lines the one whose leaf was changed last is the newest. Never throws: what
// cannot be opened continues nothing.
[[nodiscard]] NewerState newer_state(const Medium &medium, const OpenOptions &options,
                                     const std::set<std::filesystem::path> &known);

}  // namespace ferry::image
