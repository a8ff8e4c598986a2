// SPDX-License-Identifier: Apache-2.0
// The ledger: an account of every setting that a source file holds.
//
// A syntax reader (XML, VMX) enters every attribute, text and key as `unknown` when it loads the file. The
// importer then takes values out through the ledger, naming the field of the model they went to, or says at
// once that a setting is irrelevant or dropped. The planner settles fields: kept, translated, dropped. So
// what nobody took is still `unknown` at the end, and what was taken but not settled is `unsettled`, which is
// a defect that the tests refuse.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/error.hpp"

namespace ferry {

enum class Disposition {
  unknown,     // nobody took it
  unsettled,   // an importer took it into the model; no planner has said what became of it
  kept,        // the guest has the same
  translated,  // the guest has an equivalent; the note says what
  dropped,     // the guest has it no longer; the note says why and what the user can do
  irrelevant,  // says nothing about the guest (window positions, housekeeping); the note says so
};
[[nodiscard]] std::string_view to_string(Disposition disposition);

struct LedgerEntry {
  Place where;        // file, line, and the setting's own path or key
  std::string value;  // as written; "(secret)" when the importer marked it so
  std::string field;  // the model field, "nics.0.mac"; empty unless taken
  Disposition disposition = Disposition::unknown;
  std::string note;
};

// A planner's verdict on a model field and everything below it, unless a longer field has its own:
// {"nics.0", dropped, ...} covers "nics.0.mac" as long as no {"nics.0.mac", ...} exists.
struct Settlement {
  std::string field;
  Disposition disposition{};
  std::string note;
};

struct LedgerCounts {
  std::size_t total = 0, kept = 0, translated = 0, dropped = 0, irrelevant = 0, unknown = 0, unsettled = 0;
};

class Ledger {
 public:
  using Id = std::size_t;

  Ledger() = default;
  // A ledger as another one was: its entries() are `entries`.
  explicit Ledger(std::vector<LedgerEntry> entries) : entries_(std::move(entries)) {}

  // Enters a setting as unknown and returns its id, valid for this ledger's life.
  Id enter(Place where, std::string value);

  // The importer read the setting into `field` of the model. Taking a setting again keeps the first field.
  void take(Id id, std::string_view field);
  // The importer itself decides: note says why. Overrides an earlier verdict on the entry.
  void settle(Id id, Disposition disposition, std::string_view note);
  // The value is replaced by "(secret)" here and must be kept nowhere else.
  void hide(Id id);

  // Applies the planner's verdicts to all unsettled entries: for each the longest matching field wins, and of
  // equal fields the last.
  void settle(const std::vector<Settlement> &settlements);

  [[nodiscard]] const std::vector<LedgerEntry> &entries() const { return entries_; }
  [[nodiscard]] LedgerCounts counts() const;
  // Fields that were named and that the model does not have (model/fields.hpp): defects, which the tests refuse.
  [[nodiscard]] const std::vector<std::string> &misspelt() const { return misspelt_; }

 private:
  void check(std::string_view field);

  std::vector<LedgerEntry> entries_;
  std::vector<std::string> misspelt_;
};

}  // namespace ferry
