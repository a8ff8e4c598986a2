// SPDX-License-Identifier: Apache-2.0
// The exact form of any struct with a Members<>: every member by its name, every byte, checked when it is read. Part of
// model/json, for those who send structs of their own from one process to another.
//
// Absent optionals are left out. A text or path is a string, or {"bytes": hex} when it is not UTF-8; bytes are hex; a
// map is a list of pairs, so that its keys may be anything too.
#pragma once

#include <array>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/names.hpp"
#include "model/observed_members.hpp"

#include "support/text.hpp"

namespace ferry {

template <>
struct Members<ImportedMachine> {  // the package stays where it was read
  static constexpr std::tuple kAll{Member{"machine", &ImportedMachine::machine},
                                   Member{"ledger", &ImportedMachine::ledger},
                                   Member{"findings", &ImportedMachine::findings}};
};

namespace exact {

using nlohmann::json;

template <class T>
concept Integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;
template <class T>
concept Enumerator = std::is_enum_v<T>;
template <class T>
concept Named = Enumerator<T> && requires(T value) {
  to_string(value);
};

using Bytes = std::vector<std::uint8_t>;

// The images of a message, each once: the chains of a disk with many snapshots have them in common.
struct Images {
  std::map<std::string, std::size_t> numbers;  // by all that they hold
  json list = json::array();
};

// Values one behind the other, so that two objects give the same text only when they are equal.
class Key {
 public:
  template <Described T>
  void add(const T &object) {
    for_each_member<T>([&](const auto &member) { add(object.*member.at); });
  }
  void add(const std::string &held) { text.append(std::to_string(held.size())).append(1, ':').append(held); }
  void add(const std::filesystem::path &path) { add(path.native()); }
  void add(const Uuid &uuid) { add(uuid.text()); }
  void add(Integer auto number) { text.append(std::to_string(number)).append(1, ' '); }
  void add(bool flag) { text.append(flag ? "+" : "-"); }
  void add(Enumerator auto enumerator) { add(static_cast<int>(enumerator)); }
  template <class T>
  void add(const std::optional<T> &held) {
    add(held.has_value());
    if (held) add(*held);
  }
  template <class T>
  void add(const std::vector<T> &list) {
    add(list.size());
    for (const T &element : list) add(element);
  }
  std::string text;
};

// ---- out ----

class Writer {
 public:
  // With `images`, those of chains are numbers in it.
  explicit Writer(Images *images = nullptr) : images_(images) {}

