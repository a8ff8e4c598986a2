// SPDX-License-Identifier: Apache-2.0
#include "migration/shard.hpp"

#include <algorithm>
#include <numeric>

#include "support/error.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

[[noreturn]] void bad_shard(const std::string &found, const std::string &expected, const std::string &advice = {}) {
  throw Error(ErrorKind::usage, {.message = "--shard: the value cannot be understood",
                                 .found = "\"" + text::printable(found) + "\"",
                                 .expected = expected,
                                 .advice = advice});
}

std::optional<std::size_t> number(const std::optional<std::string> &text) {
  const auto value = text ? text::parse_u64(*text) : std::nullopt;
  return value ? std::optional(static_cast<std::size_t>(*value)) : std::nullopt;
}

// The task of a Slurm array: --array=0-7, 1-8, 0-14:2.
std::optional<Shard> slurm(const Variables &environment) {
  const auto id = number(environment("SLURM_ARRAY_TASK_ID")), first = number(environment("SLURM_ARRAY_TASK_MIN")),
             count = number(environment("SLURM_ARRAY_TASK_COUNT"));
  if (!id || !first || !count || *id < *first) return std::nullopt;
  const std::size_t step = std::max<std::size_t>(number(environment("SLURM_ARRAY_TASK_STEP")).value_or(1), 1);
  const Shard out{(*id - *first) / step + 1, *count};
  // --array=1,5,9 has neither a step nor a place in it that could be computed.
  if ((*id - *first) % step != 0 || out.index > out.count) {
    bad_shard("auto", "a Slurm array without gaps, such as 1-8", "Name the shard: --shard I/N.");
  }
  return out;
}

Shard automatic(const std::string &text, const Variables &environment) {
  const auto count = text == "auto" ? std::nullopt : number(text.substr(5));
  if (text != "auto" && !count) bad_shard(text, "auto/N with a number of shards");
  if (const auto task = slurm(environment)) {
    if (count && *count != task->count)
      bad_shard(text, "as many shards as the array has tasks, " + std::to_string(task->count));
    return *task;
  }
  const auto index = number(environment("JOB_COMPLETION_INDEX"));
  if (!index) {
    bad_shard(text, "a task of a Slurm array, or of an Indexed Job of Kubernetes",
              "Where neither runs it, name the shard: --shard I/N.");
  }
  if (!count) bad_shard(text, "auto/N: Kubernetes does not tell a task how many there are");
  return {*index + 1, *count};
}

}  // namespace

Shard shard_of(const std::string &text, const Variables &environment) {
  constexpr std::size_t kMost = 100'000;
  Shard out;
  if (text == "auto" || text.starts_with("auto/")) {
    out = automatic(text, environment);
  } else {
    const std::size_t slash = text.find('/');
    const auto index = number(text.substr(0, slash));
    const auto count = slash == std::string::npos ? std::nullopt : number(text.substr(slash + 1));
    if (!index || !count) bad_shard(text, "I/N, such as 2/8 for the second of eight, or auto");
    out = {*index, *count};
  }
  if (out.index < 1 || out.index > out.count || out.count > kMost)
    bad_shard(text, "a number from 1 to the number of shards, of which there are at most " + std::to_string(kMost));
  return out;
}

std::vector<std::size_t> members_of(const Shard &shard, const std::vector<std::optional<std::uint64_t>> &bytes) {
  std::uint64_t known = 0, sum = 0;
  for (const auto &one : bytes) {
    known += one ? 1U : 0U;
    sum += one.value_or(0);
  }
  const std::uint64_t usual = known == 0 ? 1 : std::max<std::uint64_t>(sum / known, 1);
  std::vector<std::size_t> order(bytes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto weight = [&](std::size_t machine) { return std::max<std::uint64_t>(bytes[machine].value_or(usual), 1); };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return weight(a) > weight(b); });
  std::vector<std::uint64_t> loads(shard.count);
  std::vector<std::size_t> out;
  for (const std::size_t machine : order) {
    const auto lightest = std::min_element(loads.begin(), loads.end());
    *lightest += weight(machine);
    if (static_cast<std::size_t>(lightest - loads.begin()) + 1 == shard.index) out.push_back(machine);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace ferry::migration
