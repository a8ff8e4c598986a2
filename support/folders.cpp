// SPDX-License-Identifier: Apache-2.0
#include "support/folders.hpp"

#include <array>
#include <cstdlib>
#include <pwd.h>
#include <string>
#include <unistd.h>

#include "support/error.hpp"
#include "support/file.hpp"

namespace ferry::folders {

namespace {

// The value of a variable of the environment, where it is an absolute path.
std::optional<std::filesystem::path> absolute(const char *value) {
  if (value == nullptr || *value != '/') return std::nullopt;
  return value;
}

std::filesystem::path xdg_folder(const char *variable, const char *standard) {
  if (auto folder = absolute(std::getenv(variable))) return *std::move(folder);
  if (const auto folder = home()) return *folder / standard;
  throw Error(ErrorKind::missing,
              {.message = "your home folder is unknown: HOME is not set and the password database has no entry for "
                          "user " +
                          std::to_string(geteuid()),
               .expected = std::string("HOME or ") + variable + " as an absolute path",
               .advice = "Set HOME to your home folder."});
}

// What the password database says of the effective user.
std::optional<std::filesystem::path> home_of_account() {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd *found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr ||
      found->pw_dir == nullptr || *found->pw_dir != '/')
    return std::nullopt;
  return found->pw_dir;
}

}  // namespace

std::optional<std::filesystem::path> home() {
  if (auto folder = absolute(std::getenv("HOME"))) return folder;
  return home_of_account();
}

std::filesystem::path config_home() { return xdg_folder("XDG_CONFIG_HOME", ".config"); }
std::filesystem::path data_home() { return xdg_folder("XDG_DATA_HOME", ".local/share"); }
std::filesystem::path state_home() { return xdg_folder("XDG_STATE_HOME", ".local/state"); }
std::filesystem::path cache_home() { return xdg_folder("XDG_CACHE_HOME", ".cache"); }
std::optional<std::filesystem::path> runtime() { return absolute(std::getenv("XDG_RUNTIME_DIR")); }

std::optional<std::filesystem::path> runtime_of_login(const std::filesystem::path &all) {
  if (runtime()) return std::nullopt;
  const auto account = home_of_account();
  if (!account || home() != account) return std::nullopt;
  const std::filesystem::path folder = all / std::to_string(geteuid());
  const auto status = file::status_of(folder, file::Links::no_follow);
  if (!status || !status->is_folder() || !file::problem_of_private(*status).empty()) return std::nullopt;
  return folder;
}

}  // namespace ferry::folders
