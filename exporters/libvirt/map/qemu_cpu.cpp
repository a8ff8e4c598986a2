// SPDX-License-Identifier: Apache-2.0
// The CPU that the command names.
#include <algorithm>

#include "exporters/libvirt/map/qemu_parts.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

void choose_model(Mapping &m) {
  DomainCpu &out = m.domain.cpu;
  const std::string model = m.hardware.cpu.model.value_or("qemu64");
  m.keep("cpu.model", model);
  if (model == "host" && m.host.kvm) {
    out.mode = "host-passthrough";
  } else if (model == "host" || model == "max") {
    out.mode = "maximum";
    if (model == "host") m.translate("cpu.model", "all that software emulation can: this host has no KVM");
  } else {
    out.mode = "custom";
    out.model = model;
  }
}

void map_topology(Mapping &m) {
  const Cpu &cpu = m.hardware.cpu;
  DomainCpu &out = m.domain.cpu;
  out.sockets = std::max(cpu.sockets.value_or(1), 1U);
  out.dies = std::max(cpu.dies.value_or(1), 1U);
  out.cores = std::max(cpu.cores_per_socket.value_or(1), 1U);
  out.threads = std::max(cpu.threads_per_core.value_or(1), 1U);
  m.domain.vcpus = cpu.most.value_or(cpu.count);
  if (cpu.most) m.domain.vcpus_now = cpu.count;
  const unsigned limit = m.host.max_vcpus == 0 ? 255U : m.host.max_vcpus;
  if (m.domain.vcpus <= limit) return;
  m.raise(kCpuClamped, cpu.origin,
          "The machine has " + std::to_string(m.domain.vcpus) + " virtual CPUs, this host allows " +
              std::to_string(limit) + "; it gets " + std::to_string(limit) + ".");
  m.translate("cpu.count", "reduced to " + std::to_string(limit));
  m.domain.vcpus = limit;
  m.domain.vcpus_now.reset();
  out.sockets = out.dies = out.threads = 1;
  out.cores = limit;
}

void map_features(Mapping &m) {
  m.keep("cpu.features");
  const auto &features = m.hardware.cpu.features;
  for (std::size_t i = 0; i < features.size(); ++i) {
    const std::string field = field_at("cpu.features", i);
    // libvirt refuses to start with it where the host's clock does not run steadily; QEMU warns.
    if (features[i].name == "invtsc" && features[i].enabled) {
      m.raise(kInvtsc, m.hardware.cpu.origin,
              m.host.kvm ? "The CPU feature invtsc is shown where this host has it."
                         : "The CPU feature invtsc is left out: software emulation has none.");
      if (m.host.kvm) m.cpu_feature("invtsc", "optional");
      continue;
    }
    m.cpu_feature(features[i].name, features[i].enabled ? "require" : "disable");
  }
}

void map_enlightenments(Mapping &m) {
  const auto &wanted = m.hardware.cpu.enlightenments;
  m.keep("cpu.enlightenments");
  if (wanted.empty()) return;
  if (!m.host.kvm) {
    m.drop("cpu.enlightenments", "Hyper-V enlightenments need KVM");
    return;
  }
  for (const auto &[name, value] : wanted) {
    if (name == "time") continue;  // a timer
    if (name == "stimer-direct") continue;
    m.domain.features.hyperv.push_back(name);
    if (name == "vendor_id") m.domain.features.hyperv_vendor = value;
    if (name == "spinlocks") {
      const std::string digits = value.starts_with("0x") ? value.substr(2) : value;
      const unsigned long number = std::strtoul(digits.c_str(), nullptr, value.starts_with("0x") ? 16 : 10);
      m.domain.features.spinlock_retries = static_cast<unsigned>(std::clamp(number, 4095UL, 0xFFFFFFFFUL));
    }
  }
}

}  // namespace

void map_qemu_cpu(Mapping &m) {
  const Cpu &cpu = m.hardware.cpu;
  m.keep("cpu");
  m.keep("paravirtualization");
  choose_model(m);
  map_topology(m);
  if (cpu.vendor) {
    const std::string &vendor = *cpu.vendor;
    // libvirt takes exactly twelve characters, and no vendor of its own for a passed-through CPU.
    if (vendor.size() == 12 && m.domain.cpu.mode == "custom") {
      m.domain.cpu.vendor_id = vendor;
    } else if (m.domain.cpu.mode != "custom" || vendor.size() != 12) {
      m.drop("cpu.vendor", "libvirt sets the vendor of a named model only");
    }
  }
  map_features(m);
  // The emulator without long mode has no SYSCALL either; KVM shows it as the host does.
  if (cpu.long_mode == false && !m.host.kvm) m.cpu_feature("syscall", "disable");
  m.keep("cpu.long_mode");
  m.domain.features.kvm_hidden = cpu.hypervisor_hidden.value_or(false) && m.host.kvm;
  map_enlightenments(m);
  m.domain.features.pae = true;
}

}  // namespace ferry::libvirt
