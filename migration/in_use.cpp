// SPDX-License-Identifier: Apache-2.0
#include "migration/in_use.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>

#include "migration/findings.hpp"
#include "migration/survey.hpp"

#include "support/file.hpp"
#include "support/file_users.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// The images of disks in the current state; snapshots' lie below them and are in use with them.
std::set<fs::path> images_of(const Machine &machine) {
  std::set<fs::path> out;
  for (const DriveRef &ref : drives_of(machine.hardware, "hardware")) {
    if (ref.drive->kind != DriveKind::disk || !ref.drive->medium) continue;
    for (const ImageFile &image : ref.drive->medium->chain) {
      for (const FileRange &piece : image.pieces) out.insert(piece.file);
    }
  }
  return out;
}

// Going through all processes takes some milliseconds: the machines of a batch share one look for a few seconds.
std::vector<file_users::Process> machine_processes() {
  using Clock = std::chrono::steady_clock;
  constexpr auto kFresh = std::chrono::seconds(3);
  static std::mutex mutex;
  static std::optional<Clock::time_point> looked;
  static std::vector<file_users::Process> processes;
  const std::lock_guard lock(mutex);
  if (!looked || Clock::now() - *looked > kFresh) {
    processes = file_users::machine_processes();
    looked = Clock::now();
  }
  return processes;
}

class Looker {
 public:
  Looker(const Machine &machine, const Options &options, const std::set<fs::path> &parts, Reader &reader)
      : machine_(machine), options_(options), parts_(parts), reader_(reader) {}

  std::vector<Finding> look() {
    const SourceKind kind = machine_.source.kind;
    if (kind == SourceKind::ovf || kind == SourceKind::vagrant) return {};  // a package is a copy
    std::set<fs::path> images = images_of(machine_);
    images.insert(parts_.begin(), parts_.end());
    for (const fs::path &image : images) {
      std::error_code error;
      if (!on_host::is_regular_file(image, error)) continue;
      if (const auto lock = file_users::lock_on(image)) used(image, *lock);
      add_lock(fs::path(image) += ".lck");
    }
    if (machine_.source.kind == SourceKind::vmx) look_at_folder();
    if (!locks_.empty()) look_at_locks();
    if (on_host::is_remote(machine_.source.file)) {
      findings_.push_back(raise(kRunsElsewhere, {.file = machine_.source.file},
                                "the machine is read from " + on_host::authority_of(machine_.source.file) +
                                    ": whether it runs there cannot be seen from here"));
      return std::move(findings_);
    }
    look_at_processes(images);
    return std::move(findings_);
  }

 private:
  void used(const fs::path &file, const std::string &by) {
    const std::string what = "the machine is in use: " + text::printable(file.string()) + " has " + by;
    if (!options_.allow_in_use) {
      throw Error(ErrorKind::unsafe, {.where = {.file = machine_.source.file},
                                      .message = "the machine is in use",
                                      .found = text::printable(file.string()) + " with " + by,
                                      .expected = "a machine that is switched off",
                                      .advice = "Shut it down, and close it in its own software; or use --allow-in-use "
                                                "if you know that nothing uses it."});
    }
    findings_.push_back(raise(kSourceInUse, {.file = file}, what));
  }

  void add_lock(const fs::path &lock) {
    std::error_code error;
    if (on_host::exists(lock, error) && std::find(locks_.begin(), locks_.end(), lock) == locks_.end())
      locks_.push_back(lock);
  }

  void look_at_locks() {
    for (const file_users::VmwareLock &held : reader_.read_locks(locks_)) {
      const std::string who = held.pid ? "VMware's lock of process " + std::to_string(*held.pid) : "VMware's lock";
      if (file_users::is_left_over(held)) {
        findings_.push_back(
            raise(kStaleLock, {.file = held.file}, who + " is left over: " + text::printable(held.file.string())));
      } else {
        used(held.file, who);
      }
    }
  }

  // Locks of the .vmx, of disks' parts and of the memory (.vmem), which a running machine has.
  void look_at_folder() {
    std::vector<fs::path> locks;
    std::error_code failed;
    for (const on_host::Entry &entry : on_host::list(machine_.source.file.parent_path(), failed)) {
      if (entry.path.extension() == ".lck") locks.push_back(entry.path);
    }
    std::sort(locks.begin(), locks.end());
    // Of several machines in one folder, only this one's.
    const std::string own = machine_.source.file.filename().string() + ".lck";
    const std::string memory = machine_.source.file.stem().string();
    for (const fs::path &lock : locks) {
      const std::string name = lock.filename().string();
      if (name == own || (name.starts_with(memory) && name.ends_with(".vmem.lck")) || name.starts_with("564d"))
        add_lock(lock);
    }
  }

  void look_at_processes(const std::set<fs::path> &images) {
    const std::vector<file_users::Process> processes = machine_processes();
    if (processes.empty()) return;
    for (const file_users::Process &process : processes) {
      const std::string who = "process " + std::to_string(process.pid) + " (" + text::printable(process.name) + ")";
      for (const fs::path &image : images) {
        const auto status = file::status_of(image);
        const bool writes =
            status && std::any_of(process.written.begin(), process.written.end(), [&](const auto &file) {
              return file.device == status->device && file.inode == status->inode;
            });
        if (writes) used(image, who + " that writes to it");
      }
      const bool named = (machine_.uuid && process.command.find(machine_.uuid->text()) != std::string::npos &&
                          process.name.starts_with("V")) ||
                         (process.name.starts_with("vmware") &&
                          process.command.find(machine_.source.file.string()) != std::string::npos);
      if (named) used(machine_.source.file, who + " that runs it");
    }
  }

  const Machine &machine_;
  const Options &options_;
  const std::set<fs::path> &parts_;
  Reader &reader_;
  std::vector<Finding> findings_;
  std::vector<fs::path> locks_;
};

}  // namespace

std::vector<Finding> refuse_in_use(const Machine &machine, const Options &options, Reader &reader,
                                   const std::set<fs::path> &parts) {
  return Looker(machine, options, parts, reader).look();
}

}  // namespace ferry::migration
