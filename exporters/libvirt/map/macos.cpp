// SPDX-License-Identifier: Apache-2.0
// What macOS needs: Apple's SMC, and a CPU that its release knows. This is the one place that decides on both;
// importers say which release it is (GuestOs::darwin) and what they know of the SMC (extra "smc.key", "smc.present").
#include <algorithm>
#include <array>

#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {
namespace {

constexpr unsigned kDarwinOfMacos13 = 22;  // the first release whose system libraries need AVX2

// libvirt's CPU models with AVX2 that macOS 13 and later know, the ones that most hosts can show first: those without
// TSX, which microcode took from Intel's processors.
constexpr std::array<std::string_view, 8> kModels = {"Skylake-Client-noTSX-IBRS",
                                                     "Haswell-noTSX-IBRS",
                                                     "Haswell-noTSX",
                                                     "Skylake-Client-IBRS",
                                                     "Skylake-Client",
                                                     "Haswell-IBRS",
                                                     "Haswell",
                                                     "Skylake-Client-v1"};
// Families of models with AVX2: that a host can show one tells that it has AVX2 itself.
constexpr std::array<std::string_view, 11> kFamilies = {"Haswell",      "Broadwell", "Skylake",        "Cascadelake",
                                                        "Cooperlake",   "Icelake",   "SapphireRapids", "GraniteRapids",
                                                        "SierraForest", "EPYC",      "Dhyana"};

// The source says that it shows no SMC: the guest brings its own (VirtualSMC) or does without.
bool without_smc(const Machine &machine) {
  const auto present = machine.extra.find("smc.present");
  return present != machine.extra.end() && present->second == "false";
}

void map_smc(Mapping &m) {
  const auto key = m.machine.extra.find("smc.key");
  if (key != m.machine.extra.end() && !key->second.empty()) {
    std::string value;
    for (const char c : key->second) value += c == ',' ? ",," : std::string(1, c);  // QEMU's escape
    m.domain.qemu_arguments.insert(m.domain.qemu_arguments.end(), {"-device", "isa-applesmc,osk=" + value});
    m.translate("/extra.smc.key", "QEMU's isa-applesmc");
    m.taint("Apple's SMC, which macOS needs");
  } else if (without_smc(m.machine)) {
    m.keep("/extra.smc.present", "no SMC, as before");
  } else {
    m.raise(kMacosKeyMissing, m.machine.origin,
            "The machine has no SMC key of its own; macOS does not start without one.");
  }
}

void use_model(Mapping &m, std::string_view model) {
  m.domain.cpu.mode = "custom";
  m.domain.cpu.model = model;
  m.translate("cpu", "CPU model " + std::string(model) + ", which macOS knows");
}

void give_penryn(Mapping &m) {
  if (m.hardware.cpu.model) return;  // the source names one
  if (!unknown_or_has(m.host.cpu_models, "Penryn")) return;
  use_model(m, "Penryn");
  // What releases up to macOS 12 ask for beyond a Penryn; shown where the host has it.
  for (const std::string_view feature : {"sse4.2", "popcnt", "aes", "xsave", "avx"}) {
    m.cpu_feature(feature, "optional");
  }
  m.raise(kMacosCpu, m.hardware.cpu.origin, "macOS gets a Penryn CPU, which releases up to macOS 12 know.",
          m.machine.guest_os.darwin ? "" : "Choose a Haswell or Skylake model in the domain for macOS 13 and newer.");
}

bool host_has_avx2(const HostProfile &host) {
  if (host.cpu_models.empty()) return true;  // nobody was asked
  return std::any_of(host.cpu_models.begin(), host.cpu_models.end(), [](const std::string &model) {
    return std::any_of(kFamilies.begin(), kFamilies.end(),
                       [&](std::string_view family) { return model.starts_with(family); });
  });
}

void give_avx2(Mapping &m) {
  const std::string release = "macOS with the kernel Darwin " + std::to_string(*m.machine.guest_os.darwin);
  const auto *const known = std::find_if(kModels.begin(), kModels.end(),
                                         [&m](std::string_view model) { return has(m.host.cpu_models, model); });
  if (known != kModels.end()) {
    use_model(m, *known);
    m.raise(kMacosCpu, m.hardware.cpu.origin, release + " gets a " + std::string(*known) + " CPU, which it knows.", "");
  } else if (m.host.kvm && host_has_avx2(m.host)) {  // as choose_mode() left it
    m.raise(kMacosCpu, m.hardware.cpu.origin, release + " gets the host's own CPU, which has AVX2.",
            "Choose a Haswell or Skylake-Client model in the domain if the guest does not start on it.");
  } else {
    m.raise(kMacosCpuTooOld, m.hardware.cpu.origin,
            release + " needs a CPU with AVX2, and no CPU model of this host is known to have it.");
  }
}

}  // namespace

void map_macos(Mapping &m) {
  if (m.machine.guest_os.family != OsFamily::macos) return;
  map_smc(m);
  if (m.machine.guest_os.darwin.value_or(0) >= kDarwinOfMacos13) {
    give_avx2(m);
  } else {
    give_penryn(m);
  }
}

}  // namespace ferry::libvirt
