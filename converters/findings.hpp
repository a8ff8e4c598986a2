// SPDX-License-Identifier: Apache-2.0
// The findings that conversions raise.
#pragma once

#include "model/finding.hpp"

namespace ferry::disk {

inline constinit FindingList finding_list;

inline const FindingKind kSizeRounded{
    finding_list, "disk.size-rounded", Severity::info,
    "A disk's size is not a multiple of 512 bytes; the new disk is padded with zeros.", ""};
inline const FindingKind kCopiedNotShared{finding_list, "disk.copied-not-shared", Severity::info,
                                          "Blocks could have been shared with the source on this file system, but its "
                                          "data is compressed or not aligned; the copy takes space of its own.",
                                          ""};
inline const FindingKind kReadByQemuImg{finding_list, "disk.read-by-qemu-img", Severity::info,
                                        "A disk was converted by qemu-img, not by virt-ferry's own readers.", ""};
inline const FindingKind kDependsOnSource{
    finding_list, "disk.depends-on-source", Severity::warning,
    "The new disk reads the source image, which must stay where it is and must not change.",
    "Keep the source unchanged, or migrate with --disk-mode copy."};
inline const FindingKind kNotChecked{finding_list, "disk.not-checked", Severity::info,
                                     "A new qcow2 image was not checked with 'qemu-img check'.",
                                     "Install qemu-img (Debian: qemu-utils) and run 'qemu-img check' on the image."};

}  // namespace ferry::disk
