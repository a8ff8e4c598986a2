// SPDX-License-Identifier: Apache-2.0
// QEMU's words as options with keys: QEMU's own syntax (util/qemu-option.c, util/keyval.c), JSON where it is taken, and
// an account of each key in the ledger.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "importers/qemu/launch.hpp"
#include "importers/qemu/option_table.hpp"
#include "model/ledger.hpp"

namespace ferry::qemu {

struct Key {
  std::string name;      // "file", "cache.direct"; of a value without a key the option's own ("type"); empty: none
  std::string value;     // may hold open values
  bool named = false;    // "name=value"; otherwise the value stood alone
  bool implied = false;  // "readonly" for readonly=on: value is "on" or, from "noreadonly", "off"
  Ledger::Id entry = 0;
  bool taken = false;
};

struct Option {
  std::string name;     // without dash, as QEMU calls it: "machine" for -M
  std::string written;  // "-M"
  Place where;
  std::string argument;  // as given
  std::vector<Key> keys;
  bool json = false;
  bool known = true;
  bool removed = false;
  Ledger::Id entry = 0;  // of an option without keys
  bool taken = false;    // that entry
};

// One word, as QEMU's key lists go: "a=b,c=d", ",," for a comma, "first" without a key, "flag" for flag=on.
// `first`: the key that the first value stands for when it has none.
[[nodiscard]] std::vector<Key> parse_keys(std::string_view text, std::string_view first);
// A JSON object, flattened with dots: {"cache":{"direct":true}} is cache.direct=on. nullopt when it is none.
[[nodiscard]] std::optional<std::vector<Key>> parse_json(std::string_view text);

// All words of a launch. An image's name without a dash is -hda. Throws Error malformed: an option without its
// argument, JSON that is none.
[[nodiscard]] std::vector<Option> parse_options(const Launch &launch);

// "2G", "0.5G", "512": bytes; a bare number counts in `unit`. nullopt for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text, std::uint64_t unit);
// on, yes, true, y; off, no, false, n.
[[nodiscard]] std::optional<bool> parse_bool(std::string_view text);
// "0x10", "16", "010".
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace ferry::qemu
