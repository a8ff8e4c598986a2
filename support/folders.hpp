// SPDX-License-Identifier: Apache-2.0
// The user's folders, by the XDG base directory rules: a variable that is not an absolute path is as good as unset.
#pragma once

#include <filesystem>
#include <optional>

namespace ferry::folders {

// $HOME, else what the password database says of the effective user; nullopt when neither knows an absolute path.
[[nodiscard]] std::optional<std::filesystem::path> home();

// $XDG_CONFIG_HOME, $XDG_DATA_HOME, $XDG_STATE_HOME, $XDG_CACHE_HOME, or their standard places below home().
// Throw Error missing when the variable is unset and there is no home folder: what is written must not go anywhere
// else.
[[nodiscard]] std::filesystem::path config_home();
[[nodiscard]] std::filesystem::path data_home();
[[nodiscard]] std::filesystem::path state_home();
[[nodiscard]] std::filesystem::path cache_home();

// $XDG_RUNTIME_DIR; nullopt when it is unset.
[[nodiscard]] std::optional<std::filesystem::path> runtime();

// The folder that $XDG_RUNTIME_DIR would name if this were a login (`all`/UID), where the variable is unset, as under
// su, cron and Slurm: without it libvirt starts a second daemon of the same user, which knows none of the first one's
// machines [tried, libvirt 9.0]. nullopt when the variable is set, when there is no such folder of this user's alone,
// and when HOME is not the user's own: then somebody wants a world apart.
[[nodiscard]] std::optional<std::filesystem::path> runtime_of_login(const std::filesystem::path &all = "/run/user");

}  // namespace ferry::folders
