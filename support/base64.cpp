// SPDX-License-Identifier: Apache-2.0
#include "support/base64.hpp"

#include <algorithm>

namespace ferry::base64 {
namespace {

constexpr std::string_view kDigits64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string encoded(std::span<const std::uint8_t> bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8U | (j < count ? bytes[i + j] : 0U);
    for (std::size_t j = 0; j < 4; ++j) out += j <= count ? kDigits64[group >> (18 - 6 * j) & 0x3FU] : '=';
  }
  return out;
}

std::string encoded(std::string_view text) {
  return encoded(std::span(reinterpret_cast<const std::uint8_t *>(text.data()), text.size()));
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  std::uint32_t group = 0;
  std::size_t digits = 0, padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    const std::size_t value = c == '=' ? 0 : kDigits64.find(c);
    if (value == std::string_view::npos || (padding != 0 && c != '=')) return std::nullopt;
    if (c == '=') ++padding;
    group = group << 6U | static_cast<std::uint32_t>(value);
    if (++digits % 4 != 0) continue;
    for (const unsigned shift : {16U, 8U, 0U}) out += static_cast<char>(group >> shift & 0xFFU);
    group = 0;
  }
  if (digits % 4 != 0 || padding > 2) return std::nullopt;
  out.resize(out.size() - padding);
  return out;
}

}  // namespace ferry::base64
