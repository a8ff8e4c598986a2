// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/findings.hpp"

#include <array>

namespace ferry::libvirt {

std::span<const FindingKind *const> finding_kinds() {
  static constexpr std::array kAll = {
      &kDomainTainted,
      &kNoKvm,
      &kBoardChanged,
      &kGuestOsUnknown,
      &kGroupsDropped,
      &kMacosKeyMissing,
      &kMacosCpu,
      &kCpuClamped,
      &kCpuTopology,
      &kCpuProfileDropped,
      &kCpuFeatureDropped,
      &kNestedDependsOnHost,
      &kExecutionCapDropped,
      &kIoapicAlwaysOn,
      &kMemoryAssumed,
      &kBalloon,
      &kLargePagesDropped,
      &kUuidChoice,
      &kUuidGenerated,
      &kSmbiosStringDropped,
      &kSmbiosPlatformKept,
      &kControllerReplaced,
      &kDriveMovedBus,
      &kDriveMovedPort,
      &kDiskLeftOut,
      &kDriveUnsupported,
      &kHostDriveDropped,
      &kDiskNotShareable,
      &kDiskTransient,
      &kDiskReadOnlyTransient,
      &kDiskSerial,
      &kDiskModel,
      &kNicModelChanged,
      &kNicNameChanges,
      &kNicIsolated,
      &kNicUserNetwork,
      &kMacInvalid,
      &kForwardDropped,
      &kForwardByPasst,
      &kBandwidthDropped,
      &kNoSpice,
      &kNoDisplay,
      &kMonitorsReduced,
      &k3dDropped,
      &kRemoteDisplayDropped,
      &kSoundDropped,
      &kSoundChanged,
      &kSoundSilent,
      &kUsbControllerChanged,
      &kUsbFiltersDropped,
      &kInputChanged,
      &kTabletAdded,
      &kPortDropped,
      &kPortMoved,
      &kPortNotConnected,
      &kPortFileMoved,
      &kPortListensLocally,
      &kTpmDropped,
      &kTpmBitlocker,
      &kFolderDropped,
  };
  return kAll;
}

}  // namespace ferry::libvirt
