// SPDX-License-Identifier: Apache-2.0
// Memory, its balloon and its pages.
#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {

namespace {

// Room for four times the memory: VMware takes up to sixteen times, but what a guest prepares itself for costs it. Such
// memory belongs to a NUMA node, and from then on libvirt takes the machine's memory from there.
void map_hot_add(Mapping &m) {
  constexpr unsigned kGrowth = 4, kSlots = 16;
  const Memory &memory = m.hardware.memory;
  m.keep("memory.hot_add", "off");
  if (!memory.hot_add) return;
  if (m.hardware.described_by_qemu()) return m.drop("memory.hot_add", "all memory is present from the start");
  if (!m.options.hot_add) return m.drop("memory.hot_add", "left out by --hot-add off");
  if (!m.hardware.firmware.acpi && !m.efi()) return m.drop("memory.hot_add", "a machine without ACPI has no slots");
  m.domain.most_memory_kib = m.domain.memory_kib * kGrowth;
  m.domain.memory_slots = kSlots;
  m.translate("memory.hot_add",
              "up to " + std::to_string(m.domain.most_memory_kib / 1024) + " MiB, with 'virsh attach-device'");
  m.raise(kMemoryHotAdd, memory.origin,
          "Memory can be added while the machine runs, up to " + std::to_string(m.domain.most_memory_kib / 1024) +
              " MiB. For that it has a NUMA node, whose size is the machine's memory.");
}

}  // namespace

void map_memory(Mapping &m) {
  const Memory &memory = m.hardware.memory;
  constexpr std::uint64_t kAssumed = std::uint64_t{1} << 30U;
  std::uint64_t bytes = memory.bytes;
  m.keep("memory.bytes");
  if (bytes == 0) {
    bytes = kAssumed;
    m.raise(kMemoryAssumed, memory.origin, "The source does not say how much memory the machine has; it gets 1 GiB.");
  }
  m.result.memory = bytes;
  m.domain.memory_kib = (bytes + 1023) / 1024;
  m.domain.current_memory_kib = m.domain.memory_kib;
  const std::uint64_t balloon = memory.balloon_bytes.value_or(0);
  m.keep("memory.balloon_bytes", "none");
  if (balloon > 0 && balloon < bytes) {
    m.domain.balloon = true;
    m.domain.balloon_address = m.slots.place(std::nullopt);
    m.domain.current_memory_kib = (bytes - balloon) / 1024;
    m.translate("memory.balloon_bytes", "virtio balloon");
    m.raise(kBalloon, memory.origin, "The memory balloon becomes a virtio one, which needs its driver in the guest.");
  }
  m.domain.preallocated = memory.preallocated;
  m.keep("memory.preallocated");
  m.drop_if(memory.page_fusion, "memory.page_fusion", "the host's KSM is a setting for all machines, not for one");
  map_hot_add(m);
}

void map_large_pages(Mapping &m) {
  m.drop_if(m.hardware.memory.large_pages, "memory.large_pages", "huge pages have to be set up on the host");
  if (m.hardware.memory.large_pages == true) {
    m.raise(kLargePagesDropped, m.hardware.memory.origin,
            "Large pages are not used: they have to be set up on the host first.");
  }
}

}  // namespace ferry::libvirt
