// SPDX-License-Identifier: Apache-2.0
// What VirtualBox does with modification UUIDs [seen in its images and read in descriptions of its disk layer]:
// an image gets a new one at the first write after it was opened; a differencing image notes its parent's when it is
// made and never again. VirtualBox itself does not compare them when it opens a chain, and after it merged an
// image (a snapshot was deleted) the note of the image above is stale though all is well. A stale note
// therefore means: either a snapshot was deleted, or the parent was changed behind the child's back, which
// corrupts the child. It is refused unless the user vouches for it (OpenOptions::allow_modified_parent).
// VMware has one number for both: the content id is the parent's identity and changes with the first write after it was
// opened. A parent of the right name with another content id is therefore a changed one.
#include "converters/images/links.hpp"

#include <string_view>
#include <utility>

#include "converters/images/findings.hpp"

#include "support/text.hpp"

namespace ferry::image {
namespace {

[[noreturn]] void broken(const FormatImage &child, const FormatImage &parent, const std::string &message,
                         std::string found, std::string expected, std::string advice = {}) {
  if (advice.empty()) advice = "Restore the right file: one of the two does not belong here.";
  throw Error(ErrorKind::malformed, {.where = {.file = child.info().file},
                                     .message = "the link from " + quoted(child) + " to its parent " + quoted(parent) +
                                                " is broken: " + message,
                                     .found = std::move(found),
                                     .expected = std::move(expected),
                                     .advice = std::move(advice)});
}

void check_modified(FormatImage &child, const FormatImage &parent, const std::string &noted, const std::string &is,
                    const OpenOptions &options) {
  if (noted == is) return;
  if (!options.allow_modified_parent) {
    broken(child, parent, "the parent was modified after the child was made", is, noted,
           "If only a snapshot was deleted in VirtualBox, the disk is sound: allow it with --allow-modified-parent. "
           "Otherwise restore the parent as it was, or the right one.");
  }
  child.add_finding(raise(kModifiedParent, {.file = child.info().file},
                          "The parent " + quoted(parent) + " is " + is + ", the child notes " + noted + "."));
}

std::string own_identity(const Linkage &image, const Linkage &child) {
  if (child.parent_id) return image.id ? image.id->text() : "an image without a UUID";
  return image.cid ? parent_identity({.parent_cid = image.cid}) : "an image without a CID";
}

}  // namespace

std::string quoted(const FormatImage &image) { return "'" + image.info().file.string() + "'"; }

std::optional<bool> same_identity(const Linkage &child, const Linkage &parent) {
  if (child.parent_id) {
    if (!parent.id) return std::nullopt;
    return child.parent_id == parent.id || (child.parent_id_alternative && child.parent_id_alternative == parent.id);
  }
  if (child.parent_cid) {
    if (!parent.cid) return std::nullopt;
    return child.parent_cid == parent.cid;
  }
  return std::nullopt;
}

std::string parent_identity(const Linkage &child) {
  if (child.parent_id) return child.parent_id->text();
  if (!child.parent_cid) return "no identity";
  return "CID " + text::hex(*child.parent_cid, 8);
}

void verify_link(FormatImage &child, const FormatImage &parent, const OpenOptions &options) {
  const Linkage &c = child.linkage();
  const Linkage &p = parent.linkage();
  if (!child.info().has_parent)
    broken(child, parent, "the child says that it stands alone", "an image without a parent", "a differencing image");
  const auto same = same_identity(c, p);
  if (!same) {
    broken(child, parent, "nothing proves that they belong together", own_identity(p, c), parent_identity(c),
           "Merge the chain in its own software into one image.");
  }
  if (!*same && c.parent_id)
    broken(child, parent, "the child continues another image", own_identity(p, c), parent_identity(c));
  if (c.parent_cid && p.cid) {
    check_modified(child, parent, parent_identity({.parent_cid = c.parent_cid}), parent_identity({.parent_cid = p.cid}),
                   options);
  }
  if (c.parent_modification && p.modification) {
    check_modified(child, parent, c.parent_modification->text(), p.modification->text(), options);
  }
  if (c.parent_time_stamp && p.time_stamp) {
    check_modified(child, parent, "time stamp " + std::to_string(*c.parent_time_stamp),
                   "time stamp " + std::to_string(*p.time_stamp), options);
  }
  if (child.info().virtual_size != parent.info().virtual_size) {
    child.add_finding(raise(kSizeDiffers, {.file = child.info().file},
                            "The parent " + quoted(parent) + " has " + std::to_string(parent.info().virtual_size) +
                                " bytes, the child " + std::to_string(child.info().virtual_size) + "."));
  }
}

}  // namespace ferry::image
