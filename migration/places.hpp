// SPDX-License-Identifier: Apache-2.0
// Where a machine's files go beside its images. All of them lie in --dest; but in the session's own image folder, which
// is a pool of volumes, there are images alone, or tools would offer the others as disks.
#pragma once

#include <filesystem>
#include <string>

#include "exporters/target.hpp"
#include "migration/options.hpp"

namespace ferry::migration {

// Where the new machine's images go.
[[nodiscard]] std::filesystem::path destination(const Options &options, const target::Target &target);

// Whether the images go into that pool: the machine is defined in the user's own session, or in that of a flatpak, and
// no --dest was given.
[[nodiscard]] bool is_in_own_pool(const Options &options);

// Where its variable stores go, when its images go to `dest`: files are moved into their places, so where that session
// keeps its own only if that is on the file system of `dest`.
[[nodiscard]] std::filesystem::path folder_of_stores(const Options &options, const std::filesystem::path &dest);

// The definition that a run made, where it does not lie in --dest: beside the run's journal.
[[nodiscard]] std::filesystem::path kept_definition(const std::string &run);

// `folder`, or the nearest one above it that exists.
[[nodiscard]] std::filesystem::path nearest_existing(std::filesystem::path folder);

}  // namespace ferry::migration
