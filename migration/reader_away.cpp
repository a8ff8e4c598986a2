// SPDX-License-Identifier: Apache-2.0
// The program's side of a worker: asks, waits, shows its progress, and believes nothing that it did not check.
#include <charconv>
#include <mutex>
#include <new>
#include <stdexcept>
#include <utility>

#include "migration/reader.hpp"
#include "migration/reader_messages.hpp"
#include "migration/reader_rules.hpp"

#include "support/text.hpp"
#include "support/worker.hpp"

namespace ferry::migration {

namespace {

namespace fs = std::filesystem;

// One worker and what is said with it. `file` is what its end is an error of.
class Session {
 public:
  Session(std::unique_ptr<worker::Worker> worker, fs::path file) : worker_(std::move(worker)), file_(std::move(file)) {}

  struct Call {
    Ask what{};
    std::string value;
    std::vector<int> descriptors = {};
    Progress *progress = nullptr;
    std::stop_token stop = {};
  };
  // The answer's value. Throws what the worker threw; internal when it ended, which leaves the session useless.
  std::string ask(const Call &call) {
    if (!worker_->channel().send(std::string(1, static_cast<char>(call.what)) + call.value, call.descriptors)) ended();
    const std::stop_callback stopped(call.stop, [this] {
      static_cast<void>(worker_->channel().send(std::string(1, static_cast<char>(Ask::stop))));
    });
    for (;;) {
      const auto said = worker_->channel().receive();
      if (!said || said->bytes.empty()) ended();
      const std::string_view value = std::string_view(said->bytes).substr(1);
      switch (static_cast<Say>(said->bytes.front())) {
        case Say::answer: return std::string(value);
        case Say::failure: throw exact::read<Failure>(value).error();
        case Say::refused:
          throw Error(ErrorKind::io, {.where = {.file = file_}, .message = exact::read<std::string>(value)});
        case Say::defect: throw std::runtime_error(exact::read<std::string>(value));
        case Say::no_memory: throw std::bad_alloc();
        case Say::begin:
          if (call.progress != nullptr) begin(exact::read<StepBegins>(value), *call.progress);
          break;
        case Say::advance:
          if (call.progress != nullptr) call.progress->advance(number(value));
          break;
        case Say::end:
          if (call.progress != nullptr) call.progress->end();
          break;
        default: ended();
      }
    }
  }

 private:
  static void begin(const StepBegins &step, Progress &progress) { progress.begin(step.step, step.total); }

  static std::uint64_t number(std::string_view digits) {
    std::uint64_t out = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return out;
  }

  [[noreturn]] void ended() const {
    throw Error(ErrorKind::internal,
                {.where = {.file = file_},
                 .message = "the process that read this file ended without an answer",
                 .found = worker_->how_it_ended(),
                 .advice = "This is a bug in virt-ferry, or the file was made to do this: please report it with the "
                           "source's settings file. Nothing of the source was changed."});
  }

  std::unique_ptr<worker::Worker> worker_;
  fs::path file_;
};

// nullptr where there are no workers.
std::unique_ptr<Session> start(const cage::Rules &rules, const fs::path &file) {
  auto worker = worker::Worker::start(rules);
  return worker ? std::make_unique<Session>(std::move(worker), file) : nullptr;
}

class ReaderAway final : public Reader {
 public:
  // `source` without a file: of single images.
  ReaderAway(FoundSource source, Options options, cage::Rules rules, fs::path shown)
      : source_(std::move(source)), options_(std::move(options)), rules_(std::move(rules)), shown_(std::move(shown)) {}

  // Whether a worker could be started.
  bool begin() {
    auto session = start(rules_, shown_);
    if (session) idle_.push_back(std::move(session));
    return !idle_.empty();
  }

  std::vector<ReadMachine> import(Newer newer) override {
    newer_ = newer;
    auto out = exact::read_with_images<std::vector<ReadMachine>>(
        call({.what = Ask::import, .value = exact::written(question())}, Needs::nothing));
    for (std::size_t i = 0; i < out.size(); ++i) {
      const Source &said = out[i].imported.machine.source;
      if (said.file != source_.file || said.kind != source_.kind || out[i].number != i) not_believed(said.file);
    }
    return out;
  }

