// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_display.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <unistd.h>

#include "cli/terminal.hpp"
#include "exporters/report/report.hpp"

#include "support/text.hpp"

namespace ferry::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kPlainEvery = std::chrono::seconds(30);
constexpr std::size_t kPlainWidth = 120;  // columns of a log

// A program that reads stderr no longer, or a disk that is full, does not stop the work.
void say(const std::string &text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

// Counts, and calls show() at most every kRedraw and at the end of a step.
class TimedProgress : public Progress {
 public:
  void begin(std::string_view step, std::uint64_t total) override {
    const std::lock_guard lock(mutex_);
    step_ = step;
    total_ = total;
    done_ = 0;
    started_ = last_ = Clock::now();
    show(false);
  }
  void advance(std::uint64_t bytes) override {
    done_ += bytes;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || Clock::now() - last_ < kRedraw) return;
    last_ = Clock::now();
    show(false);
  }
  void end() override {
    const std::lock_guard lock(mutex_);
    show(true);
  }

 protected:
  virtual void show(bool finished) = 0;

  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(Clock::now() - started_).count(); }

  std::string step_;
  std::uint64_t total_ = 0;
  std::atomic<std::uint64_t> done_ = 0;
  Clock::time_point started_, last_;

 private:
  std::mutex mutex_;
};

// The one line of the terminal that all bars share. What is finished becomes a line of its own above it, once it is
// known that the same disk has no further step: it is converted, then verified. A batch has one line for all instead.
class Line {
 public:
  void be_plain(bool each_step) {
    const std::lock_guard lock(guard_);
    if (!plain_) last_plain_ = Clock::now();
    plain_ = true;
    each_step_ = each_step;
  }
  void begin_batch(std::size_t machines, std::uint64_t bytes) {
    const std::lock_guard lock(guard_);
    batch_ = BatchState{.machines = machines, .bytes = bytes};
    batch_began_ = Clock::now();
  }
  void count_machine(std::uint64_t bytes) {
    const std::lock_guard lock(guard_);
    if (!batch_) return;
    ++batch_->done;
    batch_->bytes_done += bytes;
    draw();
  }
  void update(const void *bar, BarState state) {
    const std::lock_guard lock(guard_);
    if (finished_ && disk_of(finished_->name) != disk_of(state.name)) leave_finished();
    finished_.reset();
    auto at = std::find_if(active_.begin(), active_.end(), [bar](const auto &one) { return one.first == bar; });
    if (at == active_.end()) at = active_.insert(active_.end(), {bar, {}});
    at->second = std::move(state);
    draw();
  }
  void finish(const void *bar, const BarState &state) {
    const std::lock_guard lock(guard_);
    if (batch_) return draw();  // the machine goes on, or is counted soon
    leave_finished();
    std::erase_if(active_, [bar](const auto &one) { return one.first == bar; });
    finished_ = state;
    draw();
    if (!active_.empty()) leave_finished();
  }
  void drop(const void *bar) {
    const std::lock_guard lock(guard_);
    leave_finished();
    if (std::erase_if(active_, [bar](const auto &one) { return one.first == bar; }) > 0) draw();
  }
  void print(const std::string &lines) {
    const std::lock_guard lock(guard_);
    leave_finished();
    say((drawn_ ? "\r\033[K" : "") + lines);
    drawn_ = false;
    draw();
  }
  void redraw() {
    const std::lock_guard lock(guard_);
    if (!plain_) draw();
  }
  void leave() {
    const std::lock_guard lock(guard_);
    if (drawn_) say("\n");
    drawn_ = false;
    finished_.reset();
  }

 private:
  // "web.qcow2: converting" and "web.qcow2: verifying" are one disk's.
  static std::string disk_of(const std::string &step) { return step.substr(0, step.rfind(": ")); }
  // One column stays free: a terminal whose last one is written to may go on in the next line.
  static std::size_t width() { return std::max<std::size_t>(terminal_width(STDERR_FILENO), 2) - 1; }
  void leave_finished() {
    if (!finished_) return;
    if (!plain_) say("\r\033[K" + bar_line(*finished_, width()) + "\n");
    if (plain_ && each_step_) say(plain_line(*finished_) + "\n");
    finished_.reset();
    drawn_ = false;
    draw();
  }
  static std::string plain_line(const BarState &state) {
    std::string out = state.name + ", " + std::to_string(static_cast<int>(state.share * 100)) + " %";
    for (const std::string *more : {&state.amount, &state.rate, &state.left})
      if (!more->empty()) out += ", " + *more;
    return out;
  }
  [[nodiscard]] std::string now(const std::vector<BarState> &states, std::size_t columns) const {
    if (batch_) {
      BatchState batch = *batch_;
      batch.seconds = std::chrono::duration<double>(Clock::now() - batch_began_).count();
      return batch_line(batch, states, columns);
    }
    if (states.empty()) return {};
    return plain_ && states.size() == 1 ? plain_line(states.front()) : bars_line(states, columns);
  }
  void draw() {
    std::vector<BarState> states;
    for (const auto &[bar, state] : active_) states.push_back(state);
    if (states.empty() && finished_ && !plain_) states.push_back(*finished_);
    if (plain_) {
      if (states.empty() || Clock::now() - last_plain_ < kPlainEvery) return;
      last_plain_ = Clock::now();
      return say(now(states, kPlainWidth) + "\n");
    }
    if (states.empty() && !drawn_) return;
    say("\r\033[K" + (states.empty() ? "" : now(states, width())));
    drawn_ = !states.empty();
  }

