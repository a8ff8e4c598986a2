// SPDX-License-Identifier: Apache-2.0
// What the guest's firmware finds: boot loader, SMBIOS, clock, TPM.
#include <utility>

#include "exporters/kubevirt/mapping.hpp"

namespace ferry::kubevirt {
namespace {

void map_boot_loader(Mapping &m, Json &firmware) {
  const Firmware &from = m.hardware.firmware;
  m.keep("firmware.type");
  m.drop("firmware.boot_menu", "KubeVirt's firmware has no boot menu of its own");
  m.drop("firmware.boot_menu_timeout_ms", "KubeVirt's firmware has no boot menu of its own");
  m.keep("firmware.ioapic");
  if (!m.efi()) {
    firmware["bootloader"] = {{"bios", Json::object()}};
    return;
  }
  const bool secure = m.input.firmware && m.input.firmware->secure_boot;
  firmware["bootloader"] = {{"efi", {{"secureBoot", secure}, {"persistent", true}}}};
  m.keep("firmware.secure_boot", secure ? "on" : "off");
  m.drop("firmware.nvram_file", "KubeVirt takes no UEFI variables from outside");
  m.raise(kVariablesEmpty, from.origin, "The UEFI variables start empty.");
}

void map_smbios(Mapping &m, Json &firmware) {
  m.keep("smbios");
  firmware["uuid"] = m.input.identity.uuid.text();
  m.book(m.input.identity.uuid_account);
  m.keep("/uuid", "the source's own identity of the machine; the guest sees the SMBIOS UUID");
  std::map<std::string, std::string> strings;
  if (m.input.options.keep_smbios_strings) strings = m.hardware.platform.smbios_strings;
  for (const auto &[key, value] : m.hardware.smbios.strings) strings[key] = value;
  Json chassis = Json::object();
  constexpr std::string_view kChassis = "chassis.";
  for (const auto &[key, value] : strings) {
    if (key == "system.serial") {
      firmware["serial"] = value;
    } else if (key.starts_with(kChassis)) {
      chassis[key.substr(kChassis.size())] = value;
    } else {
      m.drop("smbios.strings." + key, "KubeVirt has one value of it for the whole cluster");
    }
  }
  if (!chassis.empty()) m.domain["chassis"] = std::move(chassis);
}

void map_clock(Mapping &m) {
  const Clock &from = m.hardware.clock;
  Json clock = Json::object();
  m.keep("clock.base");
  m.keep("clock.offset_ms");
  const std::int64_t half = from.offset_ms < 0 ? -500 : 500;
  const std::int64_t seconds = (from.offset_ms + half) / 1000;
  if (from.base == Clock::Base::local_time && seconds == 0 && !m.time_zone.empty()) {
    clock["timezone"] = m.time_zone;
    m.translate("clock.base", "time zone " + m.time_zone);
  } else {
    clock["utc"] = Json::object();
    if (seconds != 0) clock["utc"]["offsetSeconds"] = seconds;
    if (from.base == Clock::Base::local_time) {
      m.translate("clock.base", "UTC");
      m.raise(kTimeZone, from.origin, "The hardware clock showed local time and shows UTC.");
    }
  }
  Json timers = {{"rtc", {{"tickPolicy", "catchup"}}},
                 {"pit", {{"tickPolicy", "delay"}}},
                 {"hpet", {{"present", from.hpet.value_or(false)}}}};
  if (m.domain["features"].contains("hyperv")) timers["hyperv"] = {{"present", true}};
  m.keep("clock.hpet");
  clock["timer"] = std::move(timers);
  m.domain["clock"] = std::move(clock);
}

void map_tpm(Mapping &m) {
  const auto &tpm = m.hardware.tpm;
  if (!tpm) return;
  if (tpm->version == Tpm::Version::v1_2) {
    m.drop("tpm", "KubeVirt emulates a TPM 2.0 only");
    return m.raise(kTpmOld, tpm->origin, "The TPM 1.2 is left out.");
  }
  m.devices["tpm"] = {{"persistent", true}};
  m.keep("tpm");
  if (tpm->unused) return;
  m.drop("tpm.state_file", "KubeVirt takes no TPM state from outside");
  m.raise(kTpmEmpty, tpm->origin, "The TPM starts empty.");
}

}  // namespace

void map_firmware(Mapping &m) {
  Json firmware = Json::object();
  map_boot_loader(m, firmware);
  map_smbios(m, firmware);
  m.domain["firmware"] = std::move(firmware);
  map_clock(m);
  map_tpm(m);
  if (m.hardware.kernel) {
    m.drop("kernel", "KubeVirt takes a kernel from a container image only");
    m.raise(kKernelDropped, m.hardware.kernel->origin, "The kernel and its initial RAM disk are left out.");
  }
}

}  // namespace ferry::kubevirt
