// SPDX-License-Identifier: Apache-2.0
#include "exporters/report/text_form.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace ferry::report {

std::string inked(const TextForm &form, Ink ink, std::string_view text) {
  if (!form.colour || ink == Ink::plain || text.empty()) return std::string(text);
  // ECMA-48: bold, faint, green, yellow, red.
  constexpr std::array<std::string_view, 6> kCodes{"", "1", "2", "1;32", "33", "1;31"};
  return "\x1b[" + std::string(kCodes.at(static_cast<std::size_t>(ink))) + "m" + std::string(text) + "\x1b[0m";
}

Ink ink_of(Status status) {
  switch (status) {
    case Status::planned: return Ink::strong;
    case Status::migrated:
    case Status::skipped: return Ink::good;
    case Status::refused:
    case Status::failed: return Ink::bad;
  }
  return Ink::plain;
}

Ink ink_of(Severity severity) {
  return severity == Severity::critical ? Ink::bad : severity == Severity::warning ? Ink::careful : Ink::faint;
}

std::string counted(std::size_t number, std::string_view noun) {
  return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string human_duration(double seconds) {
  constexpr std::uint64_t kMinute = 60, kHour = 3600;  // seconds
  if (seconds < 10) {
    std::array<char, 16> figures{};
    std::snprintf(figures.data(), figures.size(), "%.1f s", seconds);
    return figures.data();
  }
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < kMinute) return std::to_string(whole) + " s";
  if (whole < kHour) return std::to_string(whole / kMinute) + " min " + std::to_string(whole % kMinute) + " s";
  return std::to_string(whole / kHour) + " h " + std::to_string(whole % kHour / kMinute) + " min";
}

}  // namespace ferry::report
