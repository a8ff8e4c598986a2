// SPDX-License-Identifier: Apache-2.0
// A QEMU that runs as a source ("pid:N"): what the kernel tells of it (proc(5)).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ferry::migration::process {

// Whether a source is a process, by the file of its words: /proc/PID/cmdline.
[[nodiscard]] bool is_source(const std::filesystem::path &file);

// Its words; empty when it has ended or is another user's.
[[nodiscard]] std::vector<std::string> words_of(const std::filesystem::path &cmdline);

// What may be a file's name in a word of QEMU's: what stands between the characters that its lists and JSON have.
[[nodiscard]] std::vector<std::string> names_in(const std::string &word);

// The regular files that it has open, as their names are now.
[[nodiscard]] std::vector<std::filesystem::path> open_files(const std::filesystem::path &cmdline);

// The folder that its words' relative names begin in. That is the process's own, which no process in a cage is told;
// but QEMU with -daemonize goes to /, and then it is the folder in which the most of the open files have the names that
// stand in the words. Empty when it is another user's.
[[nodiscard]] std::filesystem::path folder_of(const std::filesystem::path &cmdline);

// The second half of it: empty where no open file has such a name, or as many speak for one folder as for another.
[[nodiscard]] std::filesystem::path folder_by_open_files(const std::vector<std::string> &words,
                                                         const std::vector<std::filesystem::path> &open);

}  // namespace ferry::migration::process
