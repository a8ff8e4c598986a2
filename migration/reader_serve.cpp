// SPDX-License-Identifier: Apache-2.0
// The worker's side: it is locked in already, takes questions one after the other and answers them.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <stop_token>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "migration/misbehave.hpp"
#include "migration/reader_messages.hpp"

#include "hosts/known_hosts.hpp"
#include "support/limits.hpp"
#include "support/worker.hpp"

namespace ferry::migration {
namespace {

// Above what guest::Limits allow, which end a look with an answer.
constexpr std::chrono::seconds kLongestLook{60};                  // of a processor
constexpr std::uint64_t kMemoryOfLook = std::uint64_t{1} << 30U;  // bytes

std::string message(Say what, const std::string &value) { return std::string(1, static_cast<char>(what)) + value; }

// Steps and bytes as messages: many threads report, and not each of their steps is worth one.
class ProgressAway final : public Progress {
 public:
  explicit ProgressAway(const worker::Channel &channel) : channel_(channel) {}
  void begin(std::string_view step, std::uint64_t total) override {
    send(Say::begin, exact::written(StepBegins{std::string(step), total}));
  }
  void advance(std::uint64_t bytes) override {
    using Clock = std::chrono::steady_clock;
    constexpr auto kOften = std::chrono::milliseconds(50);
    done_ += bytes;
    const std::unique_lock lock(guard_, std::try_to_lock);
    if (!lock.owns_lock() || Clock::now() - sent_ < kOften) return;
    sent_ = Clock::now();
    flush();
  }
  void end() override {
    const std::lock_guard lock(guard_);
    flush();
    send(Say::end, "");
  }

 private:
  void flush() {
    if (const std::uint64_t bytes = done_.exchange(0); bytes > 0) send(Say::advance, std::to_string(bytes));
  }
  void send(Say what, const std::string &value) const { static_cast<void>(channel_.send(message(what, value))); }

  const worker::Channel &channel_;
  std::atomic<std::uint64_t> done_ = 0;  // and not sent yet
  std::mutex guard_;
  std::chrono::steady_clock::time_point sent_{};
};

class Server {
 public:
  explicit Server(const worker::Channel &channel) : channel_(channel), progress_(channel) {}

  void answer(worker::Message question, const std::stop_token &stop) {
    stop_ = stop;
    try {
      const std::string answered = answer_to(question);
      say(Say::answer, answered);
    } catch (const Error &error) {
      say(Say::failure, exact::written(failure_of(error)));
    } catch (const std::system_error &error) {
      refuse(error);
    } catch (const std::bad_alloc &) {
      say(Say::no_memory, "");
    } catch (const std::exception &error) {
      say(Say::defect, exact::written(std::string(error.what())));
    }
  }

  // Nothing can be done here, and whoever asks is told why.
  void refuse_all(const std::system_error &why) const {
    while (channel_.receive()) refuse(why);
  }

 private:
  void refuse(const std::system_error &error) const {
    if (error.code() == std::errc::resource_unavailable_try_again) {
      say(Say::failure, exact::written(failure_of(limits::as_error(error))));
    } else {
      say(Say::refused, exact::written(std::string(error.what())));
    }
  }

  void say(Say what, const std::string &value) const { static_cast<void>(channel_.send(message(what, value))); }

