// SPDX-License-Identifier: Apache-2.0
#include "cli/yaml_text.hpp"

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "support/text.hpp"

namespace ferry::cli {
namespace {

std::string iso_date(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  std::array<char, 32> out{};
  if (gmtime_r(&time, &parts) == nullptr) return {};
  return {out.data(), std::strftime(out.data(), out.size(), "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

// Whether the text may stand without quotes, and is text then to every reader: no number, date, null or truth value of
// YAML 1.1 begins with one of these letters and goes on like a word, a name or a path.
bool is_plain_text(const std::string &text) {
  constexpr std::string_view kWord = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/";
  constexpr std::string_view kRest = "0123456789.-+@";
  constexpr std::array kWords{"y", "n", "yes", "no", "true", "false", "on", "off", "null"};
  if (text.empty() || kWord.find(text.front()) == std::string_view::npos) return false;
  for (const char c : text) {
    if (kWord.find(c) == std::string_view::npos && kRest.find(c) == std::string_view::npos) return false;
  }
  for (const char *word : kWords) {
    if (text::iequals_ascii(text, word)) return false;
  }
  return true;
}

void write_scalar(YAML::Emitter &out, const Json &value) {
  if (value.is_null()) {
    out << YAML::Null;
    return;
  }
  if (!value.is_string()) {
    out << value.dump();
    return;
  }
  // Bytes that are no UTF-8, and what a terminal obeys, are shown as in every other output.
  const std::string text = text::printable(value.get<std::string>());
  if (!is_plain_text(text)) out << YAML::DoubleQuoted;
  out << text;
}

std::string note_of(const std::string &key, const Json &value) {
  if (value.is_object() && value.contains("origin") && value["origin"].contains("line"))
    return "line " + std::to_string(value["origin"]["line"].get<std::uint64_t>());
  if (key == "created" && value.is_number_integer()) return iso_date(value.get<std::int64_t>());
  return {};
}

void write(YAML::Emitter &out, const Json &json);

void write_object(YAML::Emitter &out, const Json &json) {
  if (json.empty()) out << YAML::Flow;
  out << YAML::BeginMap;
  for (const auto &[key, value] : json.items()) {
    if (key == "origin") continue;
    out << YAML::Key;
    write_scalar(out, key);
    out << YAML::Value;
    const std::string note = note_of(key, value);
    if (!note.empty() && value.is_structured()) out << YAML::Comment(note);
    write(out, value);
    if (!note.empty() && !value.is_structured()) out << YAML::Comment(note);
  }
  out << YAML::EndMap;
}

void write(YAML::Emitter &out, const Json &json) {
  if (json.is_object()) return write_object(out, json);
  if (!json.is_array()) return write_scalar(out, json);
  if (json.empty()) out << YAML::Flow;
  out << YAML::BeginSeq;
  for (const Json &value : json) {
    if (const std::string note = note_of({}, value); !note.empty()) out << YAML::Comment(note);
    write(out, value);
  }
  out << YAML::EndSeq;
}

}  // namespace

std::string as_yaml(const Json &machines) {
  std::string text;
  for (const Json &machine : machines) {
    YAML::Emitter out;
    out.SetIndent(2);
    write(out, machine);
    if (machines.size() > 1) text += "---\n";
    text += std::string(out.c_str(), out.size()) + "\n";
  }
  return text;
}

}  // namespace ferry::cli
