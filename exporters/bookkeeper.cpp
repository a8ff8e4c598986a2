// SPDX-License-Identifier: Apache-2.0
#include "exporters/bookkeeper.hpp"

#include <utility>

namespace ferry::target {

std::string field_at(Field list, std::size_t index) { return std::string(list.text()) + "." + std::to_string(index); }

void Bookkeeper::raise(const FindingKind &kind, const Place &where, const std::string &message, std::string advice) {
  result.findings.push_back(ferry::raise(kind, where, message, std::move(advice)));
}

void Bookkeeper::keep(Field field, std::string_view note) { settle(field.text(), Disposition::kept, note); }

void Bookkeeper::translate(Field field, std::string_view note) { settle(field.text(), Disposition::translated, note); }

void Bookkeeper::drop(Field field, std::string_view note) { settle(field.text(), Disposition::dropped, note); }

void Bookkeeper::drop_if(std::optional<bool> on, Field field, std::string_view note) {
  if (on.value_or(false)) return drop(field, note);
  keep(field, "off");
}

void Bookkeeper::book(const Account &account) {
  result.findings.insert(result.findings.end(), account.findings.begin(), account.findings.end());
  result.settlements.insert(result.settlements.end(), account.settlements.begin(), account.settlements.end());
}

void Bookkeeper::settle(std::string_view field, Disposition disposition, std::string_view note) {
  std::string full;
  if (field.starts_with('/')) {
    full = field.substr(1);
  } else {
    full = prefix_;
    if (!full.empty() && !field.empty()) full += '.';
    full += field;
  }
  result.settlements.push_back({std::move(full), disposition, std::string(note)});
}

}  // namespace ferry::target
