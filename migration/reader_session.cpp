// SPDX-License-Identifier: Apache-2.0
#include "migration/reader_session.hpp"

#include <charconv>
#include <new>
#include <stdexcept>
#include <utility>

#include "migration/misbehave.hpp"

namespace ferry::migration {

namespace {

namespace fs = std::filesystem;
using worker::Watch;

constexpr const char *kOurBug =
    "This is a bug in virt-ferry, or the file was made to do this: please report it with the source's settings file. "
    "Nothing of the source was changed.";

std::uint64_t number(std::string_view digits) {
  std::uint64_t out = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

}  // namespace

std::unique_ptr<Session> Session::start(const cage::Rules &rules, const fs::path &file) {
  auto worker = worker::Worker::start(rules);
  return worker ? std::unique_ptr<Session>(new Session(std::move(worker), file)) : nullptr;
}

std::string Session::ask(const Call &call) {
  const std::string question = std::string(1, static_cast<char>(call.what)) + call.value;
  if (!worker_->channel().send(question, call.descriptors)) ended();
  const std::stop_callback stopped(
      call.stop, [this] { static_cast<void>(worker_->channel().send(std::string(1, static_cast<char>(Ask::stop)))); });
  Watch watch(*worker_, patience());
  for (;;) {
    auto verdict = Watch::Verdict::goes_on;
    const auto said = worker_->channel().receive([&] {
      verdict = watch.look(call.stop.stop_requested());
      return verdict == Watch::Verdict::goes_on;
    });
    if (verdict != Watch::Verdict::goes_on) given_up(verdict);
    if (!said || said->bytes.empty()) ended();
    watch.heard();
    const std::string_view value = std::string_view(said->bytes).substr(1);
    const auto what = static_cast<Say>(said->bytes.front());
    switch (what) {
      case Say::answer: return std::string(value);
      case Say::failure: throw exact::read<Failure>(value).error();
      case Say::refused:
        throw Error(ErrorKind::io, {.where = {.file = file_}, .message = exact::read<std::string>(value)});
      case Say::defect: throw std::runtime_error(exact::read<std::string>(value));
      case Say::no_memory: throw std::bad_alloc();
      case Say::begin:
      case Say::advance:
      case Say::end:
        if (call.progress != nullptr) report(what, value, *call.progress);
        continue;
    }
    ended();
  }
}

void Session::report(Say what, std::string_view value, Progress &progress) {
  if (what == Say::begin) {
    const auto step = exact::read<StepBegins>(value);
    progress.begin(step.step, step.total);
  } else if (what == Say::advance) {
    progress.advance(number(value));
  } else {
    progress.end();
  }
}

void Session::ended() {
  usable_ = false;
  throw Error(ErrorKind::internal, {.where = {.file = file_},
                                    .message = "the process that read this file ended without an answer",
                                    .found = worker_->how_it_ended(),
                                    .advice = kOurBug});
}

void Session::given_up(Watch::Verdict verdict) {
  usable_ = false;
  if (verdict == Watch::Verdict::does_not_stop) throw Error(ErrorKind::cancelled, {.message = "the work was stopped"});
  if (verdict == Watch::Verdict::waits) {
    throw Error(ErrorKind::io, {.where = {.file = file_},
                                .message = "the process that reads this file waits for the disk and gets no answer",
                                .advice = "Check the disk, or the network share, that the machine is on."});
  }
  throw Error(ErrorKind::internal, {.where = {.file = file_},
                                    .message = "the process that reads this file computes without an end",
                                    .expected = "something read, written or said within a minute",
                                    .advice = kOurBug});
}

}  // namespace ferry::migration
