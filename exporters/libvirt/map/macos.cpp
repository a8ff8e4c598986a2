// SPDX-License-Identifier: Apache-2.0
// What macOS needs.
#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {

// macOS starts only with Apple's SMC key, which the source machine carries in its extra data, and knows few CPUs.
void map_macos(Mapping &m) {
  if (m.machine.guest_os.family != OsFamily::macos) return;
  const auto key = m.machine.extra.find("smc.key");
  if (key == m.machine.extra.end() || key->second.empty()) {
    m.raise(kMacosKeyMissing, m.machine.origin, "The machine has no SMC key of its own; macOS does not start without.");
  } else {
    std::string value;
    for (const char c : key->second) value += c == ',' ? ",," : std::string(1, c);  // QEMU's escape
    m.domain.qemu_arguments.insert(m.domain.qemu_arguments.end(), {"-device", "isa-applesmc,osk=" + value});
    m.translate("/extra.smc.key", "QEMU's isa-applesmc");
    m.taint("Apple's SMC, which macOS needs");
  }
  if (!unknown_or_has(m.host.cpu_models, "Penryn")) return;
  DomainCpu &cpu = m.domain.cpu;
  cpu.mode = "custom";
  cpu.model = "Penryn";
  // What releases up to macOS 12 ask for beyond a Penryn; shown where the host has it.
  for (const std::string_view feature : {"sse4.2", "popcnt", "aes", "xsave", "avx"}) {
    m.cpu_feature(feature, "optional");
  }
  m.translate("cpu", "CPU model Penryn, which macOS knows");
  m.raise(kMacosCpu, m.hardware.cpu.origin, "macOS gets a Penryn CPU, which its releases up to 12 know.");
}

}  // namespace ferry::libvirt
