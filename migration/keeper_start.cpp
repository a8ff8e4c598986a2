// SPDX-License-Identifier: Apache-2.0
// How a keeper comes to be.
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

#include "migration/disk_door.hpp"
#include "migration/keeper.hpp"
#include "migration/pull_place.hpp"

#include "support/detached.hpp"
#include "support/error.hpp"
#include "support/file.hpp"
#include "support/folders.hpp"
#include "support/subprocess.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStarts{60};  // on a host with much to do, reading a large package's list

// What the process is told, and where it finds what we find.
std::vector<std::string> words_of(const RunRecord &record) {
  return {"serve", record.run, "--state", journal_folder().parent_path().string()};
}

// A systemd of this user's runs.
bool has_units() {
  const auto runtime = folders::runtime();
  return runtime && file::status_of(*runtime / "systemd" / "private") &&
         !subprocess::find_program("systemd-run").empty();
}

// Started again when it ends by a signal or an error; a unit of the same name that has ended is forgotten.
bool start_unit(const RunRecord &record, const fs::path &program) {
  std::vector<std::string> arguments{"--user",
                                     "--quiet",
                                     "--collect",
                                     "--unit=virt-ferry-" + record.run,
                                     "--description=virt-ferry: the source of " + text::printable(record.machine),
                                     "--property=Restart=on-failure",
                                     "--property=RestartSec=1",
                                     "--property=StandardError=append:" + keeper_log(record.pull->socket).string()};
  // What decides which libvirt and which folders are ours; the unit has the manager's otherwise.
  for (const char *name : {"HOME", "PATH", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME",
                           "XDG_RUNTIME_DIR", "LIBVIRT_DEFAULT_URI", "VBOX_USER_HOME"}) {
    if (const char *value = std::getenv(name)) arguments.push_back(std::string("--setenv=") + name + "=" + value);
  }
  arguments.emplace_back("--");
  arguments.push_back(program.string());
  for (const std::string &word : words_of(record)) arguments.push_back(word);
  try {
    return subprocess::run({.program = "systemd-run",
                            .arguments = arguments,
                            .limits = {.deadline = std::chrono::seconds(30)},
                            .locked_in = nullptr,
                            .on_line = {}})
        .ok();
  } catch (const Error &) {
    return false;  // a manager that does not answer: it is started without one
  }
}

// It said something, and is gone.
bool has_failed(const RunRecord &record) {
  const fs::path &socket = record.pull->socket;
  const auto log = file::status_of(keeper_log(socket));
  const file::Descriptor lock(open(keeper_lock(socket).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return log && log->size > 0 && lock && flock(lock.get(), LOCK_SH | LOCK_NB) == 0;
}

// The keeper of this run, and no other's.
bool is_there(const RunRecord &record) {
  const fs::path &socket = record.pull->socket;
  return is_open_door(socket) && file::status_of(keeper_lock(socket)) &&
         file::read_start(keeper_lock(socket), 64) == record.run;
}

[[noreturn]] void did_not_start(const RunRecord &record) {
  const fs::path log = keeper_log(record.pull->socket);
  std::string said;
  if (file::status_of(log)) said = std::string(text::trim(file::read_start(log, 2000)));
  throw Error(ErrorKind::subprocess,
              {.where = {.file = record.source},
               .message = "the process that serves the source to the machine does not start",
               .found = said.empty() ? "it said nothing" : text::excerpt(said, 300),
               .advice = "Run 'virt-ferry serve " + record.run + "' to see why, or migrate without --start-now."});
}

}  // namespace

void start_keeper(const RunRecord &record) {
  const fs::path &socket = record.pull->socket;
  file::make_private_folders(socket.parent_path());
  if (is_there(record)) return;
  const fs::path program = detached::own_program();
  unlink(keeper_log(socket).c_str());  // of one that has ended
  if (!has_units() || !start_unit(record, program)) detached::start(program, words_of(record), keeper_log(socket));
  const auto until = std::chrono::steady_clock::now() + kStarts;
  while (!is_there(record)) {
    if (has_failed(record) || std::chrono::steady_clock::now() > until) did_not_start(record);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // looked for again
  }
}

}  // namespace ferry::migration
