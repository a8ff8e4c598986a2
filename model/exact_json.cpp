// SPDX-License-Identifier: Apache-2.0
// The exact form: every member by its name. Absent optionals are left out. A text or path is a string, or {"bytes":
// hex} when it is not UTF-8; a map is a list of pairs, so that its keys may be any bytes too.
#include <limits>
#include <nlohmann/json.hpp>

#include "model/json.hpp"
#include "model/members.hpp"
#include "model/names.hpp"

#include "support/text.hpp"

namespace ferry {
namespace {

using nlohmann::json;

template <class T>
concept Integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;
template <class T>
concept Enumerator = std::is_enum_v<T>;

// ---- out ----

class Writer {
 public:
  template <Described T>
  json value(const T &object) const {
    json out = json::object();
    for_each_member<T>([&](const auto &member) { put(out, member.name, object.*member.at); });
    return out;
  }
  json value(const std::string &text) const {
    if (text::is_valid_utf8(text)) return text;
    const auto *bytes = reinterpret_cast<const std::uint8_t *>(text.data());
    return {{"bytes", text::hex(std::span(bytes, text.size()))}};
  }
  json value(const std::filesystem::path &path) const { return value(path.string()); }
  json value(const Uuid &uuid) const { return uuid.text(); }
  json value(const MacAddress &mac) const { return mac.text(); }
  json value(bool flag) const { return flag; }
  json value(Integer auto number) const { return number; }
  json value(Enumerator auto enumerator) const { return std::string(to_string(enumerator)); }
  template <class T>
  json value(const std::vector<T> &list) const {
    json out = json::array();
    for (const T &element : list) out.push_back(value(element));
    return out;
  }
  json value(const std::map<std::string, std::string> &map) const {
    json out = json::array();
    for (const auto &[key, text] : map) out.push_back(json::array({value(key), value(text)}));
    return out;
  }

