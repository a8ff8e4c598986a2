// SPDX-License-Identifier: Apache-2.0
// The reports of a batch's shards, put together.
#include <algorithm>
#include <map>

#include "exporters/report/report.hpp"

namespace ferry::report {
namespace {

[[noreturn]] void refuse(const std::filesystem::path &file, std::string message, std::string found,
                         std::string expected, std::string advice = {}) {
  throw Error(ErrorKind::usage, {.where = {.file = file},
                                 .message = std::move(message),
                                 .found = std::move(found),
                                 .expected = std::move(expected),
                                 .advice = std::move(advice)});
}

std::string numbers(const std::vector<std::size_t> &all) {
  std::string out;
  for (const std::size_t one : all) out += (out.empty() ? "" : ", ") + std::to_string(one);
  return out;
}

// By their numbers. Throws where one is there twice, is of another batch, or is missing.
std::map<std::size_t, const Document *> in_order(const std::vector<NamedDocument> &parts) {
  std::map<std::size_t, const Document *> out;
  std::map<std::size_t, const std::filesystem::path *> files;
  for (const auto &[file, document] : parts) {
    if (!document.shard) {
      refuse(file, "this is not the report of a shard", {}, "what 'virt-ferry batch --shard' writes with --format json",
             "A report of a whole batch need not be merged.");
    }
    const Shard &first = *parts.front().document.shard, &shard = *document.shard;
    if (shard.manifest != first.manifest)
      refuse(file, "the report is of another manifest", shard.manifest,
             first.manifest + " as in " + parts.front().file.string());
    if (shard.count != first.count) {
      refuse(file, "the manifest was cut into another number of shards", std::to_string(shard.count),
             std::to_string(first.count) + " as in " + parts.front().file.string());
    }
    if (const auto [at, is_new] = files.emplace(shard.index, &file); !is_new) {
      refuse(file, "shard " + std::to_string(shard.index) + " is there twice", at->second->string(), "each shard once",
             "Leave out the older one.");
    }
    out[shard.index] = &document;
  }
  std::vector<std::size_t> missing;
  for (std::size_t i = 1; i <= parts.front().document.shard->count && missing.size() < 20; ++i) {
    if (!out.contains(i)) missing.push_back(i);
  }
  if (!missing.empty()) {
    refuse(parts.front().file, "reports of shards are missing", "no shard " + numbers(missing),
           "all " + std::to_string(parts.front().document.shard->count),
           "Run these shards, or name their reports too.");
  }
  return out;
}

}  // namespace

Document merged(const std::vector<NamedDocument> &parts) {
  if (parts.empty()) throw Error(ErrorKind::usage, {.message = "there are no reports to merge"});
  const auto shards = in_order(parts);
  Document out;
  std::vector<std::string> hosts;
  for (const auto &[index, document] : shards) {
    if (std::find(hosts.begin(), hosts.end(), document->host) == hosts.end()) hosts.push_back(document->host);
    out.machines.insert(out.machines.end(), document->machines.begin(), document->machines.end());
  }
  for (const std::string &host : hosts) out.host += (out.host.empty() ? "" : ", ") + host;
  return out;
}

}  // namespace ferry::report
