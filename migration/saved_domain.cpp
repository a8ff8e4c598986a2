// SPDX-License-Identifier: Apache-2.0
#include "migration/saved_domain.hpp"

#include <nlohmann/json.hpp>

#include "support/error.hpp"
#include "support/file.hpp"

namespace ferry::migration {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxFile = std::uint64_t{64} << 20U;  // bytes

}  // namespace

void write_saved_domain(const std::filesystem::path &file, const target::SavedMachine &domain) {
  Json snapshots = Json::array();
  for (const target::SavedMachine::Snapshot &snapshot : domain.snapshots)
    snapshots.push_back({{"name", snapshot.name}, {"xml", snapshot.document}, {"current", snapshot.current}});
  const Json out{{"xml", domain.document}, {"autostart", domain.autostart}, {"snapshots", std::move(snapshots)}};
  file::write_new(file, out.dump(1));
}

std::optional<target::SavedMachine> read_saved_domain(const std::filesystem::path &file) {
  if (!file::status_of(file)) return std::nullopt;
  const auto bytes = file::read_range({.file = file}, kMaxFile);
  try {
    const Json in = Json::parse(bytes.begin(), bytes.end());
    target::SavedMachine out{.document = in.at("xml"), .snapshots = {}, .autostart = in.at("autostart")};
    for (const Json &snapshot : in.at("snapshots"))
      out.snapshots.push_back({snapshot.at("name"), snapshot.at("xml"), snapshot.at("current")});
    return out;
  } catch (const Json::exception &error) {
    throw Error(ErrorKind::malformed,
                {.where = {.file = file}, .message = std::string("the saved definition is damaged: ") + error.what()});
  }
}

}  // namespace ferry::migration
