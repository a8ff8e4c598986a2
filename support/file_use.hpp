// SPDX-License-Identifier: Apache-2.0
// Whether a file is in use by a process, so that moving or removing it would take it from under its feet.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace ferry::file {

// Who uses a regular file: "the process 4711 (qemu-system-x86) has it open for writing", "a process has locked it";
// nullopt when nobody is seen. Locks are asked for in the file itself (QEMU locks every image that it has open, as
// open-file-description locks); /proc, which shows this user's processes only, names the process and finds those that
// write without a lock. This process's own descriptors and locks do not count.
[[nodiscard]] std::optional<std::string> user_of(const std::filesystem::path &file);

}  // namespace ferry::file
