// SPDX-License-Identifier: Apache-2.0
// Units: CIM programmatic units (DSP0004 annex C: "byte * 2^20", blanks anywhere) in OVF 1.x and 2.x; plain words
// in 0.9 and by VirtualBox ("MegaBytes"); both in the wild in any case.
#include "importers/ovf/units.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

std::optional<std::uint64_t> multiply(std::uint64_t a, std::uint64_t b) {
  std::uint64_t out = 0;
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

// "2^20", "10^9" or a plain number.
std::optional<std::uint64_t> factor(std::string_view text) {
  const std::size_t caret = text.find('^');
  const auto base = text::parse_u64(text.substr(0, caret));
  if (!base || caret == std::string_view::npos) return base;
  const auto exponent = text::parse_u64(text.substr(caret + 1));
  if (!exponent || *exponent > 63) return std::nullopt;
  std::optional<std::uint64_t> out = 1;
  for (std::uint64_t i = 0; i < *exponent && out; ++i) out = multiply(*out, *base);
  return out;
}

std::optional<std::uint64_t> word(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, unsigned>, 29> kWords{{
      {"byte", 0},       {"bytes", 0},      {"b", 0},          {"kilobyte", 10},  {"kilobytes", 10}, {"kb", 10},
      {"kib", 10},       {"kibibytes", 10}, {"kbytes", 10},    {"k", 10},         {"megabyte", 20},  {"megabytes", 20},
      {"mb", 20},        {"mib", 20},       {"mebibytes", 20}, {"mbytes", 20},    {"m", 20},         {"gigabyte", 30},
      {"gigabytes", 30}, {"gb", 30},        {"gib", 30},       {"gibibytes", 30}, {"g", 30},         {"terabyte", 40},
      {"terabytes", 40}, {"tb", 40},        {"tib", 40},       {"tebibytes", 40}, {"t", 40},
  }};
  for (const auto &[name, shift] : kWords) {
    if (text == name) return std::uint64_t{1} << shift;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> bytes_per_unit(std::string_view units) {
  std::string compact;
  for (const char c : text::lower_ascii(units)) {
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') compact += c;
  }
  std::string_view rest = compact;
  std::optional<std::uint64_t> out = 1;
  bool named = false;
  while (!rest.empty() && out) {
    const std::size_t star = rest.find('*');
    const std::string_view part = rest.substr(0, star);
    auto value = word(part);
    if (value && named) return std::nullopt;  // "byte*byte"
    if (value) {
      named = true;
    } else {
      value = factor(part);
    }
    if (!value || *value == 0) return std::nullopt;
    out = multiply(*out, *value);
    if (star == std::string_view::npos) break;
    rest.remove_prefix(star + 1);
  }
  return named ? out : std::nullopt;
}

std::optional<std::uint64_t> to_bytes(std::string_view amount, std::uint64_t unit) {
  const std::string_view text = text::trim(amount);
  const std::size_t point = text.find('.');
  const auto whole = text::parse_u64(text.substr(0, point));
  if (!whole) return std::nullopt;
  auto out = multiply(*whole, unit);
  if (!out || point == std::string_view::npos) return out;
  // Nine decimals are more than any exporter writes and keep the product exact enough in double.
  const std::string_view decimals = text.substr(point + 1, 9);
  const auto fraction = decimals.empty() ? std::optional<std::uint64_t>(0) : text::parse_u64(decimals);
  if (!fraction) return std::nullopt;
  double scale = 1;
  for (std::size_t i = 0; i < decimals.size(); ++i) scale *= 10;
  const double extra = static_cast<double>(*fraction) / scale * static_cast<double>(unit);
  if (*out > std::numeric_limits<std::uint64_t>::max() - unit) return std::nullopt;
  return *out + static_cast<std::uint64_t>(std::round(extra));
}

}  // namespace ferry::ovf
