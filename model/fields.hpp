// SPDX-License-Identifier: Apache-2.0
// The names by which the ledger and the settlements speak of the model: paths of members, "hardware.nics.0.mac", with
// the number of an element after its list and anything after a map. Which there are follows from model/members.hpp.
// A literal that names no field does not compile; a name that is put together from parts is checked where it arrives
// (Ledger::misspelt).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/members.hpp"

namespace ferry {

namespace fields {

template <class T>
struct Shape {  // a plain value has nothing below it
  static constexpr bool has(std::string_view below) { return below.empty(); }
};

constexpr std::string_view first_part(std::string_view path) { return path.substr(0, path.find('.')); }
constexpr std::string_view after_first(std::string_view path) {
  const std::size_t dot = path.find('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
}

template <class T>
struct Shape<std::optional<T>> : Shape<T> {};

template <class T>
struct Shape<std::vector<T>> {
  static constexpr bool has(std::string_view below) {
    if (below.empty()) return true;
    for (const char c : first_part(below)) {
      if (c < '0' || c > '9') return false;
    }
    return !first_part(below).empty() && Shape<T>::has(after_first(below));
  }
};

template <class T>
struct Shape<std::map<std::string, T>> {
  static constexpr bool has(std::string_view) { return true; }
};

template <>
struct Shape<Place> {
  static constexpr bool has(std::string_view) { return false; }  // an origin is no setting
};

template <Described T>
struct Shape<T> {
  static constexpr bool has(std::string_view below) {
    if (below.empty()) return true;
    bool found = false;
    for_each_member<T>([&]<class Value>(const Member<T, Value> &member) {
      if (first_part(below) == member.name) found = Shape<Value>::has(after_first(below));
    });
    return found;
  }
};

}  // namespace fields

// Whether `path` names T itself (empty) or something below it.
template <class T>
[[nodiscard]] constexpr bool has_field(std::string_view path) {
  return path.find("..") == std::string_view::npos && !path.ends_with('.') && fields::Shape<T>::has(path);
}

// For a parameter: "cpu.count" of a Hardware. A literal is checked by the compiler; a std::string, which must outlive
// the call, is made of names that were.
template <class T>
class FieldOf {
 public:
  consteval FieldOf(const char *path) : text_(path) {
    if (!has_field<T>(path)) throw "the model has no such field";
  }
  FieldOf(const std::string &path) : text_(path) {}

  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// `field` names a T; the name of a field below it.
template <class T>
[[nodiscard]] std::string below(std::string_view field, FieldOf<T> member) {
  return std::string(field) + "." + std::string(member.text());
}

}  // namespace ferry
