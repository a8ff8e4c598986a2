// SPDX-License-Identifier: Apache-2.0
// CPU model, topology and features.
//
// VirtualBox and VMware show the host's own CPU, so does 'host-passthrough' under KVM (virt-install's default too).
// Without KVM the choice is QEMU's 'maximum' (libvirt 7.1), which is everything that its emulation can.
#include <algorithm>
#include <string_view>

#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {
namespace {

// Names of libvirt's cpu_map that the source formats can ask for or mask. An unknown name would be refused when the
// machine starts, so others are dropped with a note.
constexpr std::array<std::string_view, 58> kKnownFeatures = {
    "3dnow",        "abm",     "adx",      "aes",        "apic",   "avx",     "avx2",   "avx512bw", "avx512cd",
    "avx512dq",     "avx512f", "avx512vl", "bmi1",       "bmi2",   "cx16",    "erms",   "f16c",     "fma",
    "fsgsbase",     "fxsr",    "hle",      "hypervisor", "ibpb",   "invpcid", "invtsc", "lahf_lm",  "lm",
    "md-clear",     "mmx",     "monitor",  "movbe",      "mtrr",   "nx",      "pae",    "pcid",     "pclmuldq",
    "pdpe1gb",      "popcnt",  "rdrand",   "rdseed",     "rdtscp", "rtm",     "smap",   "smep",     "spec-ctrl",
    "ssbd",         "sse",     "sse2",     "ssse3",      "pni",    "sse4.1",  "sse4.2", "svm",      "tsc",
    "tsc-deadline", "vmx",     "x2apic",   "xsave"};

void disable(Mapping &m, std::string_view name) { m.cpu_feature(name, "disable"); }

void map_topology(Mapping &m) {
  const Cpu &cpu = m.hardware.cpu;
  unsigned count = std::max(cpu.count, 1U);
  const unsigned limit = m.host.max_vcpus == 0 ? 255U : m.host.max_vcpus;
  m.keep("cpu.count");
  if (count > limit) {
    m.raise(kCpuClamped, cpu.origin,
            "The machine has " + std::to_string(count) + " virtual CPUs; this host allows " + std::to_string(limit) +
                "; it is given " + std::to_string(limit) + ".");
    m.translate("cpu.count", "reduced to " + std::to_string(limit));
    count = limit;
  }
  m.domain.vcpus = count;
  unsigned threads = std::max(cpu.threads_per_core.value_or(1), 1U);
  // Where nobody says: one socket, since licences count those. A single socket stays one when CPUs are taken away.
  unsigned cores = std::max(cpu.cores_per_socket.value_or(count / threads), 1U);
  if (count < cpu.count && cores * threads == cpu.count) cores = std::max(count / threads, 1U);
  if (count % (cores * threads) != 0) {
    m.raise(kCpuTopology, cpu.origin,
            std::to_string(count) + " virtual CPUs do not divide into " + std::to_string(cores) + " cores with " +
                std::to_string(threads) + " threads per socket; the guest sees one core per CPU.");
    m.translate("cpu.cores_per_socket", "not divisible: " + std::to_string(count) + " cores on one socket");
    threads = 1;
    cores = count;
  } else {
    m.keep("cpu.cores_per_socket");
  }
  m.keep("cpu.threads_per_core");
  m.domain.cpu.threads = threads;
  m.domain.cpu.cores = cores;
  m.domain.cpu.sockets = count / (cores * threads);
}

void choose_mode(Mapping &m) {
  if (m.host.kvm && unknown_or_has(m.host.cpu_modes, "host-passthrough")) {
    m.domain.cpu.mode = "host-passthrough";
  } else if (m.host.kvm && has(m.host.cpu_modes, "host-model")) {
    m.domain.cpu.mode = "host-model";
  } else if (has(m.host.cpu_modes, "maximum")) {
    m.domain.cpu.mode = "maximum";
  } else {
    m.domain.cpu.mode = "custom";
    m.domain.cpu.model = "qemu64";
  }
  m.translate("cpu", "CPU model " + (m.domain.cpu.model.empty() ? m.domain.cpu.mode : m.domain.cpu.model));
  m.keep("cpu.architecture");
}

void map_long_mode_and_pae(Mapping &m) {
  const Cpu &cpu = m.hardware.cpu;
  m.keep("cpu.long_mode");
  m.keep("cpu.pae");
  const bool without_long_mode = cpu.long_mode == false;
  if (without_long_mode) disable(m, "lm");
  if (cpu.pae == false && without_long_mode) {
    disable(m, "pae");
  } else if (cpu.pae == false) {
    // Long mode is built on PAE: a CPU with one and without the other does not exist.
    m.translate("cpu.pae", "on: a 64-bit CPU always has it");
  }
}

void map_nested(Mapping &m) {
  const std::optional<bool> nested = m.hardware.cpu.nested_virtualization;
  if (nested == false) {
    disable(m, "vmx");
    disable(m, "svm");
    m.keep("cpu.nested_virtualization");
  } else if (nested == true) {
    m.translate("cpu.nested_virtualization",
                m.host.kvm ? "on where the host's kvm module allows nesting" : "emulated svm only");
    m.raise(kNestedDependsOnHost, m.hardware.cpu.origin,
            "The guest has nested virtualization; it works where the host's KVM allows it.");
  }
}

void map_apic(Mapping &m) {
  const Cpu &cpu = m.hardware.cpu;
  m.keep("cpu.x2apic");
  if (cpu.x2apic == false) {
    disable(m, "x2apic");
  } else if (cpu.x2apic == true && !m.host.kvm) {
    m.drop("cpu.x2apic", "software emulation has no x2APIC");
  }
  m.keep("cpu.apic");
  if (cpu.apic == false) m.translate("cpu.apic", "on: QEMU's PC boards always have a local APIC");
}

void map_single_features(Mapping &m) {
  const Cpu &cpu = m.hardware.cpu;
  for (std::size_t i = 0; i < cpu.features.size(); ++i) {
    const CpuFeature &feature = cpu.features[i];
    const std::string field = field_at("cpu.features", i);
    if (std::find(kKnownFeatures.begin(), kKnownFeatures.end(), feature.name) == kKnownFeatures.end()) {
      m.drop(field, "libvirt does not know this CPU feature");
      m.raise(kCpuFeatureDropped, cpu.origin, "The CPU feature '" + feature.name + "' is not known to libvirt.");
      continue;
    }
    // Asking for a feature that the host lacks would keep the machine from starting.
    if (feature.enabled) {
      m.keep(field, "shown where the host has it");
    } else {
      disable(m, feature.name);
      m.keep(field);
    }
  }
}

void map_execution_cap(Mapping &m) {
  const std::optional<unsigned> cap = m.hardware.cpu.execution_cap_percent;
  if (!cap) return;
  if (*cap >= 100 || *cap == 0) {
    m.keep("cpu.execution_cap_percent", "no limit");
  } else if (m.session()) {
    m.drop("cpu.execution_cap_percent", "a session connection has no control groups");
    m.raise(kExecutionCapDropped, m.hardware.cpu.origin,
            "The CPU execution cap of " + std::to_string(*cap) + " % cannot be set on a session connection.");
  } else {
    m.domain.cpu_quota_percent = *cap;
    m.translate("cpu.execution_cap_percent", "cputune quota");
  }
}

// Which others one needs, by QEMU's target/i386/kvm/kvm.c. `nested`: only of use to a Hyper-V in the guest.
// Re-enlightenment wants a fixed frequency when a running guest's state is loaded again, so no other guest gets it.
struct Enlightenment {
  std::string_view name, needs;
  bool nested = false;
};
constexpr std::array<Enlightenment, 13> kEnlightenments{{{"relaxed", {}},
                                                         {"vapic", {}},
                                                         {"spinlocks", {}},
                                                         {"vpindex", {}},
                                                         {"runtime", {}},
                                                         {"synic", "vpindex"},
                                                         {"stimer", "synic"},
                                                         {"reset", {}},
                                                         {"frequencies", {}},
                                                         {"reenlightenment", {}, true},
                                                         {"tlbflush", "vpindex"},
                                                         {"ipi", "vpindex"},
                                                         {"evmcs", "vapic", true}}};
// What an enlightenment can be given besides: the child of its element that a libvirt offers (from 11.0 on).
constexpr std::array<Enlightenment, 3> kVariants{
    {{"stimer_direct", "stimer"}, {"tlbflush_direct", "tlbflush", true}, {"tlbflush_extended", "tlbflush"}}};

void add_enlightenments(Mapping &m, bool nested) {
  DomainFeatures &features = m.domain.features;
  const auto there = [&](std::string_view name) {
    return name.empty() || std::find(features.hyperv.begin(), features.hyperv.end(), name) != features.hyperv.end();
  };
  for (const Enlightenment &one : kEnlightenments) {
    // The first three every KVM has.
    const bool old = one.name == "relaxed" || one.name == "vapic" || one.name == "spinlocks";
    const bool offered = old ? unknown_or_has(m.host.hyperv_features, one.name) : has(m.host.hyperv_features, one.name);
    if (offered && there(one.needs) && (nested || !one.nested)) features.hyperv.emplace_back(one.name);
  }
  for (const Enlightenment &one : kVariants) {
    if (has(m.host.hyperv_features, one.name) && there(one.needs) && (nested || !one.nested))
      features.hyperv_variants.emplace(one.name);
  }
}

void map_enlightenments(Mapping &m) {
  const auto paravirtualization = m.hardware.paravirtualization;
  const bool wanted = paravirtualization ? *paravirtualization == Paravirtualization::hyperv : m.windows();
  if (!wanted) {
    m.translate("paravirtualization", "KVM's own interface");
    return;
  }
  if (!m.host.kvm) {
    m.drop("paravirtualization", "Hyper-V enlightenments need KVM");
    return;
  }
  add_enlightenments(m, m.hardware.cpu.nested_virtualization.value_or(false));
  m.translate("paravirtualization", "Hyper-V enlightenments");
}

// As many more sockets as the source has room for, or four times as many where it does not say: VMware asks for no
// limit. What is plugged in comes first, so that the guest's own CPUs are those that it had.
void map_hotplug(Mapping &m) {
  constexpr unsigned kGrowth = 4;
  const Cpu &cpu = m.hardware.cpu;
  m.keep("cpu.hotplug");
  m.keep("cpu.most");
  if (cpu.hotplug != true) return;
  const unsigned limit = m.host.max_vcpus == 0 ? 255U : m.host.max_vcpus;
  const unsigned socket = m.domain.cpu.cores * m.domain.cpu.threads, now = m.domain.vcpus;
  const unsigned wanted = std::min(cpu.most.value_or(now * kGrowth), limit) / socket * socket;
  if (cpu.most && *cpu.most <= now) return m.keep("cpu.hotplug", "all that it can have are plugged in");
  if (!m.options.hot_add) return m.drop("cpu.hotplug", "left out by --hot-add off");
  if (wanted <= now) return m.drop("cpu.hotplug", "this host allows no more CPUs");
  m.domain.vcpus_now = now;
  m.domain.vcpus = wanted;
  m.domain.cpu.sockets = wanted / socket;
  m.translate("cpu.hotplug", "up to " + std::to_string(wanted) + " CPUs, with 'virsh setvcpus --live'");
  m.translate("cpu.most", "up to " + std::to_string(wanted));
}

}  // namespace

void map_cpu(Mapping &m) {
  choose_mode(m);
  map_topology(m);
  map_long_mode_and_pae(m);
  map_nested(m);
  map_apic(m);
  map_single_features(m);
  map_execution_cap(m);
  map_enlightenments(m);
  const Cpu &cpu = m.hardware.cpu;
  map_hotplug(m);
  if (cpu.profile && *cpu.profile != "host") {
    m.drop("cpu.profile", "QEMU has no such CPU profile; the guest sees " + m.domain.cpu.mode);
    m.raise(kCpuProfileDropped, cpu.origin,
            "The CPU profile '" + *cpu.profile + "' has no counterpart; the guest sees another CPU.");
  } else {
    m.keep("cpu.profile");
  }
  m.domain.features.pae = cpu.pae.value_or(true);
}

}  // namespace ferry::libvirt
