// SPDX-License-Identifier: Apache-2.0
#include "support/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <iconv.h>

namespace ferry::text {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::string_view kHexDigits = "0123456789abcdef";

// Decodes one code point at `at`; returns its length in bytes, or 0 when the bytes are not valid UTF-8.
std::size_t decode_one(std::string_view bytes, std::size_t at, char32_t &out) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = byte(at);
  std::size_t length = 0;
  char32_t value = 0;
  char32_t smallest = 0;
  if (first < 0x80) {
    out = first;
    return 1;
  }
  if ((first & 0xE0U) == 0xC0U) {
    length = 2, value = first & 0x1FU, smallest = 0x80;
  } else if ((first & 0xF0U) == 0xE0U) {
    length = 3, value = first & 0x0FU, smallest = 0x800;
  } else if ((first & 0xF8U) == 0xF0U) {
    length = 4, value = first & 0x07U, smallest = 0x10000;
  } else {
    return 0;
  }
  if (at + length > bytes.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
    value = (value << 6U) | (byte(at + i) & 0x3FU);
  }
  if (value < smallest || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return 0;
  out = value;
  return length;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

bool is_valid_utf8(std::string_view bytes) {
  char32_t ignored = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = decode_one(bytes, at, ignored);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::u32string decode_utf8_lossy(std::string_view bytes) {
  std::u32string out;
  for (std::size_t at = 0; at < bytes.size();) {
    char32_t value = kReplacement;
    const std::size_t length = decode_one(bytes, at, value);
    out += value;
    at += length == 0 ? 1 : length;
  }
  return out;
}

void append_utf8(std::string &out, char32_t c) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0U | (c >> 6U)), put(0x80U | (c & 0x3FU));
  } else if (c < 0x10000) {
    put(0xE0U | (c >> 12U)), put(0x80U | ((c >> 6U) & 0x3FU)), put(0x80U | (c & 0x3FU));
  } else {
    put(0xF0U | (c >> 18U)), put(0x80U | ((c >> 12U) & 0x3FU)), put(0x80U | ((c >> 6U) & 0x3FU)),
        put(0x80U | (c & 0x3FU));
  }
}

std::string cut_utf8(std::string_view text, std::size_t bytes) {
  std::string out;
  for (const char32_t c : decode_utf8_lossy(text)) {
    std::string one;
    append_utf8(one, c);
    if (out.size() + one.size() > bytes) break;
    out += one;
  }
  return out;
}

std::string excerpt(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return printable(text);
  return printable(cut_utf8(text, bytes)) + "...";
}

std::u16string utf16_units(std::span<const std::uint8_t> bytes, std::endian order) {
  const std::size_t low = order == std::endian::little ? 0 : 1;
  std::u16string out;
  out.reserve(bytes.size() / 2);
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
    out.push_back(static_cast<char16_t>(bytes[i + low] | (static_cast<unsigned>(bytes[i + 1 - low]) << 8U)));
  return out;
}

std::string from_utf16(std::u16string_view units) {
  std::string out;
  for (std::size_t i = 0; i < units.size(); ++i) {
    const char32_t unit = units[i];
    const bool high = unit >= 0xD800 && unit < 0xDC00;
    const bool paired = high && i + 1 < units.size() && units[i + 1] >= 0xDC00 && units[i + 1] < 0xE000;
    if (paired) {
      append_utf8(out, 0x10000 + ((unit - 0xD800) << 10U) + (units[++i] - char32_t{0xDC00}));
    } else {
      append_utf8(out, unit >= 0xD800 && unit < 0xE000 ? kReplacement : unit);
    }
  }
  return out;
}

std::string from_utf16_field(std::span<const std::uint8_t> bytes, std::endian order) {
  const std::u16string units = utf16_units(bytes, order);
  return from_utf16(std::u16string_view(units).substr(0, units.find(u'\0')));
}

std::optional<std::string> to_utf8(std::string_view bytes, std::string_view encoding) {
  if (iequals_ascii(encoding, "UTF-8")) {
    if (!is_valid_utf8(bytes)) return std::nullopt;
    return std::string(bytes);
  }
  iconv_t converter = iconv_open("UTF-8", std::string(encoding).c_str());
  // NOLINTNEXTLINE(performance-no-int-to-ptr): POSIX's value for a failure
  if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
  std::string out;
  std::string input(bytes);
  char *from = input.data();
  std::size_t left = input.size();
  std::array<char, 4096> buffer{};
  bool ok = true;
  while (ok && left > 0) {
    char *to = buffer.data();
    std::size_t room = buffer.size();
    const std::size_t result = iconv(converter, &from, &left, &to, &room);
    out.append(buffer.data(), buffer.size() - room);
    ok = result != static_cast<std::size_t>(-1) || errno == E2BIG;
  }
  iconv_close(converter);
  if (!ok) return std::nullopt;
  return out;
}

