// SPDX-License-Identifier: Apache-2.0
#include "importers/settings_reader.hpp"

#include <unordered_map>
#include <utility>

#include "support/secrets.hpp"
#include "support/text.hpp"

namespace ferry {

struct SettingsReader::Index {
  Ledger *ledger = nullptr;
  std::filesystem::path file;
  // Keyed by the address of the xml::Attribute, or of the xml::Element for its text or mark.
  std::unordered_map<const void *, Ledger::Id> ids;

  void enter(const xml::Element &element) {
    for (const xml::Attribute &attr : element.attributes) {
      ids[&attr] = ledger->enter({file, element.line, element.path + "/@" + attr.name}, attr.value);
    }
    if (!element.text.empty() || (element.attributes.empty() && element.children.empty())) {
      ids[&element] = ledger->enter({file, element.line, element.path}, element.text);
    }
    hide_value_of_secret(element);
    for (const xml::Element &below : element.children) enter(below);
  }

  // <ExtraDataItem name="x/password" value="...">, <Property key="token" value="..." password="true">, <GuestProperty>:
  // the name that decides is another attribute's value.
  void hide_value_of_secret(const xml::Element &element) {
    bool secret = false;
    for (const xml::Attribute &attr : element.attributes) {
      if (attr.name == "name" || attr.name == "key") secret = secret || secrets::looks_secret(attr.value);
      // A guest's own: what it and its programs were told.
      if (attr.name == "name" && element.name == "GuestProperty")
        secret = secret || !attr.value.starts_with("/VirtualBox/");
      if (attr.name == "password") secret = secret || attr.value == "true" || attr.value == "1";
    }
    if (!secret) return;
    for (const xml::Attribute &attr : element.attributes) {
      if (attr.name == "value" || attr.name == "defaultValue") ledger->hide(ids.at(&attr));
    }
    if (const auto text = ids.find(&element); text != ids.end()) ledger->hide(text->second);
  }

  [[nodiscard]] std::optional<Ledger::Id> find(const xml::Element &element, std::string_view attribute) const {
    if (attribute.empty()) {
      const auto hit = ids.find(&element);
      return hit == ids.end() ? std::nullopt : std::optional(hit->second);
    }
    for (const xml::Attribute &attr : element.attributes) {
      if (attr.name == attribute) return ids.at(&attr);
    }
    return std::nullopt;
  }
};

namespace {

[[noreturn]] void bad_value(const Place &place, const std::string &found, std::string expected) {
  throw Error(ErrorKind::malformed, {.where = place,
                                     .message = "the value cannot be understood",
                                     .found = "\"" + text::printable(found) + "\"",
                                     .expected = std::move(expected),
                                     .advice = "Correct the value in the file."});
}

}  // namespace

SettingsReader SettingsReader::open(const xml::Element &root, const std::filesystem::path &file, Ledger &ledger) {
  auto index = std::make_shared<Index>();
  index->ledger = &ledger;
  index->file = file;
  index->enter(root);
  return {root, std::move(index)};
}

Place SettingsReader::place() const { return {index_->file, element_->line, element_->path}; }

Place SettingsReader::place(std::string_view attribute) const {
  return {index_->file, element_->line, element_->path + "/@" + std::string(attribute)};
}

std::optional<SettingsReader> SettingsReader::child(std::string_view name) const {
  const xml::Element *found = element_->child(name);
  if (found == nullptr) return std::nullopt;
  return SettingsReader(*found, index_);
}

std::vector<SettingsReader> SettingsReader::children(std::string_view name) const {
  std::vector<SettingsReader> out;
  for (const xml::Element &below : element_->children) {
    if (below.name == name) out.push_back(SettingsReader(below, index_));
  }
  return out;
}

std::vector<SettingsReader> SettingsReader::children() const {
  std::vector<SettingsReader> out;
  out.reserve(element_->children.size());
  for (const xml::Element &below : element_->children) out.push_back(SettingsReader(below, index_));
  return out;
}

void SettingsReader::touch(std::string_view field) const {
  if (const auto id = index_->find(*element_, "")) index_->ledger->take(*id, field);
}

std::optional<std::string> SettingsReader::text(std::string_view attribute, std::string_view field) const {
  const std::string *value = element_->attribute(attribute);
  if (value == nullptr) return std::nullopt;
  index_->ledger->take(*index_->find(*element_, attribute), field);
  return *value;
}

std::optional<std::uint64_t> SettingsReader::number(std::string_view attribute, std::string_view field) const {
  const auto value = text(attribute, field);
  if (!value) return std::nullopt;
  const auto parsed = text::parse_u64(text::trim(*value));
  if (!parsed) bad_value(place(attribute), *value, "a whole number");
  return parsed;
}

std::optional<std::int64_t> SettingsReader::signed_number(std::string_view attribute, std::string_view field) const {
  const auto value = text(attribute, field);
  if (!value) return std::nullopt;
  const auto parsed = text::parse_i64(text::trim(*value));
  if (!parsed) bad_value(place(attribute), *value, "a whole number");
  return parsed;
}

std::optional<bool> SettingsReader::boolean(std::string_view attribute, std::string_view field) const {
  const auto value = text(attribute, field);
  if (!value) return std::nullopt;
  const std::string lower = text::lower_ascii(text::trim(*value));
  if (lower == "true" || lower == "1" || lower == "yes") return true;
  if (lower == "false" || lower == "0" || lower == "no") return false;
  bad_value(place(attribute), *value, "true or false");
}

std::optional<std::string> SettingsReader::content(std::string_view field) const {
  if (element_->text.empty()) return std::nullopt;
  touch(field);
  return element_->text;
}

void SettingsReader::settle(std::string_view attribute, Disposition disposition, std::string_view note) const {
  if (const auto id = index_->find(*element_, attribute)) index_->ledger->settle(*id, disposition, note);
}

void SettingsReader::settle_if_unknown(std::string_view attribute, Disposition disposition,
                                       std::string_view note) const {
  const auto id = index_->find(*element_, attribute);
  if (id && index_->ledger->entries()[*id].disposition == Disposition::unknown) {
    index_->ledger->settle(*id, disposition, note);
  }
}

void SettingsReader::settle_all(Disposition disposition, std::string_view note) const {
  const auto settle_unknown = [&](std::optional<Ledger::Id> id) {
    if (id && index_->ledger->entries()[*id].disposition == Disposition::unknown) {
      index_->ledger->settle(*id, disposition, note);
    }
  };
  settle_unknown(index_->find(*element_, ""));
  for (const xml::Attribute &attr : element_->attributes) settle_unknown(index_->ids.at(&attr));
  for (const SettingsReader &below : children()) below.settle_all(disposition, note);
}

void SettingsReader::hide(std::string_view attribute) const {
  if (const auto id = index_->find(*element_, attribute)) index_->ledger->hide(*id);
}

}  // namespace ferry
