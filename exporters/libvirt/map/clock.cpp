// SPDX-License-Identifier: Apache-2.0
// Real-time clock and timers. The timer policies are those that virt-install writes for x86 guests: the RTC catches
// up after a pause, the PIT does not, and there is no HPET unless the source had one.
#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {

void map_clock(Mapping &m) {
  const Clock &clock = m.hardware.clock;
  const std::string base = clock.base == Clock::Base::local_time ? "localtime" : "utc";
  const std::int64_t half = clock.offset_ms < 0 ? -500 : 500;
  const std::int64_t seconds = (clock.offset_ms + half) / 1000;
  m.domain.clock.offset = base;
  m.keep("clock.base");
  m.keep("clock.offset_ms");
  if (seconds != 0) {
    m.domain.clock.offset = "variable";
    m.domain.clock.adjustment = seconds;
    m.domain.clock.basis = base;
    m.translate("clock.offset_ms", "clock offset of " + std::to_string(seconds) + " s");
  } else if (clock.offset_ms != 0) {
    m.translate("clock.offset_ms", "less than half a second: none");
  }
  m.domain.clock.timers.push_back({.name = "rtc", .tickpolicy = "catchup"});
  m.domain.clock.timers.push_back({.name = "pit", .tickpolicy = "delay"});
  m.domain.clock.timers.push_back({.name = "hpet", .tickpolicy = {}, .present = clock.hpet.value_or(false)});
  m.keep("clock.hpet");
  if (!m.domain.features.hyperv.empty()) {
    m.domain.clock.timers.push_back({.name = "hypervclock", .tickpolicy = {}, .present = true});
  }
}

}  // namespace ferry::libvirt
