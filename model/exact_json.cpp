// SPDX-License-Identifier: Apache-2.0
#include "model/exact_form.hpp"
#include "model/json.hpp"

namespace ferry {
namespace exact {

void refuse(const std::string &at, std::string found, std::string expected) {
  throw Error(ErrorKind::malformed, {.where = {.path = at},
                                     .message = "the description of a machine that another process sent is damaged",
                                     .found = std::move(found),
                                     .expected = std::move(expected)});
}

std::string shown(const json &value) {
  constexpr std::size_t kMost = 60;  // characters of a value in a message
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  return text::printable(value.dump(-1, ' ', true, json::error_handler_t::replace).substr(0, kMost));
}

std::optional<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const auto high = text::hex_digit(hex[i]), low = text::hex_digit(hex[i + 1]);
    if (!high || !low) return std::nullopt;
    out += static_cast<char>(*high * 16 + *low);
  }
  return out;
}

void check_snapshots(const Machine &machine, const std::string &at) {
  for (std::size_t i = 0; i < machine.snapshots.size(); ++i) {
    const auto &parent = machine.snapshots[i].parent;
    if (parent && *parent >= i)
      refuse(at + ".snapshots." + std::to_string(i) + ".parent", std::to_string(*parent), "an earlier snapshot");
  }
  if (machine.current_snapshot && *machine.current_snapshot >= machine.snapshots.size())
    refuse(at + ".current_snapshot", std::to_string(*machine.current_snapshot), "one of the snapshots");
}

}  // namespace exact

std::string to_exact_json(const ImportedMachine &imported) { return exact::written(imported); }

ImportedMachine from_exact_json(std::string_view text) {
  const exact::json from = exact::json::parse(text, nullptr, false);
  if (from.is_discarded()) exact::refuse("", "something that is not JSON", "an object");
  if (!from.is_object() || from.size() != 3) exact::refuse("", exact::shown(from), "machine, ledger and findings");
  for (const char *name : {"machine", "ledger", "findings"}) {
    if (!from.contains(name)) exact::refuse(name, "nothing", "machine, ledger and findings");
  }
  ImportedMachine out;
  exact::Reader().read(from, out, "");
  return out;
}

}  // namespace ferry
