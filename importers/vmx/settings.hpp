// SPDX-License-Identifier: Apache-2.0
// Taking settings out of a dictionary file through the ledger.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "importers/vmx/dictionary.hpp"
#include "model/finding.hpp"
#include "model/ledger.hpp"

namespace ferry::vmx {

// All settings of one file. Entering them makes a ledger entry per line. Keys are matched without regard to case.
class Settings {
 public:
  // `ledger` and `findings` must outlive this. Raises findings for repeated keys and odd lines.
  Settings(const Dictionary &dictionary, std::filesystem::path file, Ledger &ledger, std::vector<Finding> &findings);

  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  // The value without taking it; nullptr when the key is not there.
  [[nodiscard]] const std::string *peek(std::string_view key) const;
  [[nodiscard]] Place place(std::string_view key) const;  // with the line when the key is there

  // The value, taken into `field`.
  [[nodiscard]] std::optional<std::string> text(std::string_view key, std::string_view field);
  // As text(), an empty value counting as absent.
  [[nodiscard]] std::optional<std::string> filled(std::string_view key, std::string_view field);
  // A value that is no truth value or number is VMware's default: finding vmx.bad_value, and nullopt.
  [[nodiscard]] std::optional<bool> boolean(std::string_view key, std::string_view field);
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view key, std::string_view field);
  // A number of at least `low` and at most `high`; Error malformed for anything else.
  [[nodiscard]] std::optional<std::uint64_t> demand(std::string_view key, std::string_view field, std::uint64_t low,
                                                    std::uint64_t high);

  void settle(std::string_view key, Disposition disposition, std::string_view note);
  void hide(std::string_view key);
  // Settles what is still unknown and whose key starts with `prefix`, ends as wished.
  void settle_rest(std::string_view prefix, Disposition disposition, std::string_view note);
  // Settles what is still unknown by the table of VMware's published keys.
  void settle_known();
  [[nodiscard]] std::vector<std::string> keys_with(std::string_view prefix) const;

  // The numbers N of keys "nameN.…" and (B, U) of "nameB:U.…".
  [[nodiscard]] std::set<unsigned> indices(std::string_view name) const;
  [[nodiscard]] std::set<std::pair<unsigned, unsigned>> nodes(std::string_view name) const;

  // Whether the device `name` is there: "name.present" or `by_default`. When it is not, everything about it is
  // irrelevant. Takes "name.present" into `field` when it is.
  [[nodiscard]] bool present(std::string_view name, bool by_default, std::string_view field);

  [[nodiscard]] const std::filesystem::path &file() const { return file_; }

 private:
  struct Entry {
    std::string value;
    std::uint64_t line = 0;
    Ledger::Id id = 0;
  };
  [[nodiscard]] const Entry *find(std::string_view key) const;

  std::filesystem::path file_;
  Ledger *ledger_;
  std::vector<Finding> *findings_;
  std::map<std::string, Entry, std::less<>> entries_;  // by key in lower case
};

}  // namespace ferry::vmx