  std::vector<MediumLook> look(const std::vector<Medium> &media, const image::OpenOptions &open,
                               disk::Engine engine) override {
    if (media.empty()) return {};
    auto out = exact::read<std::vector<MediumLook>>(call(
        {.what = Ask::look, .value = exact::written_with_images(LookQuestion{media, values_of(open), engine, false})}));
    if (out.size() != media.size()) not_believed(shown_);
    for (const MediumLook &one : out) {
      if (one.info.has_value() == one.failure.has_value()) not_believed(shown_);
    }
    return out;
  }

  firmware::NvramContents read_nvram(const firmware::NvramSource &source) override {
    return exact::read<firmware::NvramContents>(call({.what = Ask::nvram, .value = exact::written(source)}));
  }

  void verify_members(std::size_t machine, const std::vector<ovf::ManifestEntry> &entries,
                      const std::stop_token &stop) override {
    static_cast<void>(
        call({.what = Ask::verify_members, .value = exact::written(MembersQuestion{machine, entries}), .stop = stop}));
  }

  disk::DiskInfo inspect(const Medium &medium, const image::OpenOptions &open, disk::Engine engine) override {
    MediumLook found = look({medium}, open, engine).front();
    if (found.failure) throw found.failure->error();
    return *std::move(found.info);
  }

  disk::Engine engine_for(const Medium &medium, const image::OpenOptions &open, disk::Engine wanted) override {
    if (wanted != disk::Engine::automatic) return wanted;
    return exact::read<EngineAnswer>(
               call({.what = Ask::engine,
                     .value = exact::written_with_images(LookQuestion{{medium}, values_of(open), wanted, false})}))
        .engine;
  }

  disk::QemuSource for_qemu(const Medium &medium, const image::OpenOptions &open, bool with_force_size) override {
    const OpenValues values = values_of(open);
    auto out = exact::read<disk::QemuSource>(
        call({.what = Ask::for_qemu,
              .value = exact::written_with_images(LookQuestion{{medium}, values, {}, with_force_size})}));
    check(out, medium, open);
    return out;
  }

  disk::ConvertResult fill(const disk::ConvertRequest &request, copy::TargetFile &target, Progress *progress,
                           const std::stop_token &stop) override {
    return exact::read<disk::ConvertResult>(
        call({.what = Ask::fill,
              .value = exact::written_with_images(FillQuestion{request, values_of(request.open)}),
              .descriptors = {target.fd()},
              .progress = progress,
              .stop = stop}));
  }

  std::string compare(const disk::Comparison &comparison, std::vector<file::Descriptor> connections, Progress *progress,
                      const std::stop_token &stop) override {
    std::vector<int> descriptors;
    for (const file::Descriptor &one : connections) descriptors.push_back(one.get());
    return exact::read<std::string>(
        call({.what = Ask::compare,
              .value = exact::written_with_images(CompareQuestion{comparison, values_of(comparison.open)}),
              .descriptors = std::move(descriptors),
              .progress = progress,
              .stop = stop}));
  }

  void rest() override {
    const std::lock_guard lock(guard_);
    idle_.clear();
  }

 private:
  enum class Needs { nothing, source };  // what a fresh worker has to know first

  [[nodiscard]] ImportQuestion question() const {
    return {source_, options_, registered_folders(), newer_ == Newer::look};
  }

  // By a worker that is free; one that has failed us is not used again.
  std::string call(const Session::Call &what, Needs needs = Needs::source) {
    std::unique_ptr<Session> session = free_one(needs);
    std::string out;
    try {
      out = session->ask(what);
    } catch (const Error &error) {
      if (error.kind() != ErrorKind::internal) give_back(std::move(session));
      throw;
    }
    give_back(std::move(session));
    return out;
  }

  std::unique_ptr<Session> free_one(Needs needs) {
    {
      const std::lock_guard lock(guard_);
      if (!idle_.empty()) {
        auto out = std::move(idle_.back());
        idle_.pop_back();
        return out;
      }
    }
    auto out = start(rules_, shown_);
    if (!out) {
      throw Error(ErrorKind::io,
                  {.where = {.file = shown_},
                   .message = "a process to read this file in cannot be started",
                   .advice = "Raise the limits on processes and open files (ulimit -u, -n), or run fewer "
                             "machines at a time."});
    }
    if (needs == Needs::source && !source_.file.empty())
      static_cast<void>(out->ask({.what = Ask::import, .value = exact::written(question())}));
    return out;
  }

