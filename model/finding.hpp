// SPDX-License-Identifier: Apache-2.0
// Findings: what a user should know about a migration. They are data, not exceptions; a refusal is an Error.
#pragma once

#include <string>
#include <string_view>

#include "support/error.hpp"

namespace ferry {

enum class Severity { info, warning, critical };
[[nodiscard]] std::string_view to_string(Severity severity);

// One row of the published list of findings (docs/findings.md; a test holds the page to the code).
// `id` is stable: "area.what", lower case. Components keep their rows in a findings.hpp of their own and
// list them for migration/finding_catalog.cpp.
struct FindingKind {
  std::string_view id;
  Severity severity;
  std::string_view meaning;  // one sentence: when it is raised
  std::string_view advice;   // one sentence: what the user can do
};

struct Finding {
  std::string id;
  Severity severity{};
  Place where;
  std::string message;  // one sentence about this machine, naming the values
  std::string advice;
  friend bool operator==(const Finding &, const Finding &) = default;
};

// A finding of `kind` at `where`; `advice` replaces the kind's own when it is not empty.
[[nodiscard]] Finding raise(const FindingKind &kind, Place where, std::string message, std::string advice = {});

}  // namespace ferry
