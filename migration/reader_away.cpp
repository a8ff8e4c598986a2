// SPDX-License-Identifier: Apache-2.0
// The program's side of a worker: asks, and believes nothing that it did not check.
#include <algorithm>
#include <mutex>
#include <utility>

#include "migration/findings.hpp"
#include "migration/reader.hpp"
#include "migration/reader_messages.hpp"
#include "migration/reader_rules.hpp"
#include "migration/reader_session.hpp"
#include "migration/running_process.hpp"

#include "support/text.hpp"

namespace ferry::migration {

namespace {

namespace fs = std::filesystem;

class ReaderAway final : public Reader {
 public:
  // `source` without a file: of single images.
  ReaderAway(FoundSource source, Options options, cage::Rules rules, fs::path shown)
      : source_(std::move(source)), options_(std::move(options)), rules_(std::move(rules)), shown_(std::move(shown)) {}

  // Whether a worker could be started.
  bool begin() {
    auto session = Session::start(rules_, shown_);
    if (session) idle_.push_back(std::move(session));
    return !idle_.empty();
  }

  std::vector<ReadMachine> import(Newer newer) override {
    newer_ = newer;
    auto out = exact::read_with_images<std::vector<ReadMachine>>(
        call({.what = Ask::import, .value = exact::written(question())}, Needs::nothing));
    for (std::size_t i = 0; i < out.size(); ++i) {
      const Source &said = out[i].imported.machine.source;
      // A box for VirtualBox is an OVF package, which only a look at all of it may tell.
      const bool package = source_.kind == SourceKind::vagrant && said.kind == SourceKind::ovf;
      if (said.file != source_.file || (said.kind != source_.kind && !package) || out[i].number != i)
        not_believed(said.file);
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

  firmware::TpmContents read_tpm(const fs::path &file, firmware::TpmKind kind) override {
    return exact::read<firmware::TpmContents>(
        call({.what = Ask::tpm, .value = exact::written(TpmQuestion{file, kind == firmware::TpmKind::old})}));
  }

  void verify_members(std::size_t machine, const std::vector<ovf::ManifestEntry> &entries,
                      const std::stop_token &stop) override {
    static_cast<void>(
        call({.what = Ask::verify_members, .value = exact::written(MembersQuestion{machine, entries}), .stop = stop}));
  }

  std::vector<file_users::VmwareLock> read_locks(const std::vector<fs::path> &locks) override {
    auto out =
        exact::read<std::vector<file_users::VmwareLock>>(call({.what = Ask::locks, .value = exact::written(locks)}));
    for (const file_users::VmwareLock &held : out) {
      const bool asked = std::any_of(locks.begin(), locks.end(), [&](const fs::path &lock) {
        return held.file == lock || held.file.parent_path() == lock;
      });
      if (!asked) not_believed(held.file);
    }
    return out;
  }

  // File systems are a larger target than images' headers. So a process of its own parses them, which may read the
  // disks' files and nothing else, and does nothing afterwards. In a package that is compressed as a whole a disk is
  // only found by who has read it.
  Observed look_inside(const std::vector<DiskToSee> &disks, const image::OpenOptions &open) override {
    if (disks.empty()) return {};
    bool packed = source_.kind == SourceKind::vagrant;
    for (const DiskToSee &disk : disks) {
      for (const ImageFile &image : disk.medium.chain) packed = packed || image.gzip_outer;
    }
    const Session::Call asked{.what = Ask::inside,
                              .value = exact::written_with_images(InsideQuestion{disks, values_of(open), !packed})};
    std::string answer;
    if (packed) {
      answer = call(asked);
    } else {
      const auto session = Session::start(rules_to_see(disks), shown_);
      if (!session) cannot_start();
      answer = session->ask(asked);
    }
    return observed(answer);
  }

  Observed look_inside(const std::vector<std::size_t> &numbers, std::vector<file::Descriptor> connections) override {
    std::vector<int> descriptors;
    for (const file::Descriptor &one : connections) descriptors.push_back(one.get());
    const auto session = Session::start(rules_for_nothing(), shown_);
    if (!session) cannot_start();
    return observed(
        session->ask({.what = Ask::served, .value = exact::written(numbers), .descriptors = std::move(descriptors)}));
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

  std::vector<std::uint8_t> zeros(const Medium &medium, const image::OpenOptions &open, std::uint32_t unit) override {
    return exact::read<std::vector<std::uint8_t>>(
        call({.what = Ask::zeros, .value = exact::written_with_images(ZerosQuestion{medium, values_of(open), unit})}));
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

  void serve(const std::vector<DiskToServe> &disks, const image::OpenOptions &open) override {
    const std::lock_guard lock(serving_guard_);
    served_ = exact::written_with_images(ServeQuestion{disks, values_of(open)});
    start_serving();
  }

  // Whatever an image did to the process that served it, the next client gets another one.
  void take_client(file::Descriptor connection) override {
    const std::lock_guard lock(serving_guard_);
    if (!serving_) start_serving();
    try {
      static_cast<void>(serving_->ask({.what = Ask::client, .value = {}, .descriptors = {connection.get()}}));
    } catch (const Error &) {
      if (serving_->is_usable()) throw;
      start_serving();
      static_cast<void>(serving_->ask({.what = Ask::client, .value = {}, .descriptors = {connection.get()}}));
    }
  }

  Serving serving() override {
    const std::lock_guard lock(serving_guard_);
    if (!serving_ || !serving_->is_usable()) return {};
    return exact::read<Serving>(serving_->ask({.what = Ask::serving, .value = {}}));
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
    } catch (const Error &) {
      give_back(std::move(session));
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
    auto out = Session::start(rules_, shown_);
    if (!out) cannot_start();
    if (needs == Needs::source && !source_.file.empty())
      static_cast<void>(out->ask({.what = Ask::import, .value = exact::written(question())}));
    return out;
  }

  // A process of its own, for as long as there are clients.
  void start_serving() {
    serving_.reset();
    auto session = Session::start(rules_, shown_);
    if (!session) cannot_start();
    if (!source_.file.empty())
      static_cast<void>(session->ask({.what = Ask::import, .value = exact::written(question())}));
    static_cast<void>(session->ask({.what = Ask::serve, .value = served_}));
    serving_ = std::move(session);
  }

  void give_back(std::unique_ptr<Session> session) {
    if (!session->is_usable()) return;
    const std::lock_guard lock(guard_);
    idle_.push_back(std::move(session));
  }

  [[noreturn]] void cannot_start() const {
    throw Error(ErrorKind::io, {.where = {.file = shown_},
                                .message = "a process to read this file in cannot be started",
                                .advice = "Raise the limits on processes and open files (ulimit -u, -n), or run fewer "
                                          "machines at a time."});
  }

  // The files that the disks are read from, where the source's own reader may read them, and what their folders list.
  [[nodiscard]] cage::Rules rules_to_see(const std::vector<DiskToSee> &disks) const {
    cage::Rules out = rules_for_nothing();
    out.list = rules_.list;
    out.list.insert(out.list.end(), rules_.read.begin(), rules_.read.end());
    for (const DiskToSee &disk : disks) {
      for (const fs::path &file : disk.files) {
        const auto holds = [&file](const fs::path &tree) { return reach::below(file, tree); };
        if (std::any_of(rules_.read.begin(), rules_.read.end(), holds)) out.read.push_back(file);
      }
    }
    return out;
  }

  [[nodiscard]] Observed observed(const std::string &answer) const {
    constexpr std::size_t kLongestAnswer = std::size_t{8} << 20U;  // bytes
    if (answer.size() > kLongestAnswer) not_believed(shown_);
    return exact::read<Observed>(answer);
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
  std::mutex serving_guard_;
  std::string served_;  // a ServeQuestion
  std::unique_ptr<Session> serving_;
};

}  // namespace

std::shared_ptr<Reader> reader_of(const FoundSource &source, const Options &options) {
  if (worker::available()) {
    Options told = options;
    if (process::is_source(source.file) && !told.base) told.base = process::folder_of(source.file);
    auto away = std::make_shared<ReaderAway>(source, told, rules_for(source, told), source.file);
    if (away->begin()) return away;
  }
  return reader_here(source, options, worker::why_none());
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
  return reader_here({}, {}, worker::why_none());
}

std::shared_ptr<Reader> reader_of_connections() {
  if (worker::available()) {
    auto away = std::make_shared<ReaderAway>(FoundSource{}, Options{}, rules_for_nothing(), fs::path());
    if (away->begin()) return away;
  }
  return reader_here({}, {}, worker::why_none());
}

std::string serving_text(const FoundSource &source, const Options &options, const std::vector<DiskToServe> &disks,
                         const image::OpenOptions &open) {
  return exact::written_with_images(ServedSource{source, options, ServeQuestion{disks, values_of(open)}});
}

std::shared_ptr<Reader> reader_of_served(const std::string &text) {
  const auto served = exact::read_with_images<ServedSource>(text);
  std::shared_ptr<Reader> reader = reader_of(served.source, served.options);
  if (!worker::available() || !reader->why_here().empty())
    static_cast<void>(reader->import(Newer::look));  // what an archive holds; a worker is told by itself
  reader->serve(served.disks.disks, options_of(served.disks.open));
  return reader;
}

std::optional<Finding> uncaged(const Reader &reader, const fs::path &shown) {
  const std::string why = reader.why_here();
  if (why.empty()) return std::nullopt;
  return raise(kReadUncaged, {.file = shown}, why);
}

std::optional<Finding> uncaged(const Registered &registered) {
  if (registered.why_here.empty()) return std::nullopt;
  return raise(kReadUncaged, {}, registered.why_here);
}

}  // namespace ferry::migration
