// SPDX-License-Identifier: Apache-2.0
// CPU, memory and the features of the board, which is a q35 always.
#include <algorithm>
#include <array>

#include "exporters/kubevirt/mapping.hpp"

namespace ferry::kubevirt {
namespace {

void map_topology(Mapping &m, Json &cpu) {
  const Cpu &from = m.hardware.cpu;
  const unsigned count = std::max(from.count, 1U);
  unsigned threads = std::max(from.threads_per_core.value_or(1), 1U);
  unsigned cores = std::max(from.cores_per_socket.value_or(std::max(count / threads, 1U)), 1U);
  m.keep("cpu.count");
  m.keep("cpu.cores_per_socket");
  m.keep("cpu.threads_per_core");
  if (count % (cores * threads) != 0) {
    threads = 1;
    cores = count;
    m.translate("cpu.cores_per_socket", "not divisible: " + std::to_string(count) + " cores on one socket");
  }
  const unsigned sockets = count / (cores * threads);
  cpu["sockets"] = sockets;
  cpu["cores"] = cores;
  cpu["threads"] = threads;
  // Otherwise four times as many CPUs can be plugged in, and the guest sees places for them.
  cpu["maxSockets"] = sockets;
  m.drop_if(from.hotplug, "cpu.hotplug", "all CPUs are present from the start; raise maxSockets to allow more");
}

void map_features(Mapping &m, Json &cpu) {
  const Cpu &from = m.hardware.cpu;
  Json features = Json::array();
  const auto disable = [&](std::string_view name) {
    features.push_back({{"name", std::string(name)}, {"policy", "disable"}});
  };
  for (std::size_t i = 0; i < from.features.size(); ++i) {
    const CpuFeature &feature = from.features[i];
    const std::string field = field_at("cpu.features", i);
    // A feature that a node lacks would keep the machine from being scheduled there.
    if (feature.enabled) {
      m.translate(field, "shown where the node has it");
    } else {
      disable(feature.name);
      m.keep(field);
    }
  }
  m.keep("cpu.nested_virtualization");
  if (from.nested_virtualization == false) {
    disable("vmx");
    disable("svm");
  } else if (from.nested_virtualization == true) {
    m.translate("cpu.nested_virtualization", "on where the node's kvm module allows nesting");
  }
  if (!features.empty()) cpu["features"] = std::move(features);
}

void map_cpu(Mapping &m) {
  const Cpu &from = m.hardware.cpu;
  if (from.architecture == Cpu::Architecture::arm64)
    throw Error(ErrorKind::unsupported,
                {.where = from.origin, .message = "the machine has an ARM CPU", .found = "arm64", .expected = "x86"});
  Json cpu = Json::object();
  map_topology(m, cpu);
  const bool named = from.model && *from.model != "host" && *from.model != "max";
  cpu["model"] = named ? *from.model : "host-model";
  m.translate("cpu", "CPU model " + cpu["model"].get<std::string>());
  if (named) m.keep("cpu.model");
  m.keep("cpu.architecture");
  m.translate("cpu.pae", "on: a 64-bit CPU always has it");
  m.keep("cpu.long_mode");
  map_features(m, cpu);
  m.domain["cpu"] = std::move(cpu);
}

// "2048Mi", or bytes where it is not whole mebibytes.
std::string quantity(std::uint64_t bytes) {
  constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;
  return bytes % kMebibyte == 0 ? std::to_string(bytes / kMebibyte) + "Mi" : std::to_string(bytes);
}

void map_memory(Mapping &m) {
  const Memory &from = m.hardware.memory;
  m.domain["memory"] = {{"guest", quantity(from.bytes)}};
  m.result.memory = from.bytes;
  m.keep("memory.bytes");
  m.drop("memory", "the cluster decides how it backs the memory of its machines");
  m.drop_if(from.hot_add, "memory.hot_add", "memory can be added with maxGuest in the manifest");
}

// By dependence: what a webhook asks for another is there too (synictimer needs synic, and synic and ipi vpindex).
Json enlightenments() {
  Json out = Json::object();
  for (const char *name : {"relaxed", "vapic", "vpindex", "runtime", "synic", "frequencies", "tlbflush", "ipi"})
    out[name] = Json::object();
  out["spinlocks"] = {{"spinlocks", 8191}};
  out["synictimer"] = {{"direct", Json::object()}};
  return out;
}

void map_features_of_board(Mapping &m) {
  Json features = Json::object();
  features["acpi"] = {{"enabled", m.hardware.firmware.acpi}};
  m.keep("firmware.acpi");
  features["apic"] = Json::object();
  m.keep("cpu.apic");
  const auto paravirtualization = m.hardware.paravirtualization;
  if (paravirtualization ? *paravirtualization == Paravirtualization::hyperv : m.windows()) {
    features["hyperv"] = enlightenments();
    m.translate("paravirtualization", "Hyper-V enlightenments");
  } else {
    m.translate("paravirtualization", "KVM's own interface");
  }
  if (m.hardware.cpu.hypervisor_hidden == true) {
    features["kvm"] = {{"hidden", true}};
    m.keep("cpu.hypervisor_hidden");
  }
  // Firmware that guards Secure Boot's keys runs in system management mode.
  if (m.input.firmware && m.input.firmware->secure_boot) features["smm"] = {{"enabled", true}};
  m.domain["features"] = std::move(features);
}

}  // namespace

void map_board(Mapping &m) {
  m.domain["machine"] = {{"type", "q35"}};
  m.result.board = "q35";
  m.translate("chipset", "q35");
  m.translate("machine_type", "q35, as the cluster's QEMU has it");
  map_cpu(m);
  map_memory(m);
  map_features_of_board(m);
  if (m.machine.guest_os.family == OsFamily::macos) m.raise(kMacos, m.machine.origin, "macOS does not start.");
}

}  // namespace ferry::kubevirt
