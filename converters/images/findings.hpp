// SPDX-License-Identifier: Apache-2.0
// The findings that image files raise.
#pragma once

#include <array>
#include <span>

#include "model/finding.hpp"

namespace ferry::image {

inline constexpr FindingKind kFormatDiffers{"image.format-differs", Severity::warning,
                                            "An image's content is of another format than the source says.",
                                            "Nothing has to be done: the content decides."};
inline constexpr FindingKind kSizeDiffers{"image.size-differs", Severity::info,
                                          "A parent image has another size than the image that continues it.",
                                          "Nothing has to be done: what lies beyond the parent's end reads as zeros."};
inline constexpr FindingKind kModifiedParent{
    "image.modified-parent", Severity::warning,
    "A parent image was modified after the image that continues it was made, and this was allowed.",
    "Check the guest's file systems after the migration."};
inline constexpr FindingKind kUnclean{"image.unclean", Severity::warning,
                                      "The image was not closed properly when it was last used.",
                                      "Start and shut down the machine once in its own software, then migrate again."};
inline constexpr FindingKind kRedundantTables{
    "image.redundant-tables", Severity::warning,
    "A VMDK's grain directory is damaged and its redundant copy was used instead.",
    "Check the guest's file systems after the migration."};
inline constexpr FindingKind kNoAccessExtent{"image.no-access-extent", Severity::warning,
                                             "A VMDK has an extent that the guest could not access; it becomes zeros.",
                                             "Nothing has to be done unless the guest expects read errors there."};
inline constexpr FindingKind kGeometrySize{
    "image.geometry-size", Severity::info,
    "A VHD's geometry gives another size than its size field; the size field is used, as VirtualBox and Hyper-V do.",
    "Nothing has to be done."};
inline constexpr FindingKind kLogReplayed{"image.log-replayed", Severity::info,
                                          "A VHDX had changes in its log; they were applied in memory.",
                                          "Nothing has to be done: the source is not changed."};

inline constexpr FindingKind kInternalSnapshots{
    "image.internal-snapshots", Severity::warning,
    "A qcow2 image holds snapshots of its own; the disk is taken as it is now, without them.",
    "Keep the source image if they are needed: 'qemu-img convert -l NAME' takes one out of it."};

inline constexpr FindingKind kLinkOutside{
    "image.link-outside", Severity::warning,
    "An extent or a parent of an image lies in another folder of your own machines.",
    "Check that the file belongs to this machine before you migrate a machine of somebody else's."};

[[nodiscard]] inline std::span<const FindingKind *const> finding_kinds() {
  static constexpr std::array kKinds{&kFormatDiffers, &kSizeDiffers,     &kModifiedParent,
                                    &kUnclean,       &kRedundantTables, &kNoAccessExtent,
                                    &kGeometrySize,  &kLogReplayed,     &kInternalSnapshots, &kLinkOutside};
  return kKinds;
}

}  // namespace ferry::image
