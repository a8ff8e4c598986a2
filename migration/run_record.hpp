// SPDX-License-Identifier: Apache-2.0
// What stands in a run's journal, read back: what was made, what was set aside for it, how far it came.
// A journal is one JSON object a line in $XDG_STATE_HOME/virt-ferry/runs/RUN.jsonl; see journal.hpp.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "migration/source_files.hpp"

#include "support/file.hpp"

namespace ferry::migration {

// A file that a run made and moved into its place. Device numbers change when the host starts again and are not kept.
struct MadeFile {
  std::filesystem::path file;
  file::Status status;  // inode, size, mtime; in its place also ctime
  bool placed = false;  // `status` was read in its place, after everything was there: its ctime counts
  // Nanoseconds since 1970; 0 where the file system does not tell. File systems give inodes of removed files away soon.
  std::int64_t born = 0;
};
// What is at `at` now, as the file that is to be known as `file`. Throws Error io when there is nothing.
[[nodiscard]] MadeFile made_file(const std::filesystem::path &at, const std::filesystem::path &file, bool placed);

enum class MadeState {
  gone,     // nothing is there
  ours,     // as the run left it
  changed,  // the run's file, written to or touched since
  foreign,  // somebody put another file there
};
[[nodiscard]] MadeState state_of(const MadeFile &made);

// What stood in a place that the run takes (--overwrite): moved away until the run is done.
struct SetAside {
  std::filesystem::path file, kept;
  std::uint64_t inode = 0;
  std::int64_t changed = 0;  // its ctime before, which moving it changes
};

// A domain whose definition the run takes away (--overwrite). `saved` is the folder that holds it.
struct ReplacedDomain {
  std::string name, uuid;
  std::filesystem::path saved;
};

// The folder of a machine's TPM below the user's configuration.
struct StateFolder {
  std::filesystem::path folder;
  bool made = false;  // by the run
};

// What is copied behind a machine that reads its source meanwhile (--start-now). keeper.hpp has the process that does
// it.
struct PullRecord {
  std::vector<std::filesystem::path> disks;  // images that lack bytes of the source
  std::filesystem::path socket;              // where the keeper is found, in a folder of its own
  std::uint64_t limit = 0;                   // MiB a second; 0: none
  std::string served;                        // for reader_of_served(); empty: QEMU reads all by itself
};

struct RunRecord {
  std::string run;
  std::filesystem::path source;
  std::vector<SourceFile> files;  // all that the source consists of, as it was at the beginning
  std::string machine, connect;
  std::filesystem::path dest;
  std::string plan;               // digest of what is made; runs with the same one make the same
  std::filesystem::path staging;  // gone when the run went well
  std::vector<SetAside> aside;
  std::optional<ReplacedDomain> replaced;
  std::vector<MadeFile> published;  // in order
  bool all_published = false;       // and flushed to the disk
  std::optional<StateFolder> state_folder;
  std::vector<MadeFile> state;               // TPM state, outside of dest
  std::string domain_uuid;                   // of the machine that is made, defined or not
  std::string domain;                        // that the run defines; empty: none
  std::vector<std::string> snapshots;        // that the run gives it
  std::vector<std::filesystem::path> disks;  // that the run gives it
  bool defined = false;                      // whole: with its snapshots
  bool started = false;
  std::optional<PullRecord> pull;
  bool pulled = false;  // the copy is whole
  bool done = false;    // all went well
  bool kept = false;    // the files are there, but libvirt did not take or start the machine
  bool undone = false;  // nothing of it is left: undone by the user, or by itself when it failed
  bool alive = false;   // the process that runs it holds the journal

  // Its machine needs the source still.
  [[nodiscard]] bool reads_source() const { return pull && !pulled && !undone; }
  // Neither ended nor going on: a crash, a power failure or SIGKILL.
  [[nodiscard]] bool crashed() const { return !done && !kept && !undone && !alive; }
};

// "done", "reads its source", "undone", "in progress", "interrupted"; for one that ended without libvirt "not defined",
// or "not started".
[[nodiscard]] std::string_view state_text(const RunRecord &record);

[[nodiscard]] std::filesystem::path journal_folder();
// From now on the journals, and reports beside them, are below this folder, which is on a disk that several hosts
// share, say. Called before any thread is started.
void keep_state_in(const std::filesystem::path &folder);
// Where a run makes what it publishes, and keeps what it replaces: the only folder that is ever removed with all in it.
[[nodiscard]] std::filesystem::path staging_folder(const std::filesystem::path &dest, const std::string &run);

// Throws Error missing (with the runs that there are), unsafe (the journal or its folder is not this user's alone, or
// it names places that no run writes to), malformed or io.
[[nodiscard]] RunRecord read_run(const std::string &run);
// All runs, oldest first; journals that cannot be read, or are not to be trusted, are left out.
[[nodiscard]] std::vector<RunRecord> all_runs();

namespace detail {
[[nodiscard]] std::filesystem::path journal_file(const std::string &run);
// Takes one line of a journal into the record. False when it is no whole line, as a crash leaves it. Throws Error
// malformed for one that lacks what its event must say.
bool apply_line(RunRecord &record, const std::string &line, std::uint64_t number);
// The folder of all journals when it is there and this user's alone. Throws Error unsafe when others may write to it.
void check_journal_folder();
}  // namespace detail

}  // namespace ferry::migration
