// SPDX-License-Identifier: Apache-2.0
// Taking settings out of an XML tree through the ledger (used by vbox/ and ovf/).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/ledger.hpp"

#include "support/xml.hpp"

namespace ferry {

// A cursor on one element. Construct the root with SettingsReader::open, which enters every attribute, every
// non-empty text and every empty element of the tree into the ledger as unknown. All cursors share the tree.
class SettingsReader {
 public:
  // `file` is the place's file. `root` must outlive the reader and its cursors.
  static SettingsReader open(const xml::Element &root, const std::filesystem::path &file, Ledger &ledger);

  [[nodiscard]] const xml::Element &element() const { return *element_; }
  [[nodiscard]] Place place() const;                            // of the element
  [[nodiscard]] Place place(std::string_view attribute) const;  // of "…/@attribute"

  // Children by local name. Visiting an element takes nothing but the mark of an empty element, see touch().
  [[nodiscard]] std::optional<SettingsReader> child(std::string_view name) const;
  [[nodiscard]] std::vector<SettingsReader> children(std::string_view name) const;
  [[nodiscard]] std::vector<SettingsReader> children() const;

  // An element without attributes, text and children is itself a setting; this takes it into `field`.
  void touch(std::string_view field) const;

  // The attribute's value, taken into `field`; nullopt when it is absent.
  [[nodiscard]] std::optional<std::string> text(std::string_view attribute, std::string_view field) const;
  // As text(); Error malformed when the value is not a number / boolean ("true", "false", "1", "0", "yes", "no").
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view attribute, std::string_view field) const;
  [[nodiscard]] std::optional<std::int64_t> signed_number(std::string_view attribute, std::string_view field) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view attribute, std::string_view field) const;
  // The element's own text, taken into `field`; nullopt when it is empty.
  [[nodiscard]] std::optional<std::string> content(std::string_view field) const;

  // Says what becomes of an attribute ("" for the element's text or mark) without taking it into the model.
  void settle(std::string_view attribute, Disposition disposition, std::string_view note) const;
  // As settle(), but leaves alone what was taken or settled before: for tables of housekeeping settings.
  void settle_if_unknown(std::string_view attribute, Disposition disposition, std::string_view note) const;
  // The same for everything in the element and below it that is still unknown.
  void settle_all(Disposition disposition, std::string_view note) const;
  // Masks the value in the ledger.
  void hide(std::string_view attribute) const;

 private:
  struct Index;  // element and attribute -> ledger id
  SettingsReader(const xml::Element &element, std::shared_ptr<const Index> index)
      : element_(&element), index_(std::move(index)) {}
  const xml::Element *element_;
  std::shared_ptr<const Index> index_;
};

}  // namespace ferry
