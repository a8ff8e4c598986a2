// SPDX-License-Identifier: Apache-2.0
// The findings that image files raise.
#pragma once

#include "model/finding.hpp"

namespace ferry::image {

inline constinit FindingList finding_list;

inline const FindingKind kFormatDiffers{
    finding_list, "image.format-differs", Severity::warning,
    "An image's content has another format than the source says; it is read as what it is.", ""};
inline const FindingKind kSizeDiffers{
    finding_list, "image.size-differs", Severity::info,
    "A parent image has another size than the image that continues it; what lies beyond its end reads as zeros.", ""};
inline const FindingKind kModifiedParent{
    finding_list, "image.modified-parent", Severity::warning,
    "A parent image was modified after the image that continues it was made, and this was allowed.",
    "Check the guest's file systems after the migration."};
inline const FindingKind kUnclean{finding_list, "image.unclean", Severity::warning,
                                  "The image was not closed properly when it was last used.",
                                  "Check the guest's file systems after the migration."};
inline const FindingKind kRedundantTables{
    finding_list, "image.redundant-tables", Severity::warning,
    "A VMDK's grain directory is damaged and its redundant copy was used instead.",
    "Check the guest's file systems after the migration."};
inline const FindingKind kNoAccessExtent{finding_list, "image.no-access-extent", Severity::warning,
                                         "A VMDK has an extent that the guest could not access; it becomes zeros.", ""};
inline const FindingKind kGeometrySize{
    finding_list, "image.geometry-size", Severity::info,
    "A VHD's geometry gives another size than its size field; the size field is used, as VirtualBox and Hyper-V do.",
    ""};
inline const FindingKind kLogReplayed{
    finding_list, "image.log-replayed", Severity::info,
    "A VHDX had changes in its log; they were applied in memory, and the file was not changed.", ""};

inline const FindingKind kInternalSnapshots{
    finding_list, "image.internal-snapshots", Severity::warning,
    "A qcow2 image contains snapshots of its own; the disk is taken as it is now, without them.",
    "Keep the source image if they are needed: 'qemu-img convert -l NAME' extracts one of them."};

inline const FindingKind kLinkOutside{
    finding_list, "image.link-outside", Severity::warning,
    "An extent or a parent of an image is in another folder of your own machines.",
    "Make sure that the file belongs to this machine if the machine comes from somebody else."};

}  // namespace ferry::image
