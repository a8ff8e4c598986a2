// SPDX-License-Identifier: Apache-2.0
// libvirt as a target of migrations: the domain's XML for a host profile.
#pragma once

#include <string>

#include "exporters/libvirt/host/host_profile.hpp"
#include "exporters/target.hpp"

namespace ferry::libvirt {

class Target final : public target::Target {
 public:
  explicit Target(HostProfile host);

  [[nodiscard]] std::optional<target::FirmwareImage> choose_firmware(const Hardware &hardware,
                                                                     bool secure_boot) const override;
  [[nodiscard]] target::Result describe(const target::Request &request) const override;
  [[nodiscard]] std::string describe_snapshot(const target::SnapshotRequest &request) const override;
  [[nodiscard]] std::optional<Finding> snapshot_limits(const Hardware &hardware) const override;
  [[nodiscard]] std::string with_run_mark(const std::string &document, const std::string &run) const override;
  void add_files(const std::string &document, target::MachineFiles &files) const override;
  void refuse_start(const target::Start &start) const override;

 private:
  HostProfile host_;
};

}  // namespace ferry::libvirt
