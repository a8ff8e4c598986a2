// SPDX-License-Identifier: Apache-2.0
// The stable JSON form of the model. Field names are those of the structs; absent optionals are left out; enum
// values are their C++ names; sizes in bytes. The one wrapper of nlohmann-json's type in headers.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "model/machine.hpp"

namespace ferry {

[[nodiscard]] nlohmann::ordered_json to_json(const Place &place);
[[nodiscard]] nlohmann::ordered_json to_json(const Finding &finding);
[[nodiscard]] nlohmann::ordered_json to_json(const Medium &medium);
[[nodiscard]] nlohmann::ordered_json to_json(const Hardware &hardware);
// `base`: files below this folder are written relative to it (golden tests); empty: absolute.
[[nodiscard]] nlohmann::ordered_json to_json(const Machine &machine, const std::filesystem::path &base = {});
[[nodiscard]] nlohmann::ordered_json to_json(const Ledger &ledger, const std::filesystem::path &base = {});

}  // namespace ferry
