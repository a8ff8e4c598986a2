// SPDX-License-Identifier: Apache-2.0
// The TPM, as libvirt's emulator (swtpm).
#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {
namespace {

// The source's own model where it says one: its guest has that one's driver loaded.
std::string tpm_model(const Mapping &m, bool old) {
  const std::string &named = m.hardware.tpm->device;
  const std::string_view wanted = !named.empty() ? std::string_view(named) : old ? "tpm-tis" : "tpm-crb";
  if (unknown_or_has(m.host.tpm_models, wanted)) return std::string(wanted);
  return has(m.host.tpm_models, "tpm-tis") ? "tpm-tis" : std::string{};
}

}  // namespace

void map_tpm(Mapping &m) {
  m.keep("tpm");
  if (!m.hardware.tpm) return;
  const Tpm &tpm = *m.hardware.tpm;
  const bool old = tpm.version == Tpm::Version::v1_2;
  const std::string model = tpm_model(m, old);
  const bool possible = m.host.swtpm_setup && unknown_or_has(m.host.tpm_backends, "emulator") && !model.empty();
  if (!possible) {
    m.drop("tpm", "this host has no TPM emulator (swtpm)");
    m.raise(kTpmDropped, tpm.origin, "The machine had a TPM; this host has no TPM emulator.");
    return;
  }
  m.domain.tpm = DomainTpm{model, old ? "1.2" : "2.0"};
  m.keep("tpm.version", "TPM " + m.domain.tpm->version + " (" + model + ")");
  if (tpm.version == Tpm::Version::host) m.translate("tpm.version", "an emulated TPM 2.0 in place of the host's");
  m.keep("tpm.device", model);
  // A machine of QEMU's own that keeps its firmware and the TPM's content finds what it has sealed.
  const Firmware &firmware = m.hardware.firmware;
  const bool same = firmware.type == FirmwareType::bios || firmware.loader_file.has_value();
  if (tpm.unused || (tpm.state_file && m.hardware.described_by_qemu() && same)) return;
  m.raise(kTpmBitlocker, tpm.origin,
          "The firmware is a different one, so what the guest sealed in its TPM (BitLocker, LUKS) will not open.");
}

}  // namespace ferry::libvirt
