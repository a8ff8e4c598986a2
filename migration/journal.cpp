// SPDX-License-Identifier: Apache-2.0
#include "migration/journal.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <ratio>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migration/journal_lines.hpp"

#include "support/error.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path &file, const std::string &what) {
  throw Error(ErrorKind::io,
              {.where = {.file = file},
               .message = what + ": " + std::strerror(errno),
               .advice = "Set XDG_STATE_HOME to a folder that you can write to: 'virt-ferry undo' needs the journal."});
}

// Earlier versions made it with the umask's mode: what only others may read is closed, what they may write to refused.
void make_journal_folder() {
  const fs::path folder = journal_folder();
  file::make_private_folders(folder);
  detail::check_journal_folder();
  if (chmod(folder.c_str(), 0700) != 0) fail(folder, "the folder of the journals cannot be made private");
}

file::Descriptor open_for_append(const fs::path &file) {
  file::Descriptor journal(open(file.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  if (!journal) fail(file, "the journal cannot be written");
  // Half a line, as a crash leaves it, would swallow the next one.
  const std::uint64_t size = file::status_of(journal.get(), file).size;
  std::uint64_t whole = size;
  for (char last = 0; whole > 0; --whole) {
    if (pread(journal.get(), &last, 1, static_cast<off_t>(whole - 1)) != 1) fail(file, "the journal cannot be read");
    if (last == '\n') break;
  }
  if (whole != size && ftruncate(journal.get(), static_cast<off_t>(whole)) != 0)
    fail(file, "the journal cannot be written");
  return journal;
}

void append_to(const std::string &run, const std::string &line) {
  const fs::path path = detail::journal_file(run);
  const file::Descriptor journal = open_for_append(path);
  file::append_whole(journal.get(), line + '\n', path);
}

}  // namespace

// The tail is in 65,536th parts of a second.
std::string new_run_id() {
  namespace chrono = std::chrono;
  const auto now = chrono::system_clock::now();
  const auto second = chrono::floor<chrono::seconds>(now);
  const auto day = chrono::floor<chrono::days>(second);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss time{second - day};
  const auto part = chrono::floor<chrono::duration<unsigned, std::ratio<1, 65536>>>(now - second);
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%04d%02u%02u-%02d%02d%02d-%04x", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()), part.count());
  return out.data();
}

Journal::Journal(const Begin &begin) {
  make_journal_folder();
  open_new();
  append(lines::begin(begin));
}

void Journal::open_new() {
  for (int attempt = 0; fd_ < 0; ++attempt) {
    record_.run = new_run_id();
    const fs::path file = detail::journal_file(record_.run);
    fd_ = open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (fd_ < 0 && (errno != EEXIST || attempt > 100)) fail(file, "the journal cannot be created");
  }
  // Held until the process ends, however it ends; readers hold theirs for a moment only.
  (void)flock(fd_, LOCK_EX);
  file::sync_folder(journal_folder());
}

Journal::Journal(const std::string &run) {
  record_ = read_run(run);
  file::Descriptor journal = open_for_append(detail::journal_file(run));
  if (flock(journal.get(), LOCK_EX | LOCK_NB) != 0) {
    throw Error(ErrorKind::conflict, {.where = {.file = record_.source},
                                      .message = "another process is working on the run " + run,
                                      .advice = "Wait for it to finish, then try again."});
  }
  record_ = read_run(run);  // another process may have had it meanwhile
  record_.alive = true;
  record_.kept = false;
  fd_ = journal.release();
}

Journal::~Journal() {
  if (fd_ >= 0) close(fd_);
}

void Journal::append(const std::string &line) {
  file::append_whole(fd_, line + '\n', detail::journal_file(record_.run));
  (void)detail::apply_line(record_, line, ++lines_);
}

void Journal::staging(const fs::path &folder) { append(lines::staging(folder)); }
void Journal::aside(const SetAside &what) { append(lines::aside(what)); }
void Journal::replace(const ReplacedDomain &domain) { append(lines::replace(domain)); }
void Journal::publish(const MadeFile &file) { append(lines::made("publish", file)); }
void Journal::published(const std::vector<MadeFile> &files) { append(lines::published(files)); }
void Journal::state_folder(const StateFolder &folder) { append(lines::state_folder(folder)); }
void Journal::state(const MadeFile &file) { append(lines::made("state", file)); }
void Journal::define(const Domain &domain) { append(lines::define(domain)); }
void Journal::defined() { append(lines::event("defined")); }
void Journal::pull(const PullRecord &what) { append(lines::pull(what)); }
void Journal::start() { append(lines::event("start")); }
void Journal::done() { append(lines::event("done")); }
void Journal::kept() { append(lines::event("kept")); }
void Journal::undone() { append(lines::event("undone")); }

void mark_undone(const std::string &run) { append_to(run, lines::event("undone")); }
void mark_pulled(const std::string &run) { append_to(run, lines::event("pulled")); }
void mark_moved(const std::string &run, const MadeFile &file) { append_to(run, lines::made("moved", file)); }

}  // namespace ferry::migration
