// SPDX-License-Identifier: Apache-2.0
#include "exporters/kubevirt/manifest.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/error.hpp"

namespace ferry::kubevirt {
namespace {

constexpr std::string_view kAnnotations = "\nkind: \"VirtualMachine\"\nmetadata:\n  annotations:\n";

bool is_plain_key(const std::string &key) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !key.empty() && key != "n" && key != "y" && std::all_of(key.begin(), key.end(), is_letter);
}

// In double quotes YAML takes all that JSON has.
std::string in_quotes(std::string_view text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

bool is_leaf(const Json &value) { return !value.is_structured() || value.empty(); }

std::string leaf(const Json &value) {
  if (value.is_object()) return "{}";
  if (value.is_array()) return "[]";
  return value.is_string() ? in_quotes(value.get_ref<const std::string &>()) : value.dump();
}

void add(std::string &out, const Json &value, std::size_t indent);

void add_member(std::string &out, const std::string &key, const Json &value, std::size_t indent) {
  out += (is_plain_key(key) ? key : in_quotes(key)) + ":";
  if (is_leaf(value)) {
    out += " " + leaf(value) + "\n";
    return;
  }
  out += "\n";
  // The elements of a list stand below its key.
  add(out, value, value.is_array() ? indent : indent + 2);
}

void add(std::string &out, const Json &value, std::size_t indent) {
  const std::string space(indent, ' ');
  if (value.is_object()) {
    for (const auto &[key, member] : value.items()) {
      out += space;
      add_member(out, key, member, indent);
    }
    return;
  }
  for (const Json &element : value) {
    if (is_leaf(element)) {
      out += space + "- " + leaf(element) + "\n";
      continue;
    }
    std::string inner;
    add(inner, element, indent + 2);
    out += space + "- " + inner.substr(indent + 2);
  }
}

}  // namespace

std::string manifest(const std::vector<Json> &objects) {
  std::string out;
  for (const Json &object : objects) {
    out += "---\n";
    add(out, object, 0);
  }
  return out;
}

std::string with_annotation(const std::string &manifest, std::string_view key, std::string_view value) {
  const std::size_t at = manifest.find(kAnnotations);
  if (at == std::string::npos)
    throw Error(ErrorKind::internal, {.message = "the manifest has no place for the run's mark"});
  std::string out = manifest;
  return out.insert(at + kAnnotations.size(), "    " + in_quotes(key) + ": " + in_quotes(value) + "\n");
}

}  // namespace ferry::kubevirt