  template <Described T>
  [[nodiscard]] json value(const T &object) const {
    json out = json::object();
    for_each_member<T>([&](const auto &member) { put(out, member.name, object.*member.at); });
    return out;
  }
  [[nodiscard]] json value(const std::string &text) const {
    if (text::is_valid_utf8(text)) return text;
    const auto *bytes = reinterpret_cast<const std::uint8_t *>(text.data());
    return {{"bytes", text::hex(std::span(bytes, text.size()))}};
  }
  [[nodiscard]] json value(const std::filesystem::path &path) const { return value(path.string()); }
  [[nodiscard]] json value(const Uuid &uuid) const { return uuid.text(); }
  [[nodiscard]] json value(const MacAddress &mac) const { return mac.text(); }
  [[nodiscard]] json value(const Ledger &ledger) const { return value(ledger.entries()); }
  [[nodiscard]] json value(const Bytes &bytes) const { return text::hex(bytes); }
  template <std::size_t Size>
  [[nodiscard]] json value(const std::array<std::uint8_t, Size> &bytes) const {
    return text::hex(bytes);
  }
  [[nodiscard]] json value(const std::u16string &text) const {
    json out = json::array();
    for (const char16_t unit : text) out.push_back(static_cast<unsigned>(unit));
    return out;
  }
  [[nodiscard]] json value(bool flag) const { return flag; }
  [[nodiscard]] json value(Integer auto number) const { return number; }
  template <Enumerator T>
  [[nodiscard]] json value(T enumerator) const {
    if constexpr (Named<T>) {
      return std::string(to_string(enumerator));
    } else {
      return static_cast<int>(enumerator);
    }
  }
  template <class T>
  [[nodiscard]] json value(const std::vector<T> &list) const {
    json out = json::array();
    for (const T &element : list) out.push_back(value(element));
    return out;
  }
  [[nodiscard]] json value(const std::vector<ImageFile> &chain) const {
    json out = json::array();
    for (const ImageFile &image : chain) {
      if (images_ == nullptr) {
        out.push_back(value(image));
        continue;
      }
      Key key;
      key.add(image);
      const auto [at, is_new] = images_->numbers.emplace(std::move(key.text), images_->list.size());
      if (is_new) images_->list.push_back(value(image));
      out.push_back(at->second);
    }
    return out;
  }
  template <class T>
  [[nodiscard]] json value(const std::set<T> &set) const {
    json out = json::array();
    for (const T &element : set) out.push_back(value(element));
    return out;
  }
  template <class Key, class T>
  [[nodiscard]] json value(const std::map<Key, T> &map) const {
    json out = json::array();
    for (const auto &[key, held] : map) out.push_back(json::array({value(key), value(held)}));
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

  Images *images_;
};

// ---- in ----

// Throws Error malformed.
[[noreturn]] void refuse(const std::string &at, std::string found, std::string expected);
[[nodiscard]] std::string shown(const json &value);
// "00ff" -> the bytes; nullopt for anything else.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view hex);
// What the rest of the program takes for granted of a machine's snapshots.
void check_snapshots(const Machine &machine, const std::string &at);

// Each read() fills `out`, which is as its struct makes it. `at` names the spot, for errors.
class Reader {
 public:
  // With `images`, those of chains may be numbers in it.
  explicit Reader(const std::vector<ImageFile> *images = nullptr) : images_(images) {}

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
    if constexpr (std::is_same_v<T, Machine>) check_snapshots(out, at);
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
  void read(const json &from, Ledger &out, const std::string &at) const {
    std::vector<LedgerEntry> entries;
    read(from, entries, at);
    out = Ledger(std::move(entries));
  }
  void read(const json &from, Bytes &out, const std::string &at) const {
    const std::string bytes = raw(from, at);
    out.assign(bytes.begin(), bytes.end());
  }
  template <std::size_t Size>
  void read(const json &from, std::array<std::uint8_t, Size> &out, const std::string &at) const {
    const std::string bytes = raw(from, at);
    if (bytes.size() != Size) refuse(at, shown(from), std::to_string(Size) + " bytes");
    std::copy(bytes.begin(), bytes.end(), out.begin());
  }
  void read(const json &from, std::u16string &out, const std::string &at) const {
    std::vector<std::uint16_t> units;
    read(from, units, at);
    out.assign(units.begin(), units.end());
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
    if constexpr (Named<T>) {
      constexpr int kMost = 64;  // above the number of any enumeration's members
      for (int i = 0; from.is_string() && i < kMost; ++i) {
        const std::string_view name = to_string(static_cast<T>(i));
        if (name == "?") break;
        if (from.get_ref<const std::string &>() != name) continue;
        out = static_cast<T>(i);
        return;
      }
      refuse(at, shown(from), "a name that the model has");
    } else {
      unsigned number = 0;
      read(from, number, at);
      if (number > static_cast<unsigned>(Members<T>::kLast)) refuse(at, shown(from), "a number that the model has");
      out = static_cast<T>(number);
    }
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
  void read(const json &from, std::vector<ImageFile> &out, const std::string &at) const {
    if (!from.is_array()) refuse(at, shown(from), "a list");
    for (const json &element : from) {
      if (images_ == nullptr || !element.is_number_unsigned()) {
        read(element, out.emplace_back(), at + "." + std::to_string(out.size() - 1));
        continue;
      }
      const auto number = element.get<std::uint64_t>();
      if (number >= images_->size()) refuse(at, shown(element), "the number of an image");
      out.push_back((*images_)[number]);
    }
  }
  template <class T>
  void read(const json &from, std::set<T> &out, const std::string &at) const {
    std::vector<T> list;
    read(from, list, at);
    out.insert(list.begin(), list.end());
  }
  template <class Key, class T>
  void read(const json &from, std::map<Key, T> &out, const std::string &at) const {
    if (!from.is_array()) refuse(at, shown(from), "a list of pairs");
    for (const json &pair : from) {
      if (!pair.is_array() || pair.size() != 2) refuse(at, shown(pair), "a pair");
      Key key{};
      read(pair[0], key, at);
      read(pair[1], out[key], at);
    }
  }

 private:
  static std::string raw(const json &from, const std::string &at) {
    auto bytes = from.is_string() ? from_hex(from.get_ref<const std::string &>()) : std::nullopt;
    if (!bytes) refuse(at, shown(from), "bytes in hex");
    return std::move(*bytes);
  }
  template <class T>
  void parse(const json &from, T &out, const std::string &at, const char *expected) const {
    const auto value = from.is_string() ? T::parse(from.get_ref<const std::string &>()) : std::nullopt;
    if (!value) refuse(at, shown(from), expected);
    out = *value;
  }

  const std::vector<ImageFile> *images_;
};

template <class T>
[[nodiscard]] std::string written(const T &value) {
  return Writer().value(value).dump();
}

// Throws Error malformed, naming the spot.
template <class T>
[[nodiscard]] T read(std::string_view text) {
  const json from = json::parse(text, nullptr, false);
  if (from.is_discarded()) refuse("", "something that is not JSON", "an object");
  T out{};
  Reader().read(from, out, "");
  return out;
}

// The same, with each image of its chains written once.
template <class T>
[[nodiscard]] std::string written_with_images(const T &value) {
  Images images;
  json said = Writer(&images).value(value);
  return json{{"images", std::move(images.list)}, {"value", std::move(said)}}.dump();
}
template <class T>
[[nodiscard]] T read_with_images(std::string_view text) {
  const json from = json::parse(text, nullptr, false);
  if (!from.is_object() || from.size() != 2 || !from.contains("images") || !from.contains("value"))
    refuse("", "something else", "images and a value");
  std::vector<ImageFile> images;
  Reader().read(from["images"], images, "images");
  T out{};
  Reader(&images).read(from["value"], out, "");
  return out;
}

}  // namespace exact
}  // namespace ferry
