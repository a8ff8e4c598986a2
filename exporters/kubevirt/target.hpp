// SPDX-License-Identifier: Apache-2.0
// KubeVirt as a target: a manifest and images to upload. No cluster is asked, and no machine is made in one.
#pragma once

#include <filesystem>
#include <string>

#include "exporters/target.hpp"

namespace ferry::kubevirt {

class Target final : public target::Target {
 public:
  // `folder`: where files go without --dest; `time_zone`: of this computer, "Europe/Berlin"; empty: not known.
  Target(std::filesystem::path folder, std::string time_zone);

  // Firmware is the cluster's: the result names no files.
  [[nodiscard]] std::optional<target::FirmwareImage> choose_firmware(const Hardware &hardware,
                                                                     bool secure_boot) const override;
  // The document is a YAML file of DataVolumes and a VirtualMachine that is off. Throws Error usage for a bus or a
  // network that a cluster does not have, unsupported for an ARM machine.
  [[nodiscard]] target::Result describe(const target::Request &request) const override;
  // There are none: throws Error internal.
  [[nodiscard]] std::string describe_snapshot(const target::SnapshotRequest &request) const override;
  [[nodiscard]] std::optional<Finding> snapshot_limits(const Hardware &hardware) const override;
  // An annotation of the VirtualMachine: virt-ferry/run.
  [[nodiscard]] std::string with_run_mark(const std::string &document, const std::string &run) const override;
  void add_files(const std::string &document, target::MachineFiles &files) const override;
  void refuse_start(const target::Start &start) const override;

 private:
  std::string time_zone_;
};

}  // namespace ferry::kubevirt
