// SPDX-License-Identifier: Apache-2.0
// Findings: what a user should know about a migration. They are data, not exceptions; a refusal is an Error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/error.hpp"

namespace ferry {

struct FindingKind;

enum class Severity { info, warning, critical };
[[nodiscard]] std::string_view to_string(Severity severity);

// A component's findings. Its findings.hpp declares one `inline constinit FindingList finding_list;` and below it the
// rows, which enter themselves: what can be raised is in the list.
class FindingList {
 public:
  constexpr FindingList() = default;
  FindingList(const FindingList &) = delete;
  FindingList &operator=(const FindingList &) = delete;

  // By id. To be called from main() on, not while static objects are made.
  [[nodiscard]] std::vector<const FindingKind *> kinds() const;
  // Those of every component whose findings.hpp is compiled into the program.
  [[nodiscard]] static std::vector<const FindingKind *> all_kinds();

 private:
  friend struct FindingKind;
  const FindingKind *first_ = nullptr;
  const FindingList *next_ = nullptr;
  static const FindingList *first_list;
};

// One row of the published list of findings (docs/findings.md; a test holds the page to the code).
// `id` is stable: "area.what", lower case.
struct FindingKind {
  FindingKind(FindingList &list, std::string_view its_id, Severity its_severity, std::string_view its_meaning,
              std::string_view its_advice) noexcept;
  FindingKind(const FindingKind &) = delete;
  FindingKind &operator=(const FindingKind &) = delete;

  std::string_view id;
  Severity severity;
  std::string_view meaning;  // one sentence: when it is raised
  std::string_view advice;   // one sentence, imperative: what the user can do; empty where nothing has to be done
  const FindingKind *next;   // of the same component
};

struct Finding {
  std::string id;
  Severity severity{};
  Place where;
  std::string message;  // one sentence about this machine, naming the values
  std::string advice;
  friend bool operator==(const Finding &, const Finding &) = default;
};

// A finding of `kind` at `where`; `message` becomes a sentence with a capital and a full stop (an error's, which
// findings quote, has neither); `advice` replaces the kind's own when it is not empty.
[[nodiscard]] Finding raise(const FindingKind &kind, Place where, const std::string &message, std::string advice = {});

}  // namespace ferry
