// SPDX-License-Identifier: Apache-2.0
// Progress on stderr: one line on a terminal, never wider than it; a plain line now and then where there is none; JSON
// lines for programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "converters/progress.hpp"

namespace CLI {
class App;
}
namespace ferry::report {
struct MachineReport;
}

namespace ferry::cli {

void add_progress_option(CLI::App &command, std::string &mode);

// What is to be done for a machine, or for one disk of none.
struct Task {
  std::string name;
  std::size_t disks = 1;
  std::uint64_t bytes = 0;  // of data, 0: not known
};
[[nodiscard]] Task task_of(const report::MachineReport &machine);

// mode: auto (a bar when stderr is a terminal, else plain lines every half minute), bar, plain (the same lines, and one
// for each finished step), json, none. May give null. Several bars at a time share one line.
[[nodiscard]] std::unique_ptr<Progress> make_progress(const std::string &mode, const Task &task);

// From now on the one line is for all of a batch, of so many machines and bytes of data.
void begin_batch_progress(std::size_t machines, std::uint64_t bytes);
// A machine of it is done, or is not to be done.
void count_batch_machine(std::uint64_t bytes);

// With mode json: a line when a machine's work begins, and one when it ended, with its status and run. Numbers from 1.
void announce_begin(const std::string &mode, const report::MachineReport &machine);
void announce_end(const std::string &mode, const report::MachineReport &machine, std::size_t number, std::size_t all);

// What a bar shows of a step.
struct BarState {
  std::string name;                      // printable: "web.qcow2: converting"
  double share = 0;                      // 0 to 1
  std::string rate{}, left{}, amount{};  // "184 MiB/s", "00:00:12 left", "disk 1 of 2, 1.2 of 3.0 GiB"; may be empty
  std::string machine{};                 // printable
  double machine_share = 0;              // of all its disks
  double bytes_per_second = 0;
  std::uint64_t bytes = 0;  // of the machine
};
// The line in at most `width` columns, whatever the name is: what does not fit goes, the name's middle last.
[[nodiscard]] std::string bar_line(const BarState &state, std::size_t width);
// The same for several steps at a time, as many of them as fit.
[[nodiscard]] std::string bars_line(const std::vector<BarState> &states, std::size_t width);

// A batch, besides what is running.
struct BatchState {
  std::size_t done = 0, machines = 0;
  std::uint64_t bytes_done = 0, bytes = 0;  // of data; of machines that are done, of all
  double seconds = 0;                       // since it began
};
// "[12/200] 3 running: web 41 % db 7 %  184 MiB/s  about 1 h left", in at most `width` columns.
[[nodiscard]] std::string batch_line(const BatchState &batch, const std::vector<BarState> &running, std::size_t width);
// "about 40 s left", "about 5 min left", "about 2 h left".
[[nodiscard]] std::string about_left(double seconds);

// Writes whole lines to stderr; a bar that stands there is drawn again below them.
void print_beside_progress(const std::string &lines);
// Draws the bar again, as the terminal's width is now; nothing when there is none.
void redraw_progress();
// Leaves the line that a bar stands on, for good.
void clear_progress_line();

}  // namespace ferry::cli
