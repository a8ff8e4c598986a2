// SPDX-License-Identifier: Apache-2.0
// The journal of a run: what was made, written before it is made, so that a crash at any point leaves a run that
// can be undone. One JSON object a line in $XDG_STATE_HOME/virt-ferry/runs/RUN.jsonl.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ferry::migration {

// A file that a run moved into its place. The inode tells it from a file that somebody put there later, the
// modification time whether it was written to since.
struct PublishedFile {
  std::filesystem::path file;
  std::uint64_t inode = 0;
  std::int64_t time = 0;  // nanoseconds; 0 when the journal does not say
  bool replaced = false;  // it had a predecessor, which is gone
};

// What stands in a journal, read back.
struct RunRecord {
  std::string run;
  std::filesystem::path source;
  std::uint64_t source_size = 0;  // bytes of the source's own file, to know it again
  std::int64_t source_time = 0;   // its modification time in nanoseconds
  std::string machine, connect;
  std::filesystem::path dest;
  std::filesystem::path staging;             // gone when the run went well
  std::vector<PublishedFile> published;      // in order
  std::vector<std::filesystem::path> state;  // firmware and TPM state outside dest
  std::string domain;                        // defined by the run; empty: none
  std::string domain_uuid;
  bool started = false;
  bool done = false;    // all went well
  bool kept = false;    // the files are there, but libvirt did not take or start the machine
  bool undone = false;  // nothing of it is left: undone by the user, or by itself when it failed
  bool alive = false;   // the process that runs it holds the journal

  // Neither ended nor going on: a crash, a power failure or SIGKILL.
  [[nodiscard]] bool crashed() const { return !done && !kept && !undone && !alive; }
};

class Journal {
 public:
  // Creates the file of a new run and holds it locked while the object lives. Throws Error io.
  Journal(const std::filesystem::path &source, const std::string &machine, const std::string &connect,
          const std::filesystem::path &dest);
  ~Journal();
  Journal(const Journal &) = delete;
  Journal &operator=(const Journal &) = delete;

  [[nodiscard]] const std::string &run() const { return run_; }
  // Each is on the disk when the call returns.
  void staging(const std::filesystem::path &folder);
  void publish(const PublishedFile &file);
  void state(const std::filesystem::path &file);
  void define(const std::string &domain, const std::string &uuid);
  void start();
  // How it ended; a run without any of these is one that crashed.
  void done();
  void kept();
  void undone();  // best effort: the error that led here matters more

 private:
  void append(const std::string &line);
  std::string run_;
  int fd_ = -1;
};

[[nodiscard]] std::filesystem::path journal_folder();
// Throws Error missing (with the runs that there are) or malformed.
[[nodiscard]] RunRecord read_run(const std::string &run);
// All runs, oldest first; journals that cannot be read are left out.
[[nodiscard]] std::vector<RunRecord> all_runs();
// Notes that the run was undone. Throws Error io.
void mark_undone(const std::string &run);

}  // namespace ferry::migration
