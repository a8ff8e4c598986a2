// SPDX-License-Identifier: Apache-2.0
// What a guest has to have before its disks and cards are switched to virtio, against what is known of it. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exporters/virtio.hpp"
#include "migration/finish/guest_agent.hpp"
#include "model/observed.hpp"

namespace ferry::migration {

// What was found out of a guest.
struct GuestEvidence {
  Observed observed{};                                // of its disks, or by its agent
  bool by_agent = false;                              // then disks have no numbers
  std::optional<std::vector<AgentDevice>> devices{};  // that Windows' agent lists
  std::vector<std::string> disks{};                   // "sda": of disk 1, 2 ... in `observed`
  std::string why_not{};                              // nothing was found out: a clause
  [[nodiscard]] bool says_something() const {
    return !observed.windows.empty() || !observed.linux_systems.empty() || devices.has_value();
  }
};

// What is about to be done.
struct SwitchTo {
  bool disks = false, cards = false;  // there are some to be moved
  bool blk = false;                   // disks to virtio-blk, else to virtio-scsi
  target::VirtioIds ids{};            // of the devices as they will be
};

struct Proof {
  // missing: the machine is not switched, as it would not boot. warning: it may boot, and something else is lost.
  enum class Kind { proven, missing, warning, unknown } kind{};
  std::string text;  // a clause
  friend bool operator==(const Proof &, const Proof &) = default;
};
[[nodiscard]] const char *to_string(Proof::Kind kind);

[[nodiscard]] std::vector<Proof> proofs_of(const GuestEvidence &guest, const SwitchTo &to);
[[nodiscard]] bool is_missing(const std::vector<Proof> &proofs);

// A name below /dev that follows the controller that a disk is on.
[[nodiscard]] bool follows_the_hardware(const std::string &device);

}  // namespace ferry::migration
