// SPDX-License-Identifier: Apache-2.0
#include "importers/vmx/settings.hpp"

#include "importers/vmware/known_keys.hpp"
#include "importers/vmx/findings.hpp"

#include "support/text.hpp"

namespace ferry::vmx {
namespace {

// Reads decimal digits at `at`; nullopt when there are none or more than three, which
// no device number has.
std::optional<unsigned> digits(std::string_view key, std::size_t &at) {
  const std::size_t start = at;
  unsigned value = 0;
  while (at < key.size() && key[at] >= '0' && key[at] <= '9' && at - start < 3) {
    value = value * 10 + static_cast<unsigned>(key[at++] - '0');
  }
  if (at == start) return std::nullopt;
  return value;
}

std::string in_quotes(std::string_view value) { return "\"" + text::printable(value) + "\""; }

}  // namespace

Settings::Settings(const Dictionary &dictionary, std::filesystem::path file, Ledger &ledger,
                   std::vector<Finding> &findings)
    : file_(std::move(file)), ledger_(&ledger), findings_(&findings) {
  for (const Setting &setting : dictionary.settings) {
    const Ledger::Id id = ledger.enter({file_, setting.line, setting.key}, text::printable(setting.value));
    Entry &entry = entries_[text::lower_ascii(setting.key)];
    if (entry.line != 0) {
      ledger.settle(entry.id, Disposition::dropped, "the key appears again further down; the last one counts");
      if (entry.value != setting.value) {
        findings.push_back(raise(kDuplicateKey, {file_, setting.line, setting.key},
                                 in_quotes(setting.key) + " appears twice; line " + std::to_string(setting.line) +
                                     " counts, not " + std::to_string(entry.line)));
      }
    }
    entry = {setting.value, setting.line, id};
  }
  for (const Oddity &oddity : dictionary.oddities) {
    const Place where{file_, oddity.line, {}};
    const std::string shown = text::excerpt(oddity.text, 80);
    switch (oddity.kind) {
      case Oddity::Kind::unterminated_quote:
        findings.push_back(raise(kOddLine, where, "the quotes are not closed; the value runs to the end of the line"));
        break;
      case Oddity::Kind::text_after_value:
        findings.push_back(raise(kOddLine, where, "text after the value is ignored: " + shown));
        break;
      case Oddity::Kind::not_a_setting:
        ledger.settle(ledger.enter(where, shown), Disposition::irrelevant, "not a setting: VMware ignores such lines");
        findings.push_back(raise(kFreeText, where, "this line is not a setting and is ignored: " + shown));
        break;
      case Oddity::Kind::undecodable_value:
        findings.push_back(
            raise(kUndecodable, where, "characters of this line are not valid " + dictionary.encoding + ": " + shown));
        break;
    }
  }
}

const Settings::Entry *Settings::find(std::string_view key) const {
  const auto hit = entries_.find(text::lower_ascii(key));
  return hit == entries_.end() ? nullptr : &hit->second;
}

const std::string *Settings::peek(std::string_view key) const {
  const Entry *entry = find(key);
  return entry == nullptr ? nullptr : &entry->value;
}

Place Settings::place(std::string_view key) const {
  const Entry *entry = find(key);
  if (entry == nullptr) return {file_, std::nullopt, std::string(key)};
  return ledger_->entries().at(entry->id).where;
}

std::optional<std::string> Settings::text(std::string_view key, std::string_view field) {
  const Entry *entry = find(key);
  if (entry == nullptr) return std::nullopt;
  ledger_->take(entry->id, field);
  return entry->value;
}

std::optional<std::string> Settings::filled(std::string_view key, std::string_view field) {
  auto value = text(key, field);
  if (value && text::trim(*value).empty()) return std::nullopt;
  return value;
}

std::optional<bool> Settings::boolean(std::string_view key, std::string_view field) {
  const auto value = filled(key, field);
  if (!value) return std::nullopt;
  const auto parsed = parse_boolean(*value);
  if (!parsed) {
    findings_->push_back(raise(kBadValue, place(key), in_quotes(*value) + " is neither TRUE nor FALSE"));
    settle(key, Disposition::dropped, "the value cannot be understood; VMware's default is used");
  }
  return parsed;
}

std::optional<std::int64_t> Settings::number(std::string_view key, std::string_view field) {
  const auto value = filled(key, field);
  if (!value) return std::nullopt;
  const auto parsed = text::parse_i64(text::trim(*value));
  if (!parsed) {
    findings_->push_back(raise(kBadValue, place(key), in_quotes(*value) + " is not a whole number"));
    settle(key, Disposition::dropped, "the value cannot be understood; VMware's default is used");
  }
  return parsed;
}

std::optional<std::uint64_t> Settings::demand(std::string_view key, std::string_view field, std::uint64_t low,
                                              std::uint64_t high) {
  const auto value = filled(key, field);
  if (!value) return std::nullopt;
  const auto parsed = text::parse_u64(text::trim(*value));
  if (!parsed || *parsed < low || *parsed > high) {
    throw Error(ErrorKind::malformed,
                {.where = place(key),
                 .message = "the value cannot be understood",
                 .found = in_quotes(*value),
                 .expected = "a whole number from " + std::to_string(low) + " to " + std::to_string(high),
                 .advice = "Correct the value in the file."});
  }
  return parsed;
}

void Settings::settle(std::string_view key, Disposition disposition, std::string_view note) {
  if (const Entry *entry = find(key)) ledger_->settle(entry->id, disposition, note);
}

void Settings::hide(std::string_view key) {
  if (const Entry *entry = find(key)) ledger_->hide(entry->id);
}

void Settings::settle_rest(std::string_view wanted, Disposition disposition, std::string_view note) {
  const std::string prefix = text::lower_ascii(wanted);
  for (auto hit = entries_.lower_bound(prefix); hit != entries_.end(); ++hit) {
    if (hit->first.compare(0, prefix.size(), prefix) != 0) break;
    const Ledger::Id id = hit->second.id;
    if (ledger_->entries()[id].disposition == Disposition::unknown) ledger_->settle(id, disposition, note);
  }
}

void Settings::settle_known() {
  for (const auto &[key, entry] : entries_) {
    if (ledger_->entries()[entry.id].disposition != Disposition::unknown) continue;
    const vmware::KeyRule *rule = vmware::find_vmx_key(key);
    if (rule == nullptr) continue;
    const vmware::Verdict said = vmware::verdict(*rule, entry.value);
    ledger_->settle(entry.id, said.disposition, said.note);
  }
}

std::vector<std::string> Settings::keys_with(std::string_view wanted) const {
  const std::string prefix = text::lower_ascii(wanted);
  std::vector<std::string> out;
  for (auto hit = entries_.lower_bound(prefix); hit != entries_.end(); ++hit) {
    if (hit->first.compare(0, prefix.size(), prefix) != 0) break;
    out.push_back(hit->first);
  }
  return out;
}

std::set<unsigned> Settings::indices(std::string_view name) const {
  std::set<unsigned> out;
  for (const std::string &key : keys_with(name)) {
    std::size_t at = name.size();
    const auto index = digits(key, at);
    if (index && at < key.size() && (key[at] == '.' || key[at] == ':')) out.insert(*index);
  }
  return out;
}

std::set<std::pair<unsigned, unsigned>> Settings::nodes(std::string_view name) const {
  std::set<std::pair<unsigned, unsigned>> out;
  for (const std::string &key : keys_with(name)) {
    std::size_t at = name.size();
    const auto bus = digits(key, at);
    if (!bus || at >= key.size() || key[at] != ':') continue;
    const auto unit = digits(key, ++at);
    if (unit && at < key.size() && key[at] == '.') out.emplace(*bus, *unit);
  }
  return out;
}

bool Settings::present(std::string_view name, bool by_default, std::string_view field) {
  const std::string key = std::string(name) + ".present";
  const bool there = boolean(key, field).value_or(by_default);
  if (there) return true;
  settle(key, Disposition::irrelevant, "the device is not present");
  settle_rest(text::lower_ascii(name) + ".", Disposition::irrelevant, "the device is not present");
  return false;
}

}  // namespace ferry::vmx
