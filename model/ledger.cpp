// SPDX-License-Identifier: Apache-2.0
#include "model/ledger.hpp"

#include <unordered_map>
#include <utility>

#include "model/fields.hpp"

#include "support/secrets.hpp"

namespace ferry {

std::string_view to_string(Disposition disposition) {
  switch (disposition) {
    case Disposition::unknown: return "unknown";
    case Disposition::unsettled: return "unsettled";
    case Disposition::kept: return "kept";
    case Disposition::translated: return "translated";
    case Disposition::dropped: return "dropped";
    case Disposition::irrelevant: return "irrelevant";
  }
  return "?";
}

namespace {

// The setting's own name: "RemoteDisplay.vnc.password" of a .vmx, "password" of "/VirtualBox/Machine/.../@password".
std::string_view name_of(const Place &where) {
  std::string_view path = where.path;
  if (path.starts_with('/')) path.remove_prefix(path.find_last_of('/') + 1);
  if (path.starts_with('@')) path.remove_prefix(1);
  return path;
}

// <Item key="..." value="...">: the attribute that names the setting holds a name, not a value.
bool names_a_setting(std::string_view name) { return name == "key" || name == "keyId" || name == "name"; }

}  // namespace

// Also of settings that nobody knows: what looks like a secret is kept nowhere.
Ledger::Id Ledger::enter(Place where, std::string value) {
  const std::string_view name = name_of(where);
  const bool secret = !value.empty() && !names_a_setting(name) && secrets::looks_secret(name);
  value = secret ? std::string(secrets::kHidden) : secrets::without_credentials(value);
  entries_.push_back({std::move(where), std::move(value), {}, Disposition::unknown, {}});
  return entries_.size() - 1;
}

void Ledger::check(std::string_view field) {
  if (!has_field<Machine>(field)) misspelt_.emplace_back(field);
}

void Ledger::take(Id id, std::string_view field) {
  check(field);
  LedgerEntry &entry = entries_.at(id);
  if (entry.disposition != Disposition::unknown) return;
  entry.field = field;
  entry.disposition = Disposition::unsettled;
}

void Ledger::settle(Id id, Disposition disposition, std::string_view note) {
  LedgerEntry &entry = entries_.at(id);
  entry.disposition = disposition;
  entry.note = note;
}

void Ledger::hide(Id id) { entries_.at(id).value = secrets::kHidden; }

void Ledger::settle(const std::vector<Settlement> &settlements) {
  std::unordered_map<std::string_view, const Settlement *> by_field;
  for (const Settlement &settlement : settlements) {
    check(settlement.field);
    by_field[settlement.field] = &settlement;
  }
  for (LedgerEntry &entry : entries_) {
    if (entry.disposition != Disposition::unsettled) continue;
    for (std::string_view field = entry.field; !field.empty();) {
      if (const auto hit = by_field.find(field); hit != by_field.end()) {
        entry.disposition = hit->second->disposition;
        entry.note = hit->second->note;
        break;
      }
      const std::size_t dot = field.rfind('.');
      field = dot == std::string_view::npos ? std::string_view{} : field.substr(0, dot);
    }
  }
}

LedgerCounts Ledger::counts() const {
  LedgerCounts counts;
  counts.total = entries_.size();
  for (const LedgerEntry &entry : entries_) {
    switch (entry.disposition) {
      case Disposition::unknown: ++counts.unknown; break;
      case Disposition::unsettled: ++counts.unsettled; break;
      case Disposition::kept: ++counts.kept; break;
      case Disposition::translated: ++counts.translated; break;
      case Disposition::dropped: ++counts.dropped; break;
      case Disposition::irrelevant: ++counts.irrelevant; break;
    }
  }
  return counts;
}

}  // namespace ferry
