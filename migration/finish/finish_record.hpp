// SPDX-License-Identifier: Apache-2.0
// What 'virt-ferry finish' did to a machine, beside the journals: each phase with the definition from before it, which
// is what takes it back. One JSON file for each machine, for this user alone: definitions hold passwords.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/file.hpp"

namespace ferry::migration {

struct FinishPhase {
  std::string phase;                 // "prepare", "switch"
  std::string before;                // the definition, as the target gave it
  std::string after;                 // the same, when it was done; empty: it was cut off
  std::vector<std::string> files{};  // that the phase made: they go when it is taken back
};

struct FinishRecord {
  std::string machine, uuid, connect;
  std::vector<FinishPhase> phases;  // oldest first; none: nothing is to be taken back
};

// One process at a time works on a machine: held while this lives, and given back however the process ends.
class FinishLock {
 public:
  // Throws Error conflict where another process has it, io.
  FinishLock(const std::string &uuid, const std::string &machine);
  ~FinishLock();
  FinishLock(const FinishLock &) = delete;
  FinishLock &operator=(const FinishLock &) = delete;

 private:
  std::filesystem::path file_;
  file::Descriptor lock_;
};

// Without phases where there is no file. Throws Error malformed, io.
[[nodiscard]] FinishRecord read_finish(const std::string &uuid);
// On the disk, whole, when it returns; without phases the file goes. Throws Error io, no_space.
void write_finish(const FinishRecord &record);

}  // namespace ferry::migration
