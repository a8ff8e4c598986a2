// SPDX-License-Identifier: Apache-2.0
// What macOS needs: Apple's SMC, a CPU that its release knows, and a network card that it has a driver for. This is
// the one place that decides on them; importers say which release it is (GuestOs::darwin) and what they know of the SMC
// (extra "smc.key", "smc.present").
#include <algorithm>
#include <array>

#include "exporters/libvirt/map/mapping.hpp"
#include "exporters/libvirt/map/nic_parts.hpp"
#include "model/macos_name.hpp"

namespace ferry::libvirt {
namespace {

constexpr unsigned kDarwinOfMacos13 = 22;  // the first release whose system libraries need AVX2

// libvirt's CPU models with AVX2 that macOS 13 and later know, the ones that most hosts can show first: those without
// TSX, which microcode took from Intel's processors.
constexpr std::array<std::string_view, 8> kMacCpuModels = {"Skylake-Client-noTSX-IBRS",
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

std::string release_of(const Mapping &m) {
  const unsigned darwin = *m.machine.guest_os.darwin;
  const std::string name = macos_name(darwin);
  return name.empty() ? "macOS with the kernel Darwin " + std::to_string(darwin) : name;
}

// QEMU's own models, which say that they are none of a maker's, and have no SSE4.1: no macOS boots on them.
bool is_qemus_own(const std::string &model) {
  return model.starts_with("qemu") || model.starts_with("kvm") || model == "base";
}

void give_penryn(Mapping &m) {
  const std::optional<std::string> &named = m.hardware.cpu.model;
  if (named && (!m.machine.guest_os.darwin || !is_qemus_own(*named))) return;  // as the source says
  if (!unknown_or_has(m.host.cpu_models, "Penryn")) return;
  use_model(m, "Penryn");
  // What releases up to macOS 12 ask for beyond a Penryn; shown where the host has it.
  for (const std::string_view feature : {"sse4.2", "popcnt", "aes", "xsave", "avx"}) {
    m.cpu_feature(feature, "optional");
  }
  m.raise(kMacosCpu, m.hardware.cpu.origin, "macOS gets a Penryn CPU, which releases up to macOS 12 know.",
          m.machine.guest_os.darwin ? "" : "Choose a Haswell or Skylake model in the domain for macOS 13 and newer.");
}

bool has_avx2(std::string_view model) {
  return std::any_of(kFamilies.begin(), kFamilies.end(),
                     [&](std::string_view family) { return model.starts_with(family); });
}

bool host_has_avx2(const HostProfile &host) {
  if (host.cpu_models.empty()) return true;  // nobody was asked
  return std::any_of(host.cpu_models.begin(), host.cpu_models.end(), has_avx2);
}

// The CPU that the source names is one for the release, and this host can show it.
bool named_one_will_do(const Mapping &m) {
  const Cpu &cpu = m.hardware.cpu;
  if (!cpu.model) return false;
  const bool asked = std::any_of(cpu.features.begin(), cpu.features.end(),
                                 [](const CpuFeature &feature) { return feature.name == "avx2" && feature.enabled; });
  if (*cpu.model == "host" || *cpu.model == "max" || asked) return m.host.kvm && host_has_avx2(m.host);
  return has_avx2(*cpu.model) && unknown_or_has(m.host.cpu_models, *cpu.model);
}

void give_avx2(Mapping &m) {
  if (named_one_will_do(m)) return;
  const std::string release = release_of(m);
  const auto *const known = std::find_if(kMacCpuModels.begin(), kMacCpuModels.end(),
                                         [&m](std::string_view model) { return has(m.host.cpu_models, model); });
  if (known != kMacCpuModels.end()) {
    use_model(m, *known);
    m.raise(kMacosCpu, m.hardware.cpu.origin, release + " gets a " + std::string(*known) + " CPU, which it knows.", "");
  } else if (m.host.kvm && host_has_avx2(m.host)) {
    if (m.hardware.cpu.model) {  // else as choose_mode() left it
      m.domain.cpu.mode = "host-passthrough";
      m.domain.cpu.model.clear();
      m.domain.cpu.vendor_id.clear();
      m.translate("cpu.model", "the host's own CPU");
    }
    m.raise(kMacosCpu, m.hardware.cpu.origin, release + " gets the host's own CPU, which has AVX2.",
            "Choose a Haswell or Skylake-Client model in the domain if the guest does not start on it.");
  } else {
    m.raise(kMacosCpuTooOld, m.hardware.cpu.origin,
            release + " needs a CPU with AVX2, and no CPU model of this host is known to have it.");
  }
}

// By the names of libvirt and QEMU. A card that is not known to be without a driver has one: guests may bring their
// own. [read: virtio in macOS itself since 10.15, vmxnet3 since 10.11; of Intel's cards 82545EM is the one that all
// releases know; Realtek's 8139 went with 10.9.]
bool has_driver(std::string_view model, unsigned darwin) {
  constexpr unsigned kDarwinOfMavericks = 13, kDarwinOfCatalina = 19;
  if (model.starts_with("virtio")) return darwin >= kDarwinOfCatalina;
  if (model == "rtl8139" || model == "e1000") return darwin < kDarwinOfMavericks;
  return model != "pcnet" && !model.starts_with("ne2k") && !model.starts_with("i8255");
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

bool choose_macos_card(Mapping &m, std::size_t index, const Nic &nic, std::string &model) {
  const GuestOs &guest = m.machine.guest_os;
  if (guest.family != OsFamily::macos || !guest.darwin || has_driver(model, *guest.darwin)) return false;
  constexpr unsigned kDarwinOfElCapitan = 15;
  const std::string was = model;
  model = *guest.darwin < kDarwinOfElCapitan ? "e1000-82545em" : "vmxnet3";
  m.translate(nic_field(index, "model"), was + " becomes " + model);
  m.raise(
      kMacosNic, nic.origin,
      nic_label(index) + " was " + was + ", which " + release_of(m) + " has no driver for; it becomes " + model + ".");
  return true;
}

}  // namespace ferry::libvirt
