// SPDX-License-Identifier: Apache-2.0
#include "migration/reader_session.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <new>
#include <stdexcept>
#include <utility>

#include "migration/misbehave.hpp"

#include "support/on_host.hpp"

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
  if (!worker) return nullptr;
  const auto remote = [](const std::vector<fs::path> &paths) {
    std::vector<fs::path> out;
    std::copy_if(paths.begin(), paths.end(), std::back_inserter(out), on_host::is_remote);
    return out;
  };
  return std::unique_ptr<Session>(
      new Session(std::move(worker), file, {.read = remote(rules.read), .list = remote(rules.list)}));
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
      case Say::failure: throw failure(value);
      case Say::connect: connect(std::string(value)); continue;
      case Say::zeros: say_zeros(std::string(value)); continue;
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

void Session::connect(const std::string &authority) {
  constexpr std::size_t kMost = 64;  // of one worker: a host that hangs up each time is given up before
  const auto answer = [&](const std::string &why, const std::vector<int> &descriptors) {
    static_cast<void>(worker_->channel().send(std::string(1, static_cast<char>(Ask::connection)) + why, descriptors));
  };
  const auto named = [&](const fs::path &path) { return on_host::authority_of(path) == authority; };
  const bool meant = std::any_of(elsewhere_.read.begin(), elsewhere_.read.end(), named);
  if (!meant || ++connections_ > kMost) return answer("", {});
  lent_.reset();  // it asks because that one is lost
  try {
    auto lent = hosts::lend(authority, elsewhere_);
    if (!lent) return answer("", {});
    answer("", {lent->from.get(), lent->to.get()});
    lent->from.reset();
    lent->to.reset();
    lent_ = *std::move(lent);
  } catch (const Error &error) {
    answer(exact::written(failure_of(error)), {});
  }
}

void Session::say_zeros(const fs::path &file) {
  const file::Descriptor said = lent_ && lent_->zeros_of ? lent_->zeros_of(file) : file::Descriptor{};
  std::vector<int> descriptors;
  if (said) descriptors.push_back(said.get());
  static_cast<void>(worker_->channel().send(std::string(1, static_cast<char>(Ask::connection)), descriptors));
}

Error Session::failure(std::string_view value) const {
  Error out = exact::read<Failure>(value).error();
  if (out.kind() != ErrorKind::unreachable || !lent_) return out;
  const ErrorDetail said = lent_->why();
  ErrorDetail detail = out.detail();
  if (!said.found.empty()) detail.found = said.found;
  if (!said.advice.empty()) detail.advice = said.advice;
  return {out.kind(), std::move(detail)};
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