  std::string answer_to(worker::Message &question) {
    if (question.bytes.empty()) throw Error(ErrorKind::internal, {.message = "an empty question"});
    const std::string_view text = std::string_view(question.bytes).substr(1);
    switch (static_cast<Ask>(question.bytes.front())) {
      case Ask::find: return exact::written(find_source_at(exact::read<std::string>(text)));
      case Ask::below: return below(exact::read<std::string>(text));
      case Ask::detect: return exact::written(DetectAnswer{detect_source_at(exact::read<std::string>(text))});
      case Ask::registered: return registered(exact::read<std::string>(text));
      case Ask::locks:
        return exact::written(reader().read_locks(exact::read<std::vector<std::filesystem::path>>(text)));
      case Ask::import: return import(exact::read<ImportQuestion>(text));
      case Ask::look: {
        const auto asked = exact::read_with_images<LookQuestion>(text);
        return exact::written(reader().look(asked.media, options_of(asked.open), asked.engine));
      }
      case Ask::engine: {
        const auto asked = exact::read_with_images<LookQuestion>(text);
        return exact::written(
            EngineAnswer{reader().engine_for(asked.media.at(0), options_of(asked.open), asked.engine)});
      }
      case Ask::for_qemu: {
        const auto asked = exact::read_with_images<LookQuestion>(text);
        return exact::written(reader().for_qemu(asked.media.at(0), options_of(asked.open), asked.with_force_size));
      }
      case Ask::inside: return inside(exact::read_with_images<InsideQuestion>(text));
      case Ask::served: {
        worker::limit_work(kLongestLook, kMemoryOfLook);
        return exact::written(
            reader().look_inside(exact::read<std::vector<std::size_t>>(text), std::move(question.descriptors)));
      }
      case Ask::nvram: return exact::written(reader().read_nvram(exact::read<firmware::NvramSource>(text)));
      case Ask::tpm: {
        const auto asked = exact::read<TpmQuestion>(text);
        return exact::written(
            reader().read_tpm(asked.file, asked.old ? firmware::TpmKind::old : firmware::TpmKind::v2));
      }
      case Ask::verify_members: {
        const auto asked = exact::read<MembersQuestion>(text);
        reader().verify_members(asked.machine, asked.entries, stop_);
        return {};
      }
      case Ask::fill: return fill(exact::read_with_images<FillQuestion>(text), std::move(question.descriptors));
      case Ask::compare: {
        auto asked = exact::read_with_images<CompareQuestion>(text);
        asked.comparison.open = options_of(asked.open);
        return exact::written(reader().compare(asked.comparison, std::move(question.descriptors), &progress_, stop_));
      }
      case Ask::zeros: {
        const auto asked = exact::read_with_images<ZerosQuestion>(text);
        if (asked.unit == 0) throw Error(ErrorKind::internal, {.message = "a unit of nothing"});
        return exact::written(reader().zeros(asked.medium, options_of(asked.open), asked.unit));
      }
      case Ask::serve: {
        const auto asked = exact::read_with_images<ServeQuestion>(text);
        reader().serve(asked.disks, options_of(asked.open));
        return {};
      }
      case Ask::client:
        if (question.descriptors.size() != 1) throw Error(ErrorKind::internal, {.message = "a client is missing"});
        reader().take_client(std::move(question.descriptors.front()));
        return {};
      case Ask::serving: return exact::written(reader().serving());
      case Ask::stop:
      case Ask::connection: break;
    }
    throw Error(ErrorKind::internal, {.message = "an unknown question"});
  }

  std::string inside(const InsideQuestion &asked) {
    // What it parses may make it compute or allocate without an end. One that has other work to do cannot be bound.
    if (asked.alone) worker::limit_work(kLongestLook, kMemoryOfLook);
    return exact::written(reader().look_inside(asked.disks, options_of(asked.open)));
  }

  static std::string below(const std::string &folder) {
    BelowAnswer out;
    FoundBelow found = find_below(folder);
    out.sources = std::move(found.sources);
    for (const Error &error : found.unreadable) out.unreadable.push_back(failure_of(error));
    return exact::written(out);
  }

  static std::string registered(const std::string &windows_root) {
    RegisteredAnswer out;
    Registered found = read_registered(windows_root);
    out.machines = std::move(found.machines);
    for (const Error &error : found.unreadable) out.unreadable.push_back(failure_of(error));
    return exact::written(out);
  }

  std::string import(const ImportQuestion &asked) {
    misbehave_when_told();
    set_registered_folders(asked.registered);
    reader_ = reader_here(asked.source, asked.options);
    return exact::written_with_images(reader_->import(asked.newer ? Newer::look : Newer::ignore));
  }

  std::string fill(FillQuestion asked, std::vector<file::Descriptor> descriptors) {
    if (descriptors.size() != 1) throw Error(ErrorKind::internal, {.message = "a target is missing"});
    asked.request.open = options_of(asked.open);
    copy::TargetFile target(std::move(descriptors.front()), asked.request.target);
    if (asked.request.durable) target.write_through();
    return exact::written(reader().fill(asked.request, target, &progress_, stop_));
  }

