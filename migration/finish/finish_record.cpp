// SPDX-License-Identifier: Apache-2.0
#include "migration/finish/finish_record.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include "model/json.hpp"

#include "support/cut_off.hpp"
#include "support/error.hpp"
#include "support/file.hpp"
#include "support/folders.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostOfARecord = std::size_t{64} << 20U;  // bytes: some definitions
constexpr const char *kFinishSchema = "virt-ferry-finish/1";

fs::path finish_folder() { return folders::state_home() / "virt-ferry" / "finish"; }
fs::path finish_file(const std::string &uuid) { return finish_folder() / (uuid + ".json"); }

}  // namespace

FinishLock::FinishLock(const std::string &uuid, const std::string &machine)
    : file_(finish_folder() / (uuid + ".lock")) {
  file::make_private_folders(finish_folder());
  for (;;) {
    lock_.reset(open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock_)
      throw Error(ErrorKind::io,
                  {.where = {.file = file_}, .message = "the file cannot be opened", .found = std::strerror(errno)});
    if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0)
      throw Error(ErrorKind::conflict,
                  {.message = "another process is working on the machine \"" + text::printable(machine) + '"',
                   .advice = "Wait for it to finish, then try again."});
    // Whoever had it before has removed its name.
    const auto named = file::status_of(file_, file::Links::no_follow);
    if (named && named->same_file(file::status_of(lock_.get(), file_))) return;
  }
}

FinishLock::~FinishLock() { unlink(file_.c_str()); }

FinishRecord read_finish(const std::string &uuid) {
  const fs::path file = finish_file(uuid);
  FinishRecord out;
  out.uuid = uuid;
  file::remove_cut_off(file);
  if (!file::status_of(file)) return out;
  try {
    const Json json = Json::parse(file::read_start(file, kMostOfARecord));
    if (json.at("schema") != kFinishSchema) throw Error(ErrorKind::malformed, {.message = "it is of another version"});
    out.machine = json.at("machine");
    out.connect = json.at("connect");
    for (const Json &one : json.at("phases"))
      out.phases.push_back(
          {one.at("phase"), one.at("before"), one.at("after"), one.at("files").get<std::vector<std::string>>()});
  } catch (const nlohmann::json::exception &error) {
    throw Error(ErrorKind::malformed, {.where = {.file = file},
                                       .message = "what was done to the machine cannot be read back",
                                       .found = error.what()});
  }
  return out;
}

void write_finish(const FinishRecord &record) {
  const fs::path file = finish_file(record.uuid);
  if (record.phases.empty()) {
    std::error_code error;
    fs::remove(file, error);
    return;
  }
  file::make_private_folders(finish_folder());
  Json phases = Json::array();
  for (const FinishPhase &one : record.phases)
    phases.push_back({{"phase", one.phase}, {"before", one.before}, {"after", one.after}, {"files", one.files}});
  const Json json{{"schema", kFinishSchema},
                  {"machine", record.machine},
                  {"uuid", record.uuid},
                  {"connect", record.connect},
                  {"phases", phases}};
  file::publish(file, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n", file::Existing::replace);
  file::sync_folder(finish_folder());
}

}  // namespace ferry::migration
