// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_display.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "support/text.hpp"

namespace ferry::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr std::size_t kBarWidth = 24;

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

class Bar final : public TimedProgress {
 public:
  explicit Bar(std::string machine) : machine_(std::move(machine)) {}

 private:
  void show(bool finished) override {
    const std::uint64_t done = std::min<std::uint64_t>(done_, total_ == 0 ? done_.load() : total_);
    const double share = finished ? 1.0 : total_ == 0 ? 0.0 : static_cast<double>(done) / static_cast<double>(total_);
    const auto filled = static_cast<std::size_t>(share * static_cast<double>(kBarWidth));
    std::string line = text::printable(step_.empty() ? machine_ : step_);
    if (line.size() > 40) line = "..." + line.substr(line.size() - 37);
    line += " [" + std::string(filled, '#') + std::string(kBarWidth - filled, ' ') + "] ";
    std::array<char, 64> figures{};
    std::snprintf(figures.data(), figures.size(), "%3.0f%%", share * 100);
    line += figures.data();
    if (const double spent = seconds(); spent > 0.5 && done > 0) {
      const double rate = static_cast<double>(done) / spent;
      line += "  " + text::human_bytes(static_cast<std::uint64_t>(rate)) + "/s";
      if (!finished && total_ > done) {
        const auto left = static_cast<unsigned long>(static_cast<double>(total_ - done) / rate);
        std::snprintf(figures.data(), figures.size(), "  %02lu:%02lu:%02lu left", left / 3600, left / 60 % 60,
                      left % 60);
        line += figures.data();
      }
    }
    std::fprintf(stderr, "\r\033[K%s%s", line.c_str(), finished ? "\n" : "");
    std::fflush(stderr);
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
    nlohmann::ordered_json line{
        {"machine", machine_}, {"step", step_}, {"done", done}, {"total", total_}, {"finished", finished}};
    if (spent > 0) line["bytes_per_second"] = static_cast<std::uint64_t>(static_cast<double>(done) / spent);
    std::fprintf(stderr, "%s\n", line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
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

}  // namespace ferry::cli
