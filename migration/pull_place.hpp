// SPDX-License-Identifier: Apache-2.0
// Where the keeper of a machine that reads its source (keeper.hpp) has its socket: in a folder of its own below the
// user's runtime folder, which nobody else may enter.
#pragma once

#include <filesystem>
#include <string>

namespace ferry::migration {

// The same for the same machine in the same place, also after a restart of the host. Throws Error unsupported where the
// runtime folder's name is too long for a socket.
[[nodiscard]] std::filesystem::path pull_socket(const std::filesystem::path &dest, const std::string &machine);
// Whether a path is one that pull_socket() gives, in whatever runtime folder.
[[nodiscard]] bool is_pull_socket(const std::filesystem::path &path);
// With what a keeper leaves in it, and nothing else. Never an error.
void remove_pull_folder(const std::filesystem::path &socket);

// Beside the socket.
[[nodiscard]] std::filesystem::path keeper_lock(const std::filesystem::path &socket);
[[nodiscard]] std::filesystem::path keeper_log(const std::filesystem::path &socket);

}  // namespace ferry::migration
