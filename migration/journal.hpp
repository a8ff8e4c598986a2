// SPDX-License-Identifier: Apache-2.0
// The journal of a run: what is done, written before it is done, so that a crash at any point leaves a run that can be
// finished or undone. Read back by run_record.hpp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "migration/run_record.hpp"

namespace ferry::migration {

class Journal {
 public:
  struct Begin {
    std::filesystem::path source;
    std::vector<SourceFile> files;
    std::string machine, uuid, connect;
    std::filesystem::path dest;
    std::string plan;
    std::vector<std::string> changes;  // of the guest's own settings in the copy, for people
  };
  // Creates the file of a new run (0600, in a folder of 0700) and holds it locked while the object lives.
  // Throws Error io, no_space, unsafe.
  explicit Journal(const Begin &begin);
  // Goes on with a run that was cut off or kept. Throws Error conflict when another process has it, missing, io.
  explicit Journal(const std::string &run);
  ~Journal();
  Journal(const Journal &) = delete;
  Journal &operator=(const Journal &) = delete;

  [[nodiscard]] const std::string &run() const { return record_.run; }
  // All that it says so far.
  [[nodiscard]] const RunRecord &record() const { return record_; }

  // Each is on the disk, whole, when the call returns; on a throw (io, no_space) it is not there.
  void staging(const std::filesystem::path &folder);
  void aside(const SetAside &what);
  void replace(const ReplacedDomain &domain);
  void publish(const MadeFile &file);
  void published(const std::vector<MadeFile> &files);  // all, in their places
  void state_folder(const StateFolder &folder);
  void state(const MadeFile &file);
  struct Domain {
    std::string name, uuid;
    std::vector<std::string> snapshots;
    std::vector<std::filesystem::path> disks;
  };
  void define(const Domain &domain);
  void defined();
  void pull(const PullRecord &what);
  void start();
  // How it ended; a run without any of these is one that crashed.
  void done();
  void kept();
  void undone();

 private:
  void open_new();
  void append(const std::string &line);
  RunRecord record_;
  std::uint64_t lines_ = 0;
  int fd_ = -1;
};

// By time, so that ids sort as the runs came, also within a second.
[[nodiscard]] std::string new_run_id();

// Notes that the run was undone. Throws Error io.
void mark_undone(const std::string &run);
// Notes that all that a run's machine read of its source is copied.
void mark_pulled(const std::string &run);
// Notes for the run that made it how a file stands that was moved away and back.
void mark_moved(const std::string &run, const MadeFile &file);

}  // namespace ferry::migration
