// SPDX-License-Identifier: Apache-2.0
// Finding the file that a location in VirtualBox's settings means, on this host.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::vbox {

struct Resolved {
  std::optional<std::filesystem::path> file;  // absolute; something other than a folder is there
  std::vector<std::filesystem::path> tried;   // in order, with `file` last
  bool elsewhere = false;                     // found, but not at the place that was written
};

// True for "C:\...", "C:/...", "\\server\..." and "\\?\...".
[[nodiscard]] bool is_windows_path(std::string_view location);
// Back slashes become slashes and a drive letter goes when the text is a Windows path; otherwise unchanged.
[[nodiscard]] std::string with_slashes(std::string_view location);

// `location` as written in a settings file that lies in `folder` (absolute). Tries the place itself, then, because
// machine folders are copied from host to host, ever shorter tails of it below `folder`, and below the folder that
// holds `folder`. Nothing is opened. Percent signs and back slashes of POSIX names are taken literally first.
[[nodiscard]] Resolved resolve(std::string_view location, const std::filesystem::path &folder);

// True when `file` lies below `folder`, by name only.
[[nodiscard]] bool lies_below(const std::filesystem::path &file, const std::filesystem::path &folder);

// Reads a whole settings file. Throws Error missing when it is not there, io when it is not a regular file or
// cannot be read, malformed over 64 MiB (the XML reader's limit).
[[nodiscard]] std::string read_settings_file(const std::filesystem::path &file);

}  // namespace ferry::vbox
