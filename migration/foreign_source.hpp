// SPDX-License-Identifier: Apache-2.0
// Files that are no machine which virt-ferry reads: what they are, and which file or command serves instead.
#pragma once

#include <filesystem>
#include <string_view>

#include "support/error.hpp"

namespace ferry::migration {

// Why `file`, whose first bytes are `head` (UTF-8 where it is text), is not read.
[[nodiscard]] Error foreign_source(const std::filesystem::path &file, std::string_view head);

// True for the suffixes that only machines have: a file of that name that is none is worth a word.
[[nodiscard]] bool has_machine_suffix(const std::filesystem::path &file);

// The settings that can be given in place of a broken or lost .vbox: VirtualBox's own backup, or those of before an
// upgrade. Sentences for an advice; empty when nothing lies there.
[[nodiscard]] std::string vbox_backups(const std::filesystem::path &vbox);

}  // namespace ferry::migration
