// SPDX-License-Identifier: Apache-2.0
// A process that outlives us.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ferry::detached {

// This program's own file.
[[nodiscard]] std::filesystem::path own_program();

// Starts a program (an absolute path) in a session of its own, as nobody's child: with our environment, no stdin,
// "/" as its folder, what it says appended to `log`, and no descriptor of ours. Returns once it was started. Throws
// Error subprocess where it could not be.
void start(const std::filesystem::path &program, const std::vector<std::string> &arguments,
           const std::filesystem::path &log);

}  // namespace ferry::detached
