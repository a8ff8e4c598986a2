// SPDX-License-Identifier: Apache-2.0
#include "exporters/script/words.hpp"

#include <algorithm>

#include "support/text.hpp"

namespace ferry::script {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_./:=@%+-").find(c) != std::string_view::npos;
}

// Inside of double quotes as it is; not control characters, nor bytes beyond ASCII: some of those look like quotes, and
// what is no UTF-8 no editor keeps.
bool is_visible(char c) { return c >= 0x20 && c < 0x7F; }

// Whole characters of every script stand as they are, so that a name can be read; not those that only look like
// something else.
bool is_readable(std::string_view text) {
  if (!text::is_valid_utf8(text)) return false;
  const std::u32string characters = text::decode_utf8_lossy(text);
  return std::all_of(characters.begin(), characters.end(), [](char32_t c) {
    const bool looks_like_ascii = c == 0xA0 || (c >= 0x2000 && c <= 0x206F) || c == 0x3000 || c == 0xFEFF;
    return c >= 0x20 && !(c >= 0x7F && c < 0xA0) && !looks_like_ascii && !text::is_hidden_control(c);
  });
}

std::string in_double_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (std::string_view("\\\"$`").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out + '"';
}

// $'...': every byte can be written.
std::string in_ansi_quotes(std::string_view text) {
  std::string out = "$'";
  for (const char c : text) {
    if (c == '\\' || c == '\'') {
      out += std::string("\\") + c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (!is_visible(c)) {
      // Three octal digits: of hexadecimal ones bash would take as many as follow.
      const auto byte = static_cast<unsigned char>(c);
      out += '\\';
      for (const unsigned shift : {6U, 3U, 0U}) out += static_cast<char>('0' + ((byte >> shift) & 7U));
    } else {
      out += c;
    }
  }
  return out + '\'';
}

std::string shell_quoted(std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  return is_readable(text) ? in_double_quotes(text) : in_ansi_quotes(text);
}

}  // namespace

void Word::append(std::string_view text) {
  if (text.empty()) return;
  if (parts_.empty() || parts_.back().is_variable) parts_.push_back({false, {}});
  parts_.back().text += text;
}

Word &Word::add(const Word &other) {
  for (const Part &part : other.parts_) {
    if (part.is_variable) {
      variable(part.text);
    } else {
      append(part.text);
    }
  }
  return *this;
}

Word &Word::variable(std::string_view name) {
  parts_.push_back({true, std::string(name)});
  return *this;
}

Word Word::in_list() const {
  Word out;
  for (const Part &part : parts_) {
    if (part.is_variable) {
      out.variable(part.text + "_q");
      continue;
    }
    std::string doubled;
    for (const char c : part.text) doubled += c == ',' ? std::string(",,") : std::string(1, c);
    out.add(doubled);
  }
  return out;
}

// A variable stands in double quotes with the text beside it, where that can.
std::string Word::shell() const {
  if (parts_.empty()) return "\"\"";
  if (parts_.size() == 1 && !parts_.front().is_variable) return shell_quoted(parts_.front().text);
  std::string out;
  bool open = false;  // inside of double quotes
  const auto quotes = [&](bool wanted) {
    if (open != wanted) out += '"';
    open = wanted;
  };
  for (const Part &part : parts_) {
    if (part.is_variable) {
      quotes(true);
      out += "${" + part.text + "}";
    } else if (is_readable(part.text)) {
      quotes(true);
      const std::string text = in_double_quotes(part.text);
      out += text.substr(1, text.size() - 2);
    } else {
      quotes(false);
      out += in_ansi_quotes(part.text);
    }
  }
  quotes(false);
  return out;
}

bool Word::uses(std::string_view variable) const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [&](const Part &part) { return part.is_variable && part.text == variable; });
}

Keys &Keys::set(std::string_view key, const Word &value) {
  keys_.emplace_back(key, value.in_list());
  return *this;
}

void Keys::replace(const std::string &key, const std::string &value) {
  std::erase_if(keys_, [&](const auto &one) { return one.first == key; });
  set(key, Word(value));
}

Word Keys::word() const {
  Word out = first_;
  for (const auto &[key, value] : keys_) out.add("," + key + "=").add(value);
  return out;
}

std::string comment(std::string_view text) { return text::printable(text); }

}  // namespace ferry::script
