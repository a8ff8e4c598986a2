// SPDX-License-Identifier: Apache-2.0
#include "migration/run_record.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migration/host.hpp"
#include "migration/pull_place.hpp"

#include "support/error.hpp"
#include "support/folders.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxJournal = std::uint64_t{64} << 20U;  // bytes; a line for each of thousands of files

[[noreturn]] void distrust(const fs::path &file, const std::string &what, std::string advice) {
  throw Error(ErrorKind::unsafe, {.where = {.file = file}, .message = what, .advice = std::move(advice)});
}

std::int64_t birth_of(const fs::path &file) {
  struct statx found {};
  if (statx(AT_FDCWD, file.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BTIME, &found) != 0) return 0;
  if ((found.stx_mask & STATX_BTIME) == 0) return 0;
  return std::int64_t{found.stx_btime.tv_sec} * 1'000'000'000 + found.stx_btime.tv_nsec;
}

bool is_plain(const std::string &run) {
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz-";
  return !run.empty() && run.size() < 64 && run.find_first_not_of(kDigits) == std::string::npos;
}

// Whether somebody holds the lock that a Journal takes.
bool is_held(int descriptor) { return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK; }

file::Descriptor open_journal(const fs::path &file) {
  file::Descriptor journal(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!journal) {
    const std::string why = std::strerror(errno);
    throw Error(ErrorKind::io, {.where = {.file = file}, .message = "the journal cannot be read: " + why});
  }
  const file::Status status = file::status_of(journal.get(), file);
  const std::string problem = status.is_regular() ? file::problem_of_private(status) : "it is not a regular file";
  if (!problem.empty()) {
    distrust(file, "the journal cannot be trusted: " + problem,
             "Check what it says and who could write to it; if it is your own, make it private with chmod 600.");
  }
  return journal;
}

bool is_below(const fs::path &file, const fs::path &folder) {
  const fs::path plain = file.lexically_normal();
  const auto [end, ignored] = std::mismatch(folder.begin(), folder.end(), plain.begin(), plain.end());
  return end == folder.end() && plain == file && plain != folder;
}

// A run writes into its destination and, for variables and TPM state, below libvirt's folders: a journal that says
// otherwise was not written by one.
void check_places(const RunRecord &record, const fs::path &file) {
  const auto refuse = [&file](const fs::path &place) {
    distrust(file, "the journal names a place where no run makes files, so it is not followed: " + place.string(),
             "Find out what wrote it, and remove the journal if it is not yours.");
  };
  const fs::path staging = staging_folder(record.dest, record.run);
  // Libvirt's folders are asked for where it matters only: without a home folder there are none.
  const auto in_dest = [&](const fs::path &made) {
    return made.has_filename() && (made.parent_path() == record.dest || made.parent_path() == store_folder());
  };
  const auto in_tpm = [](const fs::path &made) { return is_below(made, tpm_folders()); };
  // Of a script's machine TPM state lies beside the script.
  const auto in_state = [&](const fs::path &made) {
    return is_below(made, record.dest) || in_tpm(made) || in_dest(made);
  };
  if (!record.staging.empty() && record.staging != staging) refuse(record.staging);
  for (const MadeFile &made : record.published)
    if (!in_dest(made.file)) refuse(made.file);
  for (const SetAside &aside : record.aside) {
    if (!in_state(aside.file)) refuse(aside.file);
    if (!is_below(aside.kept, staging)) refuse(aside.kept);
  }
  if (record.replaced && !is_below(record.replaced->saved, staging)) refuse(record.replaced->saved);
  if (record.pull) {
    for (const fs::path &disk : record.pull->disks)
      if (!in_dest(disk)) refuse(disk);
    if (!is_pull_socket(record.pull->socket)) refuse(record.pull->socket);
  }
  for (const MadeFile &made : record.state)
    if (!in_state(made.file)) refuse(made.file);
  if (record.state_folder && !in_state(record.state_folder->folder)) refuse(record.state_folder->folder);
}

