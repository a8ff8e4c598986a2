// SPDX-License-Identifier: Apache-2.0
#include "migration/keeper.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <fcntl.h>
#include <mutex>
#include <optional>
#include <sys/file.h>
#include <unistd.h>

#include "converters/qemu_img.hpp"
#include "migration/disk_door.hpp"
#include "migration/host.hpp"
#include "migration/journal.hpp"
#include "migration/pull_calls.hpp"
#include "migration/pull_place.hpp"
#include "migration/reader.hpp"
#include "migration/take_back.hpp"

#include "support/error.hpp"
#include "support/file.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr seconds kLook{1};          // between two looks at the machine
constexpr seconds kMostBetween{60};  // between two tries of a pull that fails
constexpr seconds kWaitForEarlier{
    15};  // for the keeper of an earlier run in the same place, which sees that it is over

// Waits, but not when it is to stop.
void wait(seconds time, const std::stop_token &stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
}

// The run whose keeper has taken the lock last; "" where there is none.
std::string keeper_at(const fs::path &lock) { return file::status_of(lock) ? file::read_start(lock, 64) : ""; }

// Held by the one process that is the keeper in this place; its text is the run.
class KeeperLock {
 public:
  // False when there is a keeper already.
  bool take(const fs::path &file, const std::string &run, const std::stop_token &stop) {
    const auto until = std::chrono::steady_clock::now() + kWaitForEarlier;
    while (!try_take(file, run)) {
      if (keeper_at(file) == run || stop.stop_requested() || std::chrono::steady_clock::now() > until) return false;
      wait(kLook, stop);
    }
    return true;
  }
  // Still ours: the folder was not removed and made again meanwhile.
  [[nodiscard]] bool is_ours(const fs::path &file) const {
    const auto there = file::status_of(file, file::Links::no_follow);
    return there && held_ && there->same_file(file::status_of(held_.get(), file));
  }

 private:
  bool try_take(const fs::path &file, const std::string &run) {
    file::Descriptor lock(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) throw Error(ErrorKind::io, {.where = {.file = file}, .message = "the keeper's lock cannot be made"});
    if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return false;
    held_ = std::move(lock);
    if (!is_ours(file)) return false;  // removed between the two calls
    if (ftruncate(held_.get(), 0) != 0) return false;
    file::write_all(held_.get(), run, file);
    return true;
  }

  file::Descriptor held_;
};

class Keeper {
 public:
  Keeper(std::string run, const std::function<void(const std::string &)> &say, std::stop_token stop)
      : run_(std::move(run)), say_(say), stop_(std::move(stop)) {}

  void keep() {
    const RunRecord begun = read_run(run_);
    if (!begun.pull) {
      throw Error(ErrorKind::usage, {.message = "the run " + run_ + " has nothing that is copied behind its machine"});
    }
    if (!begun.reads_source()) return;
    const fs::path socket = begun.pull->socket;
    file::make_private_folders(socket.parent_path());
    KeeperLock lock;
    if (!lock.take(keeper_lock(socket), run_, stop_)) return;
    {
      std::shared_ptr<Reader> reader;
      if (!begun.pull->served.empty()) reader = reader_of_served(begun.pull->served);
      DiskDoor door(socket, reader);
      while (!stop_.stop_requested() && goes_on()) {
        tell(door.problem());
        wait(kLook, stop_);
      }
    }
    if (!stop_.stop_requested() && lock.is_ours(keeper_lock(socket))) remove_pull_folder(socket);
  }

 private:
  void tell(const std::string &what) {
    if (!what.empty() && what != told_) say_(what);
    if (!what.empty()) told_ = what;
  }

  // False when there is nothing left to do.
  bool goes_on() {
    const RunRecord record = read_run(run_);
    if (!record.reads_source()) return false;
    try {
      return look_at(record);
    } catch (const Error &error) {  // libvirt does not answer: the machine may run all the same, and read
      tell(error.what());
      machines_.reset();
      calls_.reset();
      return true;
    }
  }

  bool look_at(const RunRecord &record) {
    if (!machines_) machines_ = machines_at(record.connect);
    if (!calls_) calls_ = pull_calls_at(record.connect);
    const auto own = machine_of_run(record, *machines_);
    if (!own) return record.alive;  // it is being made, or was removed
    // What finished while nobody looked, or was copied while the machine was off.
    if (!own->running && (was_running_ || !looked_)) finish_if_whole(record, own->name);
    looked_ = true;
    was_running_ = own->running;
    if (own->running) pull(record, own->name);
    return !done_;
  }

  [[nodiscard]] static bool is_ours(const RunRecord &record, const target::BackedDisk &disk) {
    return std::find(record.pull->disks.begin(), record.pull->disks.end(), fs::path(disk.file)) !=
           record.pull->disks.end();
  }

  void pull(const RunRecord &record, const std::string &machine) {
    std::vector<target::BackedDisk> left;
    for (const target::BackedDisk &disk : calls_->backed_disks(machine))
      if (is_ours(record, disk)) left.push_back(disk);
    if (left.empty()) return finish(record, machine);
    for (const target::BackedDisk &disk : left)
      if (calls_->progress(machine, disk.name)) return;  // one after the other
    const auto now = std::chrono::steady_clock::now();
    if (now < not_before_) return;
    if (begun_ == left.front().name) {  // and it ended before it was done
      between_ = std::min(kMostBetween, between_ * 2);
      tell("the pull of " + begun_ + " ended before it was done, and is begun again");
    } else {
      between_ = kLook;
    }
    not_before_ = now + between_;
    begun_ = left.front().name;
    calls_->begin(machine, begun_, record.pull->limit);
  }

  void finish_if_whole(const RunRecord &record, const std::string &machine) {
    for (const fs::path &disk : record.pull->disks) {
      if (!file::status_of(disk)) return;
      if (qemu_img::info({.format = ImageFormat::qcow2, .range = {.file = disk}}).backing_file) return;
    }
    finish(record, machine);
  }

  void finish(const RunRecord &record, const std::string &machine) {
    forget_backing(*machines_, machine, record.pull->disks);
    mark_pulled(run_);
    done_ = true;
  }

  std::string run_;
  const std::function<void(const std::string &)> &say_;
  std::stop_token stop_;
  std::unique_ptr<target::Machines> machines_;
  std::unique_ptr<PullCalls> calls_;
  bool looked_ = false, was_running_ = false, done_ = false;
  std::string begun_, told_;
  seconds between_ = kLook;
  std::chrono::steady_clock::time_point not_before_{};
};

}  // namespace

void keep(const std::string &run, const std::function<void(const std::string &)> &say, const std::stop_token &stop) {
  Keeper(run, say, stop).keep();
}

}  // namespace ferry::migration
