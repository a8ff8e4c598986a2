// SPDX-License-Identifier: Apache-2.0
// The model as YAML for people: what JSON has, read back the same by any YAML 1.1 or 1.2 reader.
#pragma once

#include <string>

#include "model/json.hpp"

namespace ferry::cli {

// One document for each machine. Where a value came from stands behind it as "# line 12" and is no value; so does the
// date of a time in seconds.
[[nodiscard]] std::string as_yaml(const Json &machines);

}  // namespace ferry::cli