RunRecord read_journal(const fs::path &file) {
  const file::Descriptor journal = open_journal(file);
  RunRecord record;
  record.run = file.stem().string();
  record.alive = is_held(journal.get());  // before it is read: a run that ends meanwhile has written how
  const auto bytes = file::read_range({.file = file}, kMaxJournal);
  const std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  std::uint64_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    // A crash may leave half a line at the end; what it would have said was not done yet.
    if (end == std::string_view::npos) break;
    if (!detail::apply_line(record, std::string(text.substr(begin, end - begin)), ++number)) break;
    begin = end + 1;
  }
  check_places(record, file);
  return record;
}

}  // namespace

MadeFile made_file(const fs::path &at, const fs::path &file, bool placed) {
  const auto status = file::status_of(at, file::Links::no_follow);
  if (!status) {
    const std::string why = std::strerror(errno);
    throw Error(ErrorKind::io, {.where = {.file = at}, .message = "a file that the run made no longer exists: " + why});
  }
  return {.file = file, .status = *status, .placed = placed, .born = birth_of(at)};
}

MadeState state_of(const MadeFile &made) {
  const auto now = file::status_of(made.file, file::Links::no_follow);
  if (!now) return MadeState::gone;
  const file::Status &then = made.status;
  if (now->inode != then.inode || !now->is_regular()) return MadeState::foreign;
  const std::int64_t born = birth_of(made.file);
  if (born != 0 && made.born != 0 && born != made.born) return MadeState::foreign;
  const bool same = now->size == then.size && now->modified == then.modified;
  return same && (!made.placed || now->changed == then.changed) ? MadeState::ours : MadeState::changed;
}

std::string_view state_text(const RunRecord &record) {
  if (record.alive) return "in progress";
  if (record.undone) return "undone";
  if (record.done) return record.reads_source() ? "reads its source" : "done";
  if (!record.kept) return "interrupted";
  return record.defined ? "not started" : "not defined";
}

namespace {
fs::path &chosen_state() {
  static fs::path chosen;
  return chosen;
}
}  // namespace

void keep_state_in(const fs::path &folder) { chosen_state() = folder; }
fs::path journal_folder() {
  return (chosen_state().empty() ? folders::state_home() / "virt-ferry" : chosen_state()) / "runs";
}
fs::path staging_folder(const fs::path &dest, const std::string &run) { return dest / (".virt-ferry-" + run); }

namespace detail {

fs::path journal_file(const std::string &run) { return journal_folder() / (run + ".jsonl"); }

void check_journal_folder() {
  const fs::path folder = journal_folder();
  const auto status = file::status_of(folder);
  if (!status) return;
  constexpr unsigned kOthersWrite = 022;
  if (status->owner == geteuid() && (status->mode & kOthersWrite) == 0) return;
  distrust(folder, "the folder of the journals cannot be trusted: " + file::problem_of_private(*status),
           "Check what is in it; if it is your own, make it private with chmod 700, or set XDG_STATE_HOME.");
}

}  // namespace detail

RunRecord read_run(const std::string &run) {
  detail::check_journal_folder();
  const fs::path file = is_plain(run) ? detail::journal_file(run) : fs::path();
  if (!file.empty() && fs::exists(fs::symlink_status(file))) return read_journal(file);
  std::string known;
  const auto runs = all_runs();
  for (auto record = runs.rbegin(); record != runs.rend() && known.size() < 200; ++record) {
    if (!record->undone) known += (known.empty() ? "" : ", ") + record->run + " (" + record->machine + ")";
  }
  throw Error(ErrorKind::missing, {.where = {.file = journal_folder()},
                                   .message = "there is no run \"" + text::printable(run) + "\"",
                                   .expected = known.empty() ? "" : "one of: " + known});
}

std::vector<RunRecord> all_runs() {
  detail::check_journal_folder();
  std::vector<RunRecord> out;
  std::error_code error;
  for (fs::directory_iterator at(journal_folder(), error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() != ".jsonl" || !is_plain(at->path().stem().string())) continue;
    try {
      RunRecord record = read_journal(at->path());
      if (!record.source.empty() || record.alive) out.push_back(std::move(record));  // else cut off before it began
    } catch (const Error &) {
      continue;
    }
  }
  std::sort(out.begin(), out.end(), [](const RunRecord &a, const RunRecord &b) { return a.run < b.run; });
  return out;
}

}  // namespace ferry::migration
