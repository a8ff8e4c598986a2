// SPDX-License-Identifier: Apache-2.0
// What a pull asks of the target while the machine runs. In host.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporters/target.hpp"
#include "exporters/virtio.hpp"

namespace ferry::migration {

// All functions throw Error libvirt.
class PullCalls {
 public:
  PullCalls() = default;
  virtual ~PullCalls() = default;
  PullCalls(const PullCalls &) = delete;
  PullCalls &operator=(const PullCalls &) = delete;

  // Those that read another image, as the machine runs now.
  [[nodiscard]] virtual std::vector<target::BackedDisk> backed_disks(const std::string &machine) const = 0;
  // `limit`: MiB a second; 0: none.
  virtual void begin(const std::string &machine, const std::string &disk, std::uint64_t limit) = 0;
  // Percent; nullopt when nothing is copied for the disk.
  [[nodiscard]] virtual std::optional<unsigned> progress(const std::string &machine, const std::string &disk) const = 0;
};

[[nodiscard]] std::unique_ptr<PullCalls> pull_calls_at(const std::string &connect);
// Takes out of a machine's definition what it says of images under `disks`, which stand alone now. Throws libvirt.
void forget_backing(target::Machines &machines, const std::string &machine,
                    const std::vector<std::filesystem::path> &disks);
// Of a machine that is off.
[[nodiscard]] std::vector<target::BackedDisk> file_disks(const std::string &document);

}  // namespace ferry::migration