  // Of single images there is no source that was imported first.
  Reader &reader() {
    if (!reader_) reader_ = reader_here({}, {});
    return *reader_;
  }

  const worker::Channel &channel_;
  ProgressAway progress_;
  std::shared_ptr<Reader> reader_;
  std::stop_token stop_;  // of what is being done
};

// Questions that were taken in and not answered yet, each with what stops it.
class Queue {
 public:
  struct Question {
    worker::Message message;
    std::stop_source stop;
  };
  void add(worker::Message message) {
    const std::lock_guard lock(guard_);
    last_ = std::stop_source();
    waiting_.push_back({std::move(message), last_});
    changed_.notify_one();
  }
  Question next() {
    std::unique_lock lock(guard_);
    changed_.wait(lock, [this] { return !waiting_.empty(); });
    Question out = std::move(waiting_.front());
    waiting_.pop_front();
    return out;
  }
  // The question that was asked last, whether it waits or is being answered.
  void stop() {
    const std::lock_guard lock(guard_);
    last_.request_stop();
  }

 private:
  std::mutex guard_;
  std::condition_variable changed_;
  std::deque<Question> waiting_;
  std::stop_source last_;
};

// Connections to other hosts, which the program makes.
class Connections {
 public:
  explicit Connections(const worker::Channel &channel) : channel_(channel) {}

  std::optional<hosts::Streams> ask_for(const std::string &authority) {
    auto answer = ask(message(Say::connect, authority));
    if (!answer) return std::nullopt;
    worker::Message given = *std::move(answer);
    if (given.bytes.size() > 1) throw exact::read<Failure>(std::string_view(given.bytes).substr(1)).error();
    if (given.descriptors.size() != 2) return std::nullopt;
    return hosts::Streams{.from = std::move(given.descriptors[0]),
                          .to = std::move(given.descriptors[1]),
                          .zeros_of = [this](const std::filesystem::path &file) { return zeros_of(file); }};
  }
  void give(worker::Message given) {
    const std::lock_guard lock(guard_);
    given_ = std::move(given);
    changed_.notify_all();
  }

 private:
  file::Descriptor zeros_of(const std::filesystem::path &file) {
    auto given = ask(message(Say::zeros, file.string()));
    return given && given->descriptors.size() == 1 ? std::move(given->descriptors.front()) : file::Descriptor{};
  }
  // nullopt: nobody is there any more.
  std::optional<worker::Message> ask(const std::string &question) {
    const std::lock_guard one_at_a_time(asking_);
    std::unique_lock lock(guard_);
    given_.reset();
    if (!channel_.send(question)) return std::nullopt;
    changed_.wait(lock, [this] { return given_.has_value(); });
    return std::exchange(given_, std::nullopt);
  }

  const worker::Channel &channel_;
  std::mutex asking_;
  std::mutex guard_;
  std::condition_variable changed_;
  std::optional<worker::Message> given_;
};

}  // namespace

void serve_reader(worker::Channel &channel) {
  Connections connections(channel);
  hosts::speak_by([&connections](const std::string &authority) { return connections.ask_for(authority); });
  Server server(channel);
  Queue questions;
  try {
    std::thread([&] {
      for (;;) {
        Queue::Question question = questions.next();
        server.answer(std::move(question.message), question.stop.get_token());
      }
    }).detach();
  } catch (const std::system_error &error) {
    server.refuse_all(error);
    _exit(0);
  }
  // This thread listens meanwhile, so that it is told to stop, and ends at once when nobody is there any more.
  while (auto question = channel.receive()) {
    const char what = question->bytes.empty() ? '\0' : question->bytes.front();
    if (what == static_cast<char>(Ask::stop)) {
      questions.stop();
    } else if (what == static_cast<char>(Ask::connection)) {
      connections.give(*std::move(question));
    } else {
      questions.add(*std::move(question));
    }
  }
  _exit(0);
}

}  // namespace ferry::migration
