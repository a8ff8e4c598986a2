// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "cli/progress_display.hpp"

#include "support/columns.hpp"

namespace ferry::cli {
namespace {

constexpr std::size_t kBarWidth = 24, kNarrowestBar = 8;  // columns between the brackets
constexpr std::size_t kNameWidth = 40, kNarrowestName = 12;

std::string percent(double share) {
  std::array<char, 16> out{};
  std::snprintf(out.data(), out.size(), "%3.0f%%", share * 100);
  return out.data();
}

std::string bar_of(double share, std::size_t width) {
  const auto filled = std::min(width, static_cast<std::size_t>(share * static_cast<double>(width)));
  return "[" + std::string(filled, '#') + std::string(width - filled, ' ') + "]";
}

}  // namespace

std::string bar_line(const BarState &state, std::size_t width) {
  const std::string share = percent(state.share);
  std::string tail = " " + share;
  // What is left of the line for the name, in the order in which the rest may be given up.
  const auto room = [&] { return width > tail.size() ? width - tail.size() : 0; };
  const std::size_t wanted = std::min(text::columns(state.name), kNameWidth);
  const std::size_t least = std::min(wanted, kNarrowestName);
  for (const std::string *more : {&state.rate, &state.left}) {
    if (!more->empty() && room() >= least + 2 + more->size() + (kNarrowestBar + 3)) tail += "  " + *more;
  }
  std::size_t bar = 0;
  if (room() >= least + kNarrowestBar + 3) bar = std::min(kBarWidth, room() - least - 3);
  // The name takes from the bar what it needs more than the least.
  const std::size_t name_room = bar == 0 ? room() : room() - bar - 3;
  if (bar > kNarrowestBar && wanted > name_room) bar -= std::min(bar - kNarrowestBar, wanted - name_room);
  if (bar != 0) tail = " " + bar_of(state.share, bar) + tail;
  return text::cut_columns(text::shortened(state.name, std::min(room(), kNameWidth)) + tail, width);
}

std::string bars_line(const std::vector<BarState> &states, std::size_t width) {
  if (states.size() == 1) return bar_line(states.front(), width);
  std::string out;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const std::string rest = i + 1 < states.size() ? "  +" + std::to_string(states.size() - i - 1) : "";
    const std::string one =
        (i == 0 ? "" : "  ") + text::shortened(states[i].name, kNarrowestName * 2) + percent(states[i].share);
    if (text::columns(out) + text::columns(one) + rest.size() > width)
      return text::cut_columns(out + "  +" + std::to_string(states.size() - i), width);
    out += one;
  }
  return out;
}

}  // namespace ferry::cli
