// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

#include "cli/progress_display.hpp"

#include "support/columns.hpp"
#include "support/text.hpp"

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
  for (const std::string *more : {&state.rate, &state.left, &state.amount}) {
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

std::string about_left(double seconds) {
  constexpr double kMinute = 60, kHour = 3600;  // seconds
  const auto rounded = [](double value) { return std::to_string(std::max(1L, std::lround(value))); };
  if (seconds < kMinute) return "about " + rounded(seconds / 10) + "0 s left";
  if (seconds < 1.5 * kHour) return "about " + rounded(seconds / kMinute) + " min left";
  return "about " + rounded(seconds / kHour) + " h left";
}

std::string batch_line(const BatchState &batch, const std::vector<BarState> &running, std::size_t width) {
  double rate = 0, done = static_cast<double>(batch.bytes_done);
  for (const BarState &one : running) {
    rate += one.bytes_per_second;
    done += one.machine_share * static_cast<double>(one.bytes);
  }
  std::string tail;
  if (rate >= 1) tail = "  " + text::human_bytes(static_cast<std::uint64_t>(rate)) + "/s";
  constexpr double kSoonest = 2;  // seconds, before which nothing can be foretold
  const auto all = static_cast<double>(batch.bytes);
  if (batch.seconds > kSoonest && done > 0 && done < all)
    tail += "  " + about_left((all - done) * batch.seconds / done);
  std::string out = "[" + std::to_string(batch.done) + "/" + std::to_string(batch.machines) + "]";
  if (!running.empty()) out += " " + std::to_string(running.size()) + " running:";
  if (text::columns(out) + tail.size() > width) tail.clear();
  for (std::size_t i = 0; i < running.size(); ++i) {
    const std::string rest = i + 1 < running.size() ? " +" + std::to_string(running.size() - i - 1) : "";
    const auto share = static_cast<int>(running[i].machine_share * 100);
    const std::string one =
        " " + text::shortened(running[i].machine, kNarrowestName * 2) + " " + std::to_string(share) + " %";
    if (text::columns(out) + text::columns(one) + rest.size() + tail.size() > width) {
      out += " +" + std::to_string(running.size() - i);
      break;
    }
    out += one;
  }
  return text::cut_columns(out + tail, width);
}

}  // namespace ferry::cli
