// SPDX-License-Identifier: Apache-2.0
#include "migration/trial_watch.hpp"

#include <algorithm>
#include <optional>
#include <unistd.h>
#include <utility>

#include "migration/seen/font.hpp"
#include "migration/seen/screen_text.hpp"
#include "migration/seen/signs.hpp"

#include "support/error.hpp"
#include "support/pause.hpp"
#include "support/picture.hpp"

namespace ferry::migration {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kCursor = 160;         // dots: a blinking one is no change; 8 x 16 and some
constexpr std::size_t kLinesShown = 12;      // of what the guest said last
constexpr std::size_t kConsoleTail = 65536;  // bytes that are read of it
constexpr unsigned kAgentSeconds = 3, kFactSeconds = 10;
constexpr std::uint64_t kAgentEvery = 2;  // looks

bool is_same(const std::optional<Picture> &a, const std::optional<Picture> &b) {
  if (!a || !b) return !a && !b;
  if (a->width != b->width || a->height != b->height) return false;
  std::size_t differ = 0;
  for (std::size_t i = 0; i < a->pixels.size(); ++i) differ += a->pixels[i] == b->pixels[i] ? 0U : 1U;
  return differ <= kCursor;
}

std::string tail_of(int file) {
  if (file < 0) return {};
  const off_t end = lseek(file, 0, SEEK_END);
  if (end <= 0) return {};
  std::string out(std::min(static_cast<std::size_t>(end), kConsoleTail), '\0');
  const ssize_t count = pread(file, out.data(), out.size(), end - static_cast<off_t>(out.size()));
  out.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return out;
}

class Watch {
 public:
  Watch(const target::Machines &machines, const WatchRequest &request, std::stop_token stop)
      : machines_(machines),
        request_(request),
        stop_(std::move(stop)),
        font_(vga_font()),
        began_(Clock::now()),
        changed_(began_) {}

  report::Test run() {
    for (std::uint64_t look = 0;; ++look) {
      refuse_if_stopped();
      if (!take_look() || (look % kAgentEvery == 0 && ask_agent()) || judge() || is_late()) return finished();
      pause_for(request_.pause, stop_);
    }
  }

 private:
  // False when the machine is no more.
  bool take_look() {
    const target::Condition condition = machines_.condition(request_.name);
    if (condition == target::Condition::off) return ended("off", "the guest has switched the machine off");
    std::optional<Picture> picture = picture_now();
    std::string console = tail_of(request_.console);
    if (!is_same(picture, picture_) || console != console_) changed_ = Clock::now();
    if (picture) picture_ = std::move(picture);
    console_ = std::move(console);
    screen_ = picture_ && font_ ? screen_text(*picture_, *font_) : std::vector<std::string>();
    if (condition != target::Condition::crashed) return true;
    test_.verdict = report::Test::Verdict::failed;
    if (const auto sign = sign_of_crash(machines_.crash_note(request_.name))) {
      test_.sign = sign->id;
      test_.seen = sign->words;
      return false;
    }
    return ended("guest-panic", "the guest has said through its panic device that its kernel gave up");
  }

  bool ended(const char *sign, const char *seen) {
    test_.sign = sign;
    test_.seen = seen;
    return false;
  }

  // What was shown last stays where nothing can be seen now: while the machine is reset.
  std::optional<Picture> picture_now() {
    try {
      const auto screen = machines_.screen(request_.name);
      return screen ? std::optional(read_picture(screen->bytes)) : picture_;
    } catch (const Error &error) {
      if (error.kind() != ErrorKind::malformed && !is_gone()) throw;
      return picture_;
    }
  }

  [[nodiscard]] bool is_gone() const { return machines_.condition(request_.name) == target::Condition::off; }

  [[nodiscard]] std::optional<std::string> answer(const char *command, unsigned seconds) const {
    try {
      return machines_.ask_agent(request_.name, command, seconds);
    } catch (const Error &) {
      if (!is_gone()) throw;
      return std::nullopt;
    }
  }

  bool ask_agent() {
    if (!answer(R"({"execute":"guest-ping"})", kAgentSeconds)) return false;
    const auto ask = [this](const char *command) { return answer(command, kFactSeconds).value_or(""); };
    const GuestFacts facts = facts_of({.host_name = ask(R"({"execute":"guest-get-host-name"})"),
                                       .os = ask(R"({"execute":"guest-get-osinfo"})"),
                                       .interfaces = ask(R"({"execute":"guest-network-get-interfaces"})")});
    test_.host_name = facts.host_name;
    test_.os = facts.os;
    test_.addresses = facts.addresses;
    test_.verdict = report::Test::Verdict::booted;
    test_.sign = "agent";
    test_.seen = "the guest agent answers";
    return true;
  }

  [[nodiscard]] bool has_settled() const { return Clock::now() - changed_ >= request_.settle; }

  [[nodiscard]] std::optional<Sign> sign_now() const {
    std::optional<Sign> failure;
    for (const auto &lines : {console_lines(console_), screen_}) {
      auto sign = sign_in(lines);
      if (sign && sign->booted) return sign;
      if (sign && !failure) failure = std::move(sign);
    }
    return failure || !picture_ ? failure : sign_in(*picture_);
  }

  // A prompt may be passed on the way: only what stays is the end of it.
  bool judge() {
    if (!has_settled()) return false;
    const auto sign = sign_now();
    if (!sign) return false;
    test_.verdict = sign->booted ? report::Test::Verdict::booted : report::Test::Verdict::failed;
    test_.sign = sign->id;
    test_.seen = sign->words;
    return true;
  }

  bool is_late() {
    if (Clock::now() - began_ < request_.timeout) return false;
    if (const auto sign = sign_now(); sign && !sign->booted) {
      test_.sign = sign->id;
      test_.seen = "at the end of its time there is " + sign->words + ", but what it shows still changes";
    } else {
      test_.seen = has_settled() ? "no agent answers, and what the screen shows is not known"
                                 : "no agent answers, and what it shows still changes";
    }
    return true;
  }

  void refuse_if_stopped() const {
    if (!stop_.stop_requested()) return;
    throw Error(ErrorKind::cancelled, {.message = "the test was interrupted"});
  }

  report::Test finished() {
    test_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    if (picture_) test_.picture = as_png(*picture_);
    test_.text = console_lines(console_, kLinesShown);
    const std::vector<std::string> said = test_.text;
    std::vector<std::string> shown = screen_;
    std::erase_if(shown, [&](const std::string &line) {  // UEFI says on both what it says
      return line.empty() || std::find(said.begin(), said.end(), line) != said.end();
    });
    if (shown.size() > kLinesShown) shown.erase(shown.begin(), shown.end() - static_cast<std::ptrdiff_t>(kLinesShown));
    test_.text.insert(test_.text.end(), shown.begin(), shown.end());
    return std::move(test_);
  }

  const target::Machines &machines_;
  const WatchRequest &request_;
  std::stop_token stop_;
  std::optional<Font> font_;
  Clock::time_point began_, changed_;
  std::optional<Picture> picture_;
  std::vector<std::string> screen_;
  std::string console_;
  report::Test test_;
};

}  // namespace

report::Test watch(const target::Machines &machines, const WatchRequest &request, const std::stop_token &stop) {
  return Watch(machines, request, stop).run();
}

}  // namespace ferry::migration
