// SPDX-License-Identifier: Apache-2.0
#include "model/finding.hpp"

#include <algorithm>
#include <utility>

#include "support/secrets.hpp"
#include "support/text.hpp"

namespace ferry {
namespace {

void sort_by_id(std::vector<const FindingKind *> &kinds) {
  std::sort(kinds.begin(), kinds.end(), [](const auto *a, const auto *b) { return a->id < b->id; });
}

}  // namespace

// Constant-initialised, as the lists are, so that rows may enter themselves in any order of the files.
constinit const FindingList *FindingList::first_list = nullptr;

FindingKind::FindingKind(FindingList &list, std::string_view its_id, Severity its_severity,
                         std::string_view its_meaning, std::string_view its_advice) noexcept
    : id(its_id), severity(its_severity), meaning(its_meaning), advice(its_advice), next(list.first_) {
  if (list.first_ == nullptr) {
    list.next_ = FindingList::first_list;
    FindingList::first_list = &list;
  }
  list.first_ = this;
}

std::vector<const FindingKind *> FindingList::kinds() const {
  std::vector<const FindingKind *> out;
  for (const FindingKind *kind = first_; kind != nullptr; kind = kind->next) out.push_back(kind);
  sort_by_id(out);
  return out;
}

std::vector<const FindingKind *> FindingList::all_kinds() {
  std::vector<const FindingKind *> out;
  for (const FindingList *list = first_list; list != nullptr; list = list->next_) {
    for (const FindingKind *kind = list->first_; kind != nullptr; kind = kind->next) out.push_back(kind);
  }
  sort_by_id(out);
  return out;
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::info: return "info";
    case Severity::warning: return "warning";
    case Severity::critical: return "critical";
  }
  return "?";
}

Finding raise(const FindingKind &kind, Place where, const std::string &message, std::string advice) {
  return {std::string(kind.id), kind.severity, std::move(where), text::sentence(secrets::without_credentials(message)),
          advice.empty() ? std::string(kind.advice) : std::move(advice)};
}

}  // namespace ferry
