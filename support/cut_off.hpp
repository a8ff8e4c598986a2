// SPDX-License-Identifier: Apache-2.0
// What a process that was killed leaves of a file that it was about to publish.
#pragma once

#include <filesystem>

namespace ferry::file {

// Removes the temporary files that publish() of `target` made in processes that are dead. Never an error.
void remove_cut_off(const std::filesystem::path &target);

}  // namespace ferry::file
