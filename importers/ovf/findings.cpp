// SPDX-License-Identifier: Apache-2.0
#include "importers/ovf/findings.hpp"

#include <array>

namespace ferry::ovf {

std::span<const FindingKind *const> finding_kinds() {
  using namespace finding;
  static constexpr std::array<const FindingKind *, 25> kKinds{
      &kVersionUnknown, &kSectionRequired, &kSectionOptional,    &kElementUnknown,   &kConfiguration,
      &kHardwareChoice, &kEnvironment,     &kUuidNotStated,      &kMacGenerated,     &kFileMissing,
      &kFileSize,       &kReferenceBroken, &kParentMissing,      &kAddressTaken,     &kSubtypeUnknown,
      &kUnitsGuessed,   &kDeviceDropped,   &kBlankDisk,          &kFoundElsewhere,   &kMediumByPlace,
      &kSignature,      &kNvramInArchive,  &kVirtualBoxFallback, &kMediumNotExported, &kDiskUnused};
  return kKinds;
}

}  // namespace ferry::ovf
