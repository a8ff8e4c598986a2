// SPDX-License-Identifier: Apache-2.0
// The user's folders, by the XDG base directory rules: a variable that is not an absolute path is as good as unset.
#pragma once

#include <filesystem>
#include <optional>

namespace ferry::folders {

// $HOME, else what the password database says of the effective user; nullopt when neither knows an absolute path.
[[nodiscard]] std::optional<std::filesystem::path> home();

// $XDG_CONFIG_HOME, $XDG_DATA_HOME, $XDG_STATE_HOME, or their standard places below home().
// Throw Error missing when the variable is unset and there is no home folder: what is written must not go anywhere
// else.
[[nodiscard]] std::filesystem::path config_home();
[[nodiscard]] std::filesystem::path data_home();
[[nodiscard]] std::filesystem::path state_home();

// $XDG_RUNTIME_DIR; nullopt when it is unset.
[[nodiscard]] std::optional<std::filesystem::path> runtime();

}  // namespace ferry::folders