 private:
  template <class T>
  void put(json &out, const char *name, const T &held) const {
    out[name] = value(held);
  }
  template <class T>
  void put(json &out, const char *name, const std::optional<T> &held) const {
    if (held) out[name] = value(*held);
  }
};

// ---- in ----

[[noreturn]] void refuse(const std::string &at, std::string found, std::string expected) {
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

// "00ff" -> the bytes; nullopt for anything else.
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

// Each read() fills `out`, which is as its struct makes it. `at` names the spot, for errors.
class Reader {
 public:
  template <Described T>
  void read(const json &from, T &out, const std::string &at) const {
    if (!from.is_object()) refuse(at, shown(from), "an object");
    std::size_t known = 0;
    for_each_member<T>([&](const auto &member) {
      const auto hit = from.find(member.name);
      if (hit == from.end()) return;
      ++known;
      read(*hit, out.*member.at, at + (at.empty() ? "" : ".") + member.name);
    });
    if (known != from.size())
      refuse(at, std::to_string(from.size() - known) + " unknown members", "members of the model");
  }
  void read(const json &from, std::string &out, const std::string &at) const {
    if (from.is_string()) {
      out = from.get_ref<const std::string &>();
      return;
    }
    const auto bytes = from.is_object() ? from.find("bytes") : from.end();
    const bool hex = from.is_object() && from.size() == 1 && bytes != from.end() && bytes->is_string();
    auto text = hex ? from_hex(bytes->get_ref<const std::string &>()) : std::nullopt;
    if (!text) refuse(at, shown(from), "a text");
    out = std::move(*text);
  }
  void read(const json &from, std::filesystem::path &out, const std::string &at) const {
    std::string text;
    read(from, text, at);
    out = text;
  }
  void read(const json &from, bool &out, const std::string &at) const {
    if (!from.is_boolean()) refuse(at, shown(from), "true or false");
    out = from.get<bool>();
  }
  template <Integer T>
  void read(const json &from, T &out, const std::string &at) const {
    using Limits = std::numeric_limits<T>;
    const bool fits = from.is_number_unsigned()
                          ? from.get<std::uint64_t>() <= static_cast<std::uint64_t>(Limits::max())
                          : from.is_number_integer() && std::is_signed_v<T> &&
                                from.get<std::int64_t>() >= static_cast<std::int64_t>(Limits::min());
    if (!fits) refuse(at, shown(from), "a whole number that fits");
    out = from.get<T>();
  }
  template <Enumerator T>
  void read(const json &from, T &out, const std::string &at) const {
    constexpr int kMost = 64;  // above the number of any enumeration's members
    for (int i = 0; from.is_string() && i < kMost; ++i) {
      const std::string_view name = to_string(static_cast<T>(i));
      if (name == "?") break;
      if (from.get_ref<const std::string &>() != name) continue;
      out = static_cast<T>(i);
      return;
    }
    refuse(at, shown(from), "a name that the model has");
  }
  void read(const json &from, Uuid &out, const std::string &at) const { parse(from, out, at, "a UUID"); }
  void read(const json &from, MacAddress &out, const std::string &at) const { parse(from, out, at, "a MAC address"); }
  template <class T>
  void read(const json &from, std::optional<T> &out, const std::string &at) const {
    T value{};
    read(from, value, at);
    out = std::move(value);
  }
  template <class T>
  void read(const json &from, std::vector<T> &out, const std::string &at) const {
    if (!from.is_array()) refuse(at, shown(from), "a list");
    for (const json &element : from) read(element, out.emplace_back(), at + "." + std::to_string(out.size() - 1));
  }
  void read(const json &from, std::map<std::string, std::string> &out, const std::string &at) const {
    if (!from.is_array()) refuse(at, shown(from), "a list of pairs");
    for (const json &pair : from) {
      if (!pair.is_array() || pair.size() != 2) refuse(at, shown(pair), "a pair");
      std::string key;
      read(pair[0], key, at);
      read(pair[1], out[key], at);
    }
  }

 private:
  template <class T>
  void parse(const json &from, T &out, const std::string &at, const char *expected) const {
    const auto value = from.is_string() ? T::parse(from.get_ref<const std::string &>()) : std::nullopt;
    if (!value) refuse(at, shown(from), expected);
    out = *value;
  }
};

// What the rest of the program takes for granted.
void check_snapshots(const Machine &machine) {
  for (std::size_t i = 0; i < machine.snapshots.size(); ++i) {
    const auto &parent = machine.snapshots[i].parent;
    if (parent && *parent >= i) {
      refuse("machine.snapshots." + std::to_string(i) + ".parent", std::to_string(*parent), "an earlier snapshot");
    }
  }
  if (machine.current_snapshot && *machine.current_snapshot >= machine.snapshots.size()) {
    refuse("machine.current_snapshot", std::to_string(*machine.current_snapshot), "one of the snapshots");
  }
}

}  // namespace

std::string to_exact_json(const ImportedMachine &imported) {
  const Writer writer;
  const json out{{"machine", writer.value(imported.machine)},
                 {"ledger", writer.value(imported.ledger.entries())},
                 {"findings", writer.value(imported.findings)}};
  return out.dump();
}

ImportedMachine from_exact_json(std::string_view text) {
  const json from = json::parse(text, nullptr, false);
  if (from.is_discarded()) refuse("", "something that is not JSON", "an object");
  if (!from.is_object() || from.size() != 3) refuse("", shown(from), "machine, ledger and findings");
  const auto part = [&from](const char *name) -> const json & {
    const auto hit = from.find(name);
    if (hit == from.end()) refuse(name, "nothing", "machine, ledger and findings");
    return *hit;
  };
  const Reader reader;
  ImportedMachine out;
  reader.read(part("machine"), out.machine, "machine");
  check_snapshots(out.machine);
  std::vector<LedgerEntry> entries;
  reader.read(part("ledger"), entries, "ledger");
  out.ledger = Ledger(std::move(entries));
  reader.read(part("findings"), out.findings, "findings");
  return out;
}

}  // namespace ferry
