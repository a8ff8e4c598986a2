// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_display.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <unistd.h>

#include "cli/terminal.hpp"

#include "support/text.hpp"

namespace ferry::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kRedraw = std::chrono::milliseconds(100);

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
// known that the same disk has no further step: it is converted, then verified.
class Line {
 public:
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
    draw();
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
    say("\r\033[K" + bar_line(*finished_, width()) + "\n");
    finished_.reset();
    drawn_ = false;
    draw();
  }
  void draw() {
    std::vector<BarState> states;
    for (const auto &[bar, state] : active_) states.push_back(state);
    if (states.empty() && finished_) states.push_back(*finished_);
    if (states.empty() && !drawn_) return;
    say("\r\033[K" + (states.empty() ? "" : bars_line(states, width())));
    drawn_ = !states.empty();
  }

  std::mutex guard_;
  std::vector<std::pair<const void *, BarState>> active_;
  std::optional<BarState> finished_;
  bool drawn_ = false;  // something stands on the terminal's last line
};

// Never destroyed: the thread that waits for signals draws too.
Line &line() {
  static auto *const kLine = new Line;  // NOLINT(cppcoreguidelines-owning-memory)
  return *kLine;
}

class Bar final : public TimedProgress {
 public:
  explicit Bar(std::string machine) : machine_(std::move(machine)) {}
  ~Bar() override { line().drop(this); }
  Bar(const Bar &) = delete;
  Bar &operator=(const Bar &) = delete;

 private:
  void show(bool finished) override {
    const std::uint64_t done = std::min<std::uint64_t>(done_, total_ == 0 ? done_.load() : total_);
    BarState state{.name = text::printable(step_.empty() ? machine_ : step_)};
    state.share = finished ? 1.0 : total_ == 0 ? 0.0 : static_cast<double>(done) / static_cast<double>(total_);
    if (const double spent = seconds(); spent > 0.5 && done > 0) {
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

  std::string machine_;
};

class JsonLines final : public TimedProgress {
 public:
  explicit JsonLines(std::string machine) : machine_(std::move(machine)) {}

 private:
  void show(bool finished) override {
    const double spent = seconds();
    const std::uint64_t done = done_;
    nlohmann::ordered_json json{
        {"machine", machine_}, {"step", step_}, {"done", done}, {"total", total_}, {"finished", finished}};
    if (spent > 0) json["bytes_per_second"] = static_cast<std::uint64_t>(static_cast<double>(done) / spent);
    // All but ASCII escaped: names may hold what turns the text of a terminal around.
    say(json.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  }

  std::string machine_;
};

}  // namespace

void add_progress_option(CLI::App &command, std::string &mode) {
  command.add_option("--progress", mode, "auto, bar, json (lines on stderr) or none [auto]")
      ->option_text("HOW")
      ->check(CLI::IsMember(std::vector<std::string>{"auto", "bar", "json", "none"}).description(""))
      ->group("Report");
}

std::unique_ptr<Progress> make_progress(const std::string &mode, const std::string &machine) {
  if (mode == "json") return std::make_unique<JsonLines>(machine);
  if (mode == "bar" || (mode == "auto" && isatty(STDERR_FILENO) != 0)) return std::make_unique<Bar>(machine);
  return nullptr;
}

void print_beside_progress(const std::string &lines) { line().print(lines); }
void redraw_progress() { line().redraw(); }
void clear_progress_line() { line().leave(); }

}  // namespace ferry::cli
