// SPDX-License-Identifier: Apache-2.0
#include "importers/vbox/findings.hpp"

#include <array>

namespace ferry::vbox {

std::span<const FindingKind *const> finding_kinds() {
  static constexpr std::array kKinds{&kMediumUnknown,
                                     &kRemovableUnknown,
                                     &kFileMissing,
                                     &kRemovableMissing,
                                     &kFoundElsewhere,
                                     &kForeignRegistry,
                                     &kRegistryUnreadable,
                                     &kMediumEncrypted,
                                     &kMediumDevice,
                                     &kIscsi,
                                     &kViso,
                                     &kNewerVersion,
                                     &kUnknownValue,
                                     &kNvramMissing,
                                     &kNvramEncrypted,
                                     &kDiskUnused,
                                     &kDiskLocked,
                                     &kAborted,
                                     &kAutoReset,
                                     &kCurrentSnapshot,
                                     &kHostPci,
                                     &kAcpiTable,
                                     &kNicBehindBridge};
  return kKinds;
}

}  // namespace ferry::vbox
