// SPDX-License-Identifier: Apache-2.0
#include "migration/journal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sys/file.h>
#include <unistd.h>

#include "support/error.hpp"
#include "support/file.hpp"
#include "support/folders.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string new_run_id() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y%m%d-%H%M%S", &utc);
  std::array<char, 16> tail{};
  std::snprintf(tail.data(), tail.size(), "-%04x", std::random_device{}() & 0xFFFFU);
  return std::string(stamp.data()) + tail.data();
}

[[noreturn]] void fail(const fs::path &file, const std::string &what) {
  throw Error(ErrorKind::io,
              {.where = {file, {}, {}},
               .message = what + ": " + std::strerror(errno),
               .advice = "The journal makes a run undoable; set XDG_STATE_HOME to a folder that can be written."});
}

std::string one_line(const Json &json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

fs::path journal_file(const std::string &run) { return journal_folder() / (run + ".jsonl"); }

void apply(RunRecord &record, const Json &line) {
  const std::string event = line.at("event");
  const auto text = [&line](const char *key) { return line.value(key, std::string()); };
  if (event == "begin") {
    record.source = text("source");
    record.source_size = line.value("source_size", std::uint64_t{0});
    record.source_time = line.value("source_time", std::int64_t{0});
    record.machine = text("machine");
    record.connect = text("connect");
    record.dest = text("dest");
  } else if (event == "staging") {
    record.staging = text("folder");
  } else if (event == "publish") {
    record.published.push_back({text("file"), line.value("inode", std::uint64_t{0}),
                                line.value("time", std::int64_t{0}), line.value("replaced", false)});
  } else if (event == "state") {
    record.state.emplace_back(text("file"));
  } else if (event == "define") {
    record.domain = text("domain");
    record.domain_uuid = text("uuid");
  } else if (event == "start") {
    record.started = true;
  } else if (event == "done") {
    record.done = true;
  } else if (event == "kept") {
    record.kept = true;
  } else if (event == "undone") {
    record.undone = true;
  }
}

// Whether somebody holds the lock that a Journal takes.
bool is_held(const fs::path &file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(fd);
  return held;
}

RunRecord read_journal(const fs::path &file) {
  std::ifstream in(file);
  if (!in) fail(file, "the journal cannot be read");
  RunRecord record;
  record.run = file.stem().string();
  record.alive = is_held(file);  // before it is read: a run that ends meanwhile has written how
  std::uint64_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const Json json = Json::parse(line, nullptr, false);
    // A crash may leave half a line at the end; what it would have said was not done yet.
    if (json.is_discarded()) break;
    try {
      apply(record, json);
    } catch (const Json::exception &error) {
      throw Error(ErrorKind::malformed,
                  {.where = {file, number, {}}, .message = std::string("the journal is damaged: ") + error.what()});
    }
  }
  return record;
}

}  // namespace

fs::path journal_folder() { return folders::state_home() / "virt-ferry/runs"; }

Journal::Journal(const fs::path &source, const std::string &machine, const std::string &connect, const fs::path &dest) {
  std::error_code error;
  fs::create_directories(journal_folder(), error);
  for (int attempt = 0; fd_ < 0; ++attempt) {
    run_ = new_run_id();
    fd_ = open(journal_file(run_).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (fd_ < 0 && (errno != EEXIST || attempt > 100)) fail(journal_file(run_), "the journal cannot be created");
  }
  // Held until the process ends, however it ends; readers hold theirs for a moment only.
  (void)flock(fd_, LOCK_EX);
  Json line{{"event", "begin"}, {"source", source.string()}};
  if (const auto status = file::status_of(source)) {
    line["source_size"] = status->size;
    line["source_time"] = status->modified;
  }
  line["machine"] = machine;
  line["connect"] = connect;
  line["dest"] = dest.string();
  append(one_line(line));
}

Journal::~Journal() {
  if (fd_ >= 0) close(fd_);
}

void Journal::append(const std::string &text) {
  file::write_all(fd_, text + '\n', journal_file(run_));
  file::sync(fd_, journal_file(run_));
}

void Journal::staging(const fs::path &folder) { append(one_line({{"event", "staging"}, {"folder", folder.string()}})); }
void Journal::publish(const PublishedFile &file) {
  append(one_line({{"event", "publish"},
                   {"file", file.file.string()},
                   {"inode", file.inode},
                   {"time", file.time},
                   {"replaced", file.replaced}}));
}
void Journal::state(const fs::path &file) { append(one_line({{"event", "state"}, {"file", file.string()}})); }
void Journal::define(const std::string &domain, const std::string &uuid) {
  append(one_line({{"event", "define"}, {"domain", domain}, {"uuid", uuid}}));
}
void Journal::start() { append(one_line({{"event", "start"}})); }
void Journal::done() { append(one_line({{"event", "done"}})); }
void Journal::kept() { append(one_line({{"event", "kept"}})); }
void Journal::undone() {
  try {
    append(one_line({{"event", "undone"}}));
  } catch (const Error &) {
    return;
  }
}

RunRecord read_run(const std::string &run) {
  const bool plain = run.find('/') == std::string::npos && !run.empty();
  if (plain && fs::exists(journal_file(run))) return read_journal(journal_file(run));
  std::string known;
  const auto runs = all_runs();
  for (auto record = runs.rbegin(); record != runs.rend() && known.size() < 200; ++record) {
    if (!record->undone) known += (known.empty() ? "" : ", ") + record->run + " (" + record->machine + ")";
  }
  throw Error(ErrorKind::missing, {.where = {journal_folder(), {}, {}},
                                   .message = "there is no run \"" + text::printable(run) + "\"",
                                   .expected = known.empty() ? "" : "one of: " + known});
}

std::vector<RunRecord> all_runs() {
  std::vector<RunRecord> out;
  std::error_code error;
  for (const auto &entry : fs::directory_iterator(journal_folder(), error)) {
    if (entry.path().extension() != ".jsonl") continue;
    try {
      out.push_back(read_journal(entry.path()));
    } catch (const Error &) {
      continue;
    }
  }
  std::sort(out.begin(), out.end(), [](const RunRecord &a, const RunRecord &b) { return a.run < b.run; });
  return out;
}

void mark_undone(const std::string &run) {
  const fs::path path = journal_file(run);
  const file::Descriptor journal(open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!journal) fail(path, "the journal cannot be written");
  file::write_all(journal.get(), one_line({{"event", "undone"}}) + '\n', path);
  file::sync(journal.get(), path);
}

}  // namespace ferry::migration
