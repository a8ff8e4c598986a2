// SPDX-License-Identifier: Apache-2.0
#include "migration/pull_place.hpp"

#include <algorithm>
#include <sys/un.h>
#include <system_error>

#include "support/digest.hpp"
#include "support/error.hpp"
#include "support/folders.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFolderDigits = 16;  // of the folder's name
constexpr const char *kSocket = "nbd", *kLock = "keeper", *kLog = "log", *kOurs = "virt-ferry";

}  // namespace

fs::path pull_socket(const fs::path &dest, const std::string &machine) {
  Digest digest("SHA256");
  const std::string place = dest.string();
  digest.update(place.data(), place.size() + 1);  // with its NUL, so that no two pairs read alike
  digest.update(machine.data(), machine.size());
  const fs::path top = folders::runtime().value_or(folders::state_home());
  fs::path out = top / kOurs / digest.finish().substr(0, kFolderDigits) / kSocket;
  if (out.string().size() < sizeof(sockaddr_un::sun_path)) return out;
  throw Error(ErrorKind::unsupported, {.where = {.file = out},
                                       .message = "the name of the runtime folder is too long for a socket in it",
                                       .found = std::to_string(out.string().size()) + " bytes",
                                       .expected = "at most " + std::to_string(sizeof(sockaddr_un::sun_path) - 1),
                                       .advice = "Set XDG_RUNTIME_DIR to a folder with a shorter name."});
}

bool is_pull_socket(const fs::path &path) {
  const std::string folder = path.parent_path().filename().string();
  return path.is_absolute() && path.lexically_normal() == path && path.filename() == kSocket &&
         path.parent_path().parent_path().filename() == kOurs && folder.size() == kFolderDigits &&
         folder.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void remove_pull_folder(const fs::path &socket) {
  if (!is_pull_socket(socket)) return;
  std::error_code ignored;
  for (const char *name : {kSocket, kLog, kLock}) fs::remove(socket.parent_path() / name, ignored);
  fs::remove(socket.parent_path(), ignored);  // only when it is empty
}

fs::path keeper_lock(const fs::path &socket) { return socket.parent_path() / kLock; }
fs::path keeper_log(const fs::path &socket) { return socket.parent_path() / kLog; }

}  // namespace ferry::migration