  std::mutex guard_;
  std::vector<std::pair<const void *, BarState>> active_;
  std::optional<BarState> finished_;
  std::optional<BatchState> batch_;
  Clock::time_point batch_began_, last_plain_;
  bool plain_ = false, each_step_ = false;
  bool drawn_ = false;  // something stands on the terminal's last line
};

// Never destroyed: the thread that waits for signals draws too.
Line &line() {
  static auto *const kLine = new Line;  // NOLINT(cppcoreguidelines-owning-memory)
  return *kLine;
}

class Bar final : public TimedProgress {
 public:
  explicit Bar(Task task) : task_(std::move(task)) {}
  ~Bar() override { line().drop(this); }
  Bar(const Bar &) = delete;
  Bar &operator=(const Bar &) = delete;

 private:
  void show(bool finished) override {
    const std::uint64_t done = std::min<std::uint64_t>(done_, total_ == 0 ? done_.load() : total_);
    BarState state{.name = text::printable(step_.empty() ? task_.name : step_)};
    state.machine = text::printable(task_.name);
    state.bytes = task_.bytes;
    state.share = finished ? 1.0 : total_ == 0 ? 0.0 : static_cast<double>(done) / static_cast<double>(total_);
    count_disk();
    const auto disks = static_cast<double>(std::max(task_.disks, disk_));
    state.machine_share = (static_cast<double>(disk_) - 1 + state.share) / disks;
    if (task_.disks > 1) state.amount = "disk " + std::to_string(disk_) + " of " + std::to_string(task_.disks);
    if (total_ > 0) {
      state.amount += (state.amount.empty() ? "" : ", ") + text::human_bytes(finished ? total_ : done) + " of " +
                      text::human_bytes(total_);
    }
    if (const double spent = seconds(); spent > 0.5 && done > 0) {
      state.bytes_per_second = finished ? 0 : static_cast<double>(done) / spent;
      const double rate = static_cast<double>(done) / spent;
      state.rate = text::human_bytes(static_cast<std::uint64_t>(rate)) + "/s";
      if (!finished && total_ > done) {
        const auto left = static_cast<unsigned long>(static_cast<double>(total_ - done) / rate);
        std::array<char, 64> figures{};
        std::snprintf(figures.data(), figures.size(), "%02lu:%02lu:%02lu left", left / 3600, left / 60 % 60, left % 60);
        state.left = figures.data();
      }
    }
    if (finished) {
      line().finish(this, state);
    } else {
      line().update(this, std::move(state));
    }
  }

  // A disk has several steps, which begin with its name.
  void count_disk() {
    const std::string disk = step_.substr(0, step_.rfind(": "));
    if (disk_ > 0 && disk == disk_name_) return;
    disk_name_ = disk;
    ++disk_;
  }

  Task task_;
  std::string disk_name_;
  std::size_t disk_ = 0;
};

// All but ASCII escaped: names may hold what turns the text of a terminal around.
void say_json(const nlohmann::ordered_json &json) {
  say(json.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

class JsonLines final : public TimedProgress {
 public:
  explicit JsonLines(std::string machine) : machine_(std::move(machine)) {}

 private:
  void show(bool finished) override {
    const double spent = seconds();
    const std::uint64_t done = done_;
    nlohmann::ordered_json json{{"machine", machine_}, {"event", "step"}, {"step", step_},
                                {"done", done},        {"total", total_}, {"finished", finished}};
    if (spent > 0) json["bytes_per_second"] = static_cast<std::uint64_t>(static_cast<double>(done) / spent);
    say_json(json);
  }

  std::string machine_;
};

}  // namespace

void add_progress_option(CLI::App &command, std::string &mode) {
  command.add_option("--progress", mode, "auto, bar, plain, json (lines on stderr) or none [auto]")
      ->option_text("HOW")
      ->check(CLI::IsMember(std::vector<std::string>{"auto", "bar", "plain", "json", "none"}).description(""))
      ->group("Report");
}

Task task_of(const report::MachineReport &machine) {
  Task out{.name = machine.name, .disks = machine.disks.size()};
  for (const report::Disk &disk : machine.disks) out.bytes += disk.allocated;
  return out;
}

std::unique_ptr<Progress> make_progress(const std::string &mode, const Task &task) {
  if (mode == "none") return nullptr;
  if (mode == "json") return std::make_unique<JsonLines>(task.name);
  const char *kind = std::getenv("TERM");
  const bool dumb = kind != nullptr && std::strcmp(kind, "dumb") == 0;
  if (mode == "plain" || (mode == "auto" && (dumb || isatty(STDERR_FILENO) == 0))) line().be_plain(mode == "plain");
  return std::make_unique<Bar>(task);
}

void begin_batch_progress(std::size_t machines, std::uint64_t bytes) { line().begin_batch(machines, bytes); }
void count_batch_machine(std::uint64_t bytes) { line().count_machine(bytes); }

void announce_begin(const std::string &mode, const report::MachineReport &machine) {
  if (mode != "json") return;
  const Task task = task_of(machine);
  say_json({{"machine", machine.name}, {"event", "begin"}, {"disks", task.disks}, {"bytes", task.bytes}});
}

void announce_end(const std::string &mode, const report::MachineReport &machine, std::size_t number, std::size_t all) {
  if (mode != "json") return;
  nlohmann::ordered_json json{{"machine", machine.name}, {"event", "end"}, {"status", to_string(machine.status)}};
  if (!machine.run.empty()) json["run"] = machine.run;
  if (machine.refusal) json["message"] = machine.refusal->detail.message;
  json["number"] = number;
  json["of"] = all;
  say_json(json);
}

void print_beside_progress(const std::string &lines) { line().print(lines); }
void redraw_progress() { line().redraw(); }
void clear_progress_line() { line().leave(); }

}  // namespace ferry::cli
