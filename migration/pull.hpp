// SPDX-License-Identifier: Apache-2.0
// A machine that reads its source (--disk-mode overlay) gets what is still missing into its own images, while it runs
// or when it is off. From then on it does not need the source.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace ferry::migration {

struct PullOptions {
  std::string connect;
  std::uint64_t limit = 0;  // MiB a second, of a machine that runs; 0: as fast as it goes
  // Told now and then: the disk, and percent.
  std::function<void(const std::string &, unsigned)> progress = {};
};

struct PullResult {
  std::string machine;
  std::vector<std::string> pulled;  // "sda: /images/web.qcow2 no longer reads /old/web.vdi"
};

// Throws Error: usage (not this user's own session), missing (no such machine), libvirt (also when a pull ends before
// it is done: what is pulled stays, and it can be gone on with), subprocess (qemu-img), cancelled (of a machine that
// runs, the pull goes on all the same).
[[nodiscard]] PullResult pull(const std::string &name, const PullOptions &options, const std::stop_token &stop);

}  // namespace ferry::migration
