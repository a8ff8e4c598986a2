// SPDX-License-Identifier: Apache-2.0
#include "support/identity.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "support/text.hpp"

namespace ferry {
namespace {

// Fills `out` from pairs of hex digits that may be separated by one character out of `separators`.
bool parse_hex(std::string_view text, std::string_view separators, std::span<std::uint8_t> out) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i > 0 && at < text.size() && separators.find(text[at]) != std::string_view::npos) ++at;
    if (at + 2 > text.size()) return false;
    const auto high = text::hex_digit(text[at]), low = text::hex_digit(text[at + 1]);
    if (!high || !low) return false;
    out[i] = static_cast<std::uint8_t>(*high * 16 + *low);
    at += 2;
  }
  return at == text.size();
}

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() >= 2 && text.front() == '{' && text.back() == '}') text = text.substr(1, text.size() - 2);
  Uuid uuid;
  if (!parse_hex(text, "- ", uuid.bytes)) return std::nullopt;
  return uuid;
}

Uuid Uuid::from_little_endian(const std::array<std::uint8_t, 16> &raw) { return Uuid{raw}.swapped(); }

Uuid Uuid::swapped() const {
  Uuid out = *this;
  std::reverse(out.bytes.begin(), out.bytes.begin() + 4);
  std::swap(out.bytes[4], out.bytes[5]);
  std::swap(out.bytes[6], out.bytes[7]);
  return out;
}

bool Uuid::is_nil() const {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

std::string Uuid::text() const {
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += text::hex(bytes[i], 2);
  }
  return out;
}

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
  MacAddress mac;
  if (!parse_hex(text, ":-", mac.bytes)) return std::nullopt;
  return mac;
}

std::string MacAddress::text() const {
  std::string out;
  out.reserve(17);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out += ':';
    out += text::hex(bytes[i], 2);
  }
  return out;
}

}  // namespace ferry
