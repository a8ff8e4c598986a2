// SPDX-License-Identifier: Apache-2.0
// A part of a batch: several hosts, or several tasks of a cluster's job, share the machines of one manifest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ferry::migration {

struct Shard {
  std::size_t index = 1;  // from 1
  std::size_t count = 1;
};

using Variables = std::function<std::optional<std::string>(const std::string &)>;  // of the environment

// "2/8"; "auto": the task of a Slurm array (SLURM_ARRAY_TASK_ID, _MIN, _STEP, _COUNT); "auto/8": the one of an Indexed
// Job of Kubernetes (JOB_COMPLETION_INDEX from 0), which is not told how many there are, or of a Slurm array. Throws
// Error usage.
[[nodiscard]] Shard shard_of(const std::string &text, const Variables &environment);

// Which of the machines (numbers from 0, ascending) are the shard's: the largest first, each to the shard that has the
// least so far, so that all shards take about as long. `bytes`: of data, by machine; one of which it is not known
// counts as much as the others do on average. The shards of one count have each machine once.
[[nodiscard]] std::vector<std::size_t> members_of(const Shard &shard,
                                                  const std::vector<std::optional<std::uint64_t>> &bytes);

}  // namespace ferry::migration
