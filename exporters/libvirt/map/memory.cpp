// SPDX-License-Identifier: Apache-2.0
// Memory, its balloon and its pages.
#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {

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
  m.drop_if(memory.hot_add, "memory.hot_add", "all memory is present from the start");
}

void map_large_pages(Mapping &m) {
  m.drop_if(m.hardware.memory.large_pages, "memory.large_pages", "huge pages have to be set up on the host");
  if (m.hardware.memory.large_pages == true) {
    m.raise(kLargePagesDropped, m.hardware.memory.origin,
            "Large pages are not used: they have to be set up on the host first.");
  }
}

}  // namespace ferry::libvirt
