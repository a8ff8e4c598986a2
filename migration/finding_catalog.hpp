// SPDX-License-Identifier: Apache-2.0
// All findings that virt-ferry can raise: what docs/findings.md lists.
#pragma once

#include <vector>

#include "model/finding.hpp"

namespace ferry::migration {

// The rows of every component, sorted by id.
[[nodiscard]] std::vector<const FindingKind *> finding_catalog();

}  // namespace ferry::migration
