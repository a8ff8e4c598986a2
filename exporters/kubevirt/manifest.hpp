// SPDX-License-Identifier: Apache-2.0
// Kubernetes manifests: the text, and names as a cluster takes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/json.hpp"

namespace ferry::kubevirt {

// YAML documents, one for each object. Every string, and every key that is no plain word, is quoted: readers of YAML
// 1.1 take 52:54:00:12:34:56 for a number and n for false.
[[nodiscard]] std::string manifest(const std::vector<Json> &objects);

// The same text with one more annotation of the VirtualMachine, which has some already. Throws Error internal for a
// text that manifest() has not made.
[[nodiscard]] std::string with_annotation(const std::string &manifest, std::string_view key, std::string_view value);

}  // namespace ferry::kubevirt