std::optional<std::string> from_marked_utf16(std::string_view bytes) {
  const bool little = bytes.starts_with("\xFF\xFE");
  if (!little && !bytes.starts_with("\xFE\xFF")) return std::nullopt;
  bytes = bytes.substr(2, (bytes.size() - 2) / 2 * 2);
  const std::span<const std::uint8_t> units(reinterpret_cast<const std::uint8_t *>(bytes.data()), bytes.size());
  return from_utf16(utf16_units(units, little ? std::endian::little : std::endian::big));
}

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char &c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool iequals_ascii(std::string_view a, std::string_view b) {
  return a.size() == b.size() && lower_ascii(a) == lower_ascii(b);
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::optional<std::uint64_t> parse_u64(std::string_view text) { return parse_number<std::uint64_t>(text); }
std::optional<std::int64_t> parse_i64(std::string_view text) { return parse_number<std::int64_t>(text); }

std::optional<unsigned> hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a') + 10;
  if (digit >= 'A' && digit <= 'F') return static_cast<unsigned>(digit - 'A') + 10;
  return std::nullopt;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned held = 0, digits = 0, padding = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    std::uint32_t value = 0;
    if (c >= 'A' && c <= 'Z') {
      value = static_cast<std::uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      value = static_cast<std::uint32_t>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      value = static_cast<std::uint32_t>(c - '0') + 52;
    } else if (c == '+' || c == '-') {
      value = 62;
    } else if (c == '/' || c == '_') {
      value = 63;
    } else {
      return std::nullopt;
    }
    if (padding > 0) return std::nullopt;
    ++digits;
    bits = (bits << 6U) | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>((bits >> held) & 0xFFU);
  }
  if (digits % 4 == 1 || padding > 2 || (padding > 0 && (digits + padding) % 4 != 0)) return std::nullopt;
  return out;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool whole = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) && hex_digit(text[i + 2]);
    out += whole ? static_cast<char>(*hex_digit(text[i + 1]) * 16 + *hex_digit(text[i + 2])) : text[i];
    if (whole) i += 2;
  }
  return out;
}

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    out += kHexDigits[byte >> 4U];
    out += kHexDigits[byte & 15U];
  }
  return out;
}

std::string hex(std::uint64_t value, std::size_t width) {
  std::string out;
  for (; value != 0 || out.size() < width; value >>= 4U) out.insert(out.begin(), kHexDigits[value & 15U]);
  return out;
}

std::string human_bytes(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
  constexpr std::array<const char *, 6> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) value /= 1024, ++unit;
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), value < 10 ? "%.1f %s" : "%.0f %s", value, kUnits[unit]);
  return buffer.data();
}

bool is_hidden_control(char32_t c) {
  // Directions and marks that make text look like another (bidirectional controls), and separators of lines.
  return c == 0x61C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char32_t c : decode_utf8_lossy(text)) {
    if (c == U'\n') {
      out += "\\n";
    } else if (c == U'\r') {
      out += "\\r";
    } else if (c == U'\t') {
      out += "\\t";
    } else if (c < 0x20 || (c >= 0x7F && c < 0xA0)) {
      std::array<char, 8> buffer{};
      std::snprintf(buffer.data(), buffer.size(), "\\x%02x", static_cast<unsigned>(c));
      out += buffer.data();
    } else if (is_hidden_control(c)) {
      out += "\\u" + hex(c, 4);
    } else {
      append_utf8(out, c);
    }
  }
  return out;
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=+@%,";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) return std::string(text);
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string sentence(std::string_view text) {
  std::string out(trim(text));
  if (out.empty()) return out;
  const std::string_view first = std::string_view(out).substr(0, out.find_first_of(" ,"));
  const bool is_word = std::ranges::all_of(first, [](char c) { return (c >= 'a' && c <= 'z') || c == '\''; });
  if (is_word && first != "libvirt" && first != "passt" && first.front() != '\'') {
    out.front() = static_cast<char>(out.front() - 'a' + 'A');
  }
  if (std::string_view(".!?").find(out.back()) == std::string_view::npos) out += '.';
  return out;
}

}  // namespace ferry::text
