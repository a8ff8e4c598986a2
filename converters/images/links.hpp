// SPDX-License-Identifier: Apache-2.0
// What proves that one image continues another: the formats' own identities, and the marks that they keep of changes.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "converters/images/format.hpp"

namespace ferry::image {

// The image's file in quotes, as messages name it.
[[nodiscard]] std::string quoted(const FormatImage &image);

// Whether `parent` is what `child` continues, by ids only; nullopt: the pair has no id to compare.
[[nodiscard]] std::optional<bool> same_identity(const Linkage &child, const Linkage &parent);

// What the parent of `child` must be known by, as messages name it: a UUID or "CID 1234abcd".
[[nodiscard]] std::string parent_identity(const Linkage &child);

// Throws malformed with both ends unless `child` continues `parent`, and the parent is as the child noted it (or
// options.allow_modified_parent, then a finding). A parent of another size is a finding.
void verify_link(FormatImage &child, const FormatImage &parent, const OpenOptions &options);

// The parent of `child` that nobody listed: among options.known_images, by the names that the child gives, and by its
// identity in the allowed folders. Throws missing with what was looked for and where, malformed when several files
// answer, unsafe when the child's names lead out of the folders. The link is not verified.
[[nodiscard]] std::shared_ptr<FormatImage> find_parent(const FormatImage &child, const OpenOptions &options);

}  // namespace ferry::image
