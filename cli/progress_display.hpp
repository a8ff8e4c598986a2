// SPDX-License-Identifier: Apache-2.0
// Progress on stderr: one line on a terminal, never wider than it; JSON lines for programs.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "converters/progress.hpp"

namespace CLI {
class App;
}

namespace ferry::cli {

void add_progress_option(CLI::App &command, std::string &mode);

// mode: auto (a bar when stderr is a terminal, else nothing), bar, json, none. May give null. `machine` is put into
// what is shown. Several bars at a time share one line.
[[nodiscard]] std::unique_ptr<Progress> make_progress(const std::string &mode, const std::string &machine);

// What a bar shows of a step.
struct BarState {
  std::string name;        // printable
  double share = 0;        // 0 to 1
  std::string rate, left;  // "184 MiB/s", "00:00:12 left"; may be empty
};
// The line in at most `width` columns, whatever the name is: what does not fit goes, the name's middle last.
[[nodiscard]] std::string bar_line(const BarState &state, std::size_t width);
// The same for several steps at a time, as many of them as fit.
[[nodiscard]] std::string bars_line(const std::vector<BarState> &states, std::size_t width);

// Writes whole lines to stderr; a bar that stands there is drawn again below them.
void print_beside_progress(const std::string &lines);
// Draws the bar again, as the terminal's width is now; nothing when there is none.
void redraw_progress();
// Leaves the line that a bar stands on, for good.
void clear_progress_line();

}  // namespace ferry::cli
