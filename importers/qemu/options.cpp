// SPDX-License-Identifier: Apache-2.0
#include "importers/qemu/options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostKeys = 2000;  // of one option
constexpr unsigned kMostJsonDepth = 40;

void flatten(const Json &json, const std::string &name, std::vector<Key> &out, unsigned depth) {
  if (depth > kMostJsonDepth || out.size() > kMostKeys) return;
  const auto below = [&](const std::string &key) { return name.empty() ? key : name + "." + key; };
  if (json.is_object()) {
    for (const auto &[key, value] : json.items()) flatten(value, below(key), out, depth + 1);
  } else if (json.is_array()) {
    for (std::size_t i = 0; i < json.size(); ++i) flatten(json[i], below(std::to_string(i)), out, depth + 1);
  } else {
    Key key{.name = name, .named = true};
    if (json.is_string()) {
      key.value = json.get<std::string>();
    } else if (json.is_boolean()) {
      key.value = json.get<bool>() ? "on" : "off";
    } else if (!json.is_null()) {
      key.value = json.dump();
    }
    out.push_back(std::move(key));
  }
}

// JSON's parser of nlohmann goes as deep as the text does: brackets are counted first.
bool too_deep(std::string_view text) {
  unsigned depth = 0;
  for (const char c : text) {
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && depth > 0) --depth;
    if (depth > kMostJsonDepth) return true;
  }
  return false;
}

}  // namespace

std::optional<std::vector<Key>> parse_json(std::string_view text) {
  if (too_deep(text)) return std::nullopt;
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return std::nullopt;
  std::vector<Key> out;
  flatten(json, {}, out, 0);
  return out;
}

std::vector<Key> parse_keys(std::string_view text, std::string_view first) {
  std::vector<Key> out;
  std::string item;
  std::size_t equals = std::string::npos;
  const auto finish = [&] {
    if (item.empty() || out.size() >= kMostKeys) {
      item.clear();
      equals = std::string::npos;
      return;
    }
    Key key;
    if (equals != std::string::npos) {
      key.name = item.substr(0, equals);
      key.value = item.substr(equals + 1);
      key.named = true;
    } else if (out.empty() && !first.empty()) {
      key.name = std::string(first);
      key.value = item;
    } else {
      key.name = item;
      key.value = "on";
      key.implied = true;
      if (item.size() > 2 && item.starts_with("no") && item != "node-name" && item != "none") {
        key.name = item.substr(2);
        key.value = "off";
      }
    }
    out.push_back(std::move(key));
    item.clear();
    equals = std::string::npos;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',') {
      if (i + 1 < text.size() && text[i + 1] == ',') {
        item += ',';
        ++i;
      } else {
        finish();
      }
      continue;
    }
    if (text[i] == '=' && equals == std::string::npos) equals = item.size();
    item += text[i];
  }
  finish();
  return out;
}

std::vector<Option> parse_options(const Launch &launch) {
  std::vector<Option> out;
  const auto &words = launch.words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const LaunchWord &word = words[i];
    Option option;
    option.where = {.file = word.file, .line = word.line == 0 ? std::nullopt : std::optional(word.line)};
    option.written = word.text;
    if (!word.text.starts_with('-') || word.text == "-") {
      if (word.text.empty()) continue;
      option.name = "hda";
      option.written = "(image)";
      option.argument = word.text;
      option.keys.push_back({.name = {}, .value = word.text});
      out.push_back(std::move(option));
      continue;
    }
    const OptionSpec *spec = find_option(word.text);
    if (spec == nullptr) {
      option.known = false;
      option.name = word.text.substr(
          word.text.find_first_not_of('-') == std::string::npos ? word.text.size() : word.text.find_first_not_of('-'));
      if (i + 1 < words.size() && !words[i + 1].text.starts_with('-')) option.argument = words[++i].text;
      out.push_back(std::move(option));
      continue;
    }
    option.name = std::string(spec->alias.empty() ? spec->name : spec->alias);
    option.removed = spec->removed;
    if (spec->form != OptionSpec::Form::flag) {
      if (i + 1 >= words.size()) {
        throw Error(ErrorKind::malformed, {.where = option.where,
                                           .message = word.text + " needs an argument",
                                           .found = "the end of the command",
                                           .advice = "Correct the command and try again."});
      }
      option.argument = words[++i].text;
      if (spec->form == OptionSpec::Form::plain) {
        option.keys.push_back({.name = {}, .value = option.argument});
      } else if (option.argument.starts_with('{')) {
        option.json = true;
        auto keys = parse_json(option.argument);
        if (!keys) {
          throw Error(ErrorKind::malformed,
                      {.where = option.where,
                       .message = "the argument of " + word.text + " is not a JSON object",
                       .found = text::printable(text::cut_utf8(shown(option.argument, launch.opens), 80)),
                       .advice = "Correct the command and try again."});
        }
        option.keys = std::move(*keys);
      } else {
        option.keys = parse_keys(option.argument, spec->first);
      }
    }
    out.push_back(std::move(option));
  }
  return out;
}

std::optional<std::uint64_t> parse_size(std::string_view text, std::uint64_t unit) {
  if (text.empty()) return std::nullopt;
  std::uint64_t factor = unit;
  std::string_view digits = text;
  switch (text.back()) {
    case 'b':
    case 'B': factor = 1; break;
    case 'k':
    case 'K': factor = std::uint64_t{1} << 10U; break;
    case 'm':
    case 'M': factor = std::uint64_t{1} << 20U; break;
    case 'g':
    case 'G': factor = std::uint64_t{1} << 30U; break;
    case 't':
    case 'T': factor = std::uint64_t{1} << 40U; break;
    default: break;
  }
  if (text.back() < '0' || text.back() > '9') digits.remove_suffix(1);
  const std::size_t point = digits.find('.');
  const auto whole = parse_number(digits.substr(0, point));
  if (!whole || *whole > (std::uint64_t{1} << 50U) / factor) return std::nullopt;
  std::uint64_t bytes = *whole * factor;
  if (point != std::string_view::npos) {
    const auto fraction = text::parse_u64(digits.substr(point + 1));
    if (!fraction || digits.size() - point > 10) return std::nullopt;
    auto part = static_cast<double>(*fraction);
    for (std::size_t i = point + 1; i < digits.size(); ++i) part /= 10;
    bytes += static_cast<std::uint64_t>(std::llround(part * static_cast<double>(factor)));
  }
  return bytes;
}

std::optional<bool> parse_bool(std::string_view text) {
  const std::string small = text::lower_ascii(text);
  if (small == "on" || small == "yes" || small == "true" || small == "y") return true;
  if (small == "off" || small == "no" || small == "false" || small == "n") return false;
  return std::nullopt;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace ferry::qemu
