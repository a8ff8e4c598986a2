// SPDX-License-Identifier: Apache-2.0
// The stable JSON form of the model. Field names are those of the structs; absent optionals, empty texts and
// empty lists are left out; enumerators are their C++ names; sizes are in bytes. An object's "origin" is
// {line, path}, with "file" only where it is not the machine's own. The one header with nlohmann-json's type.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "model/machine.hpp"

namespace ferry {

using Json = nlohmann::ordered_json;

// What the JSON form leaves out because the reader knows it.
struct JsonContext {
  std::filesystem::path base;     // files below this folder are written relative to it; empty: absolute
  std::filesystem::path machine;  // the file whose places are written without their file
};

[[nodiscard]] Json to_json(const Place &place, const JsonContext &context = {});
[[nodiscard]] Json to_json(const Finding &finding, const JsonContext &context = {});
[[nodiscard]] Json to_json(const Medium &medium, const JsonContext &context = {});
[[nodiscard]] Json to_json(const Hardware &hardware, const JsonContext &context = {});
[[nodiscard]] Json to_json(const Machine &machine, const std::filesystem::path &base = {});
[[nodiscard]] Json to_json(const LedgerEntry &entry, const JsonContext &context = {});
[[nodiscard]] Json to_json(const LedgerCounts &counts);

}  // namespace ferry
