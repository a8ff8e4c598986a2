// SPDX-License-Identifier: Apache-2.0
// The findings that conversions raise.
#pragma once

#include <array>
#include <span>

#include "model/finding.hpp"

namespace ferry::disk {

inline constexpr FindingKind kSizeRounded{
    "disk.size-rounded", Severity::info,
    "A disk's size is no multiple of 512 bytes; the new one is longer by the missing bytes, which are zeros.",
    "Nothing has to be done."};
inline constexpr FindingKind kCopiedNotShared{"disk.copied-not-shared", Severity::info,
                                              "Blocks could have been shared with the source on this file system, but "
                                              "the source's data are compressed or do not lie"
                                              " aligned.",
                                              "Nothing has to be done; the copy takes its own space."};
inline constexpr FindingKind kReadByQemuImg{"disk.read-by-qemu-img", Severity::info,
                                            "A disk was converted by qemu-img, not by virt-ferry's own readers.",
                                            "Nothing has to be done."};
inline constexpr FindingKind kDependsOnSource{
    "disk.depends-on-source", Severity::warning,
    "The new disk reads the source image, which must stay where it is and must not be used otherwise.",
    "Keep the source unchanged, or migrate with --disk-mode copy."};
inline constexpr FindingKind kNotChecked{
    "disk.not-checked", Severity::info, "A written qcow2 image was not looked at by 'qemu-img check'.",
    "Install qemu-img (Debian: qemu-utils) and run 'qemu-img check' on the image."};

[[nodiscard]] inline std::span<const FindingKind *const> finding_kinds() {
  static constexpr std::array kInds{&kSizeRounded, &kCopiedNotShared, &kReadByQemuImg, &kDependsOnSource, &kNotChecked};
  return kInds;
}

}  // namespace ferry::disk