  void give_back(std::unique_ptr<Session> session) {
    const std::lock_guard lock(guard_);
    idle_.push_back(std::move(session));
  }

  [[noreturn]] void not_believed(const fs::path &what) const {
    throw Error(ErrorKind::internal, {.where = {.file = shown_},
                                      .message = "the process that read this file gave an answer that cannot be right",
                                      .found = text::printable(what.string())});
  }

  // QEMU opens what stands in it: the image that was asked about, and extents that belong to it.
  void check(const disk::QemuSource &out, const Medium &medium, const image::OpenOptions &open) const {
    const ImageFile &image = medium.chain.back();
    if (image.pieces.size() != 1 || out.source.range != image.pieces.front()) not_believed(out.source.range.file);
    std::vector<fs::path> folders = open.allowed_folders;
    folders.push_back(image.pieces.front().file.parent_path());
    for (const fs::path &extent : out.source.extents) {
      bool inside = extent == image.pieces.front().file;
      for (const fs::path &folder : folders) inside = inside || reach::below(extent, folder);
      if (!inside && reach::judge(extent, open.limits).refused()) not_believed(extent);
    }
  }

  FoundSource source_;
  Options options_;
  cage::Rules rules_;
  fs::path shown_;
  Newer newer_ = Newer::look;
  std::mutex guard_;
  std::vector<std::unique_ptr<Session>> idle_;
};

// One question about a path to a worker that may read there; nullopt where there are no workers.
std::optional<std::string> ask_about(const fs::path &path, Ask what) {
  if (!worker::available()) return std::nullopt;
  const auto session = start(rules_for(path), path);
  if (!session) return std::nullopt;
  return session->ask({.what = what, .value = exact::written(path.string())});
}

}  // namespace

std::shared_ptr<Reader> reader_of(const FoundSource &source, const Options &options) {
  // A QEMU command says what a process of this host has open, wherever that is: /proc, and disks of any folder.
  if (worker::available() && source.kind != SourceKind::qemu) {
    auto away = std::make_shared<ReaderAway>(source, options, rules_for(source, options), source.file);
    if (away->begin()) return away;
  }
  return reader_here(source, options);
}

std::shared_ptr<Reader> reader_of_images(const fs::path &image, const image::OpenOptions &open) {
  if (worker::available()) {
    reach::Limits limits = open.limits;
    limits.allowed.insert(limits.allowed.end(), open.allowed_folders.begin(), open.allowed_folders.end());
    cage::Rules rules = rules_for(limits);
    rules.read.push_back(image);
    auto away = std::make_shared<ReaderAway>(FoundSource{}, Options{}, std::move(rules), image);
    if (away->begin()) return away;
  }
  return reader_here({}, {});
}

FoundSource find_source_in_worker(const fs::path &path) {
  const auto answer = ask_about(path, Ask::find);
  if (!answer) return find_source_at(path);
  auto out = exact::read<FoundSource>(*answer);
  const fs::path asked = fs::absolute(path).lexically_normal();
  if (out.file != asked && !reach::below(out.file, asked))
    throw Error(ErrorKind::internal, {.where = {.file = path}, .message = "a source was found that does not lie here"});
  return out;
}

FoundBelow find_below_in_worker(const fs::path &folder) {
  const auto answer = ask_about(folder, Ask::below);
  if (!answer) return find_below(folder);
  auto said = exact::read<BelowAnswer>(*answer);
  FoundBelow out;
  for (const FoundSource &source : said.sources) {
    if (!reach::below(source.file.parent_path(), folder))
      throw Error(ErrorKind::internal,
                  {.where = {.file = folder}, .message = "a source was found that does not lie here"});
  }
  out.sources = std::move(said.sources);
  for (const Failure &failure : said.unreadable) out.unreadable.push_back(failure.error());
  return out;
}

}  // namespace ferry::migration
