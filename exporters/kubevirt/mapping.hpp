// SPDX-License-Identifier: Apache-2.0
// From a machine to KubeVirt's VirtualMachine. What its API takes is that of kubevirt.io/v1 (staging/src/kubevirt.io/
// api/core/v1/schema.go), what its webhooks refuse is in pkg/virt-api/webhooks/validating-webhook/admitters,
// pkg/storage/admitters and pkg/network/admitter [read: revision d923fdb8 of 2026-08].
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "exporters/bookkeeper.hpp"
#include "exporters/boot_sequence.hpp"
#include "exporters/kubevirt/findings.hpp"
#include "model/json.hpp"

namespace ferry::kubevirt {

using target::Field;
using target::field_at;

struct Mapping : target::Bookkeeper {
  // `time_zone`: of this computer, "Europe/Berlin"; empty: not known.
  Mapping(const target::Request &request, const std::string &time_zone);

  const target::Request &input;
  const Machine &machine;
  const Hardware &hardware;
  const std::string &time_zone;
  Json domain = Json::object();         // spec.template.spec.domain but for its devices
  Json devices = Json::object();        // spec.template.spec.domain.devices
  Json networks = Json::array();        // spec.template.spec.networks
  Json volumes = Json::array();         // spec.template.spec.volumes
  std::vector<target::BootCard> cards;  // parallel to the interfaces
  std::vector<Json> data_volumes;       // objects of their own
  std::vector<std::string> uploads;     // commands that fill them

  [[nodiscard]] bool efi() const { return hardware.firmware.type != FirmwareType::bios; }
  [[nodiscard]] bool windows() const { return machine.guest_os.family == OsFamily::windows; }
};

// Throws Error unsupported for a machine that no cluster on x86 can run.
void map_board(Mapping &m);       // board.cpp: CPU, memory, features
void map_firmware(Mapping &m);    // firmware.cpp: with SMBIOS, clock and TPM
void map_disks(Mapping &m);       // disks.cpp
void map_cards(Mapping &m);       // network.cpp
void map_boot_order(Mapping &m);  // boot.cpp: after disks and cards
void map_devices(Mapping &m);     // devices.cpp: sound, input, display and what there is none of

}  // namespace ferry::kubevirt
