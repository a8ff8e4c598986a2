// SPDX-License-Identifier: Apache-2.0
// QEMU commands: shell scripts, batch files, command lines, processes. They are read and never run.
//
// launch.*, shell_*.cpp, batch_file.cpp: text -> the words that QEMU gets. options.*, option_table.*: words -> options
// with keys. context.*: options -> model, through the ledger; machine, cpu, identity, firmware, devices, ports, screens
// and housekeeping are the parts. pci.*, usb.*: the places that QEMU gives.
// Facts: QEMU 7.2's source and tries on it; libvirt 9.0.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "importers/common.hpp"

namespace ferry::qemu {

// A file that starts QEMU, as far as that can be told from its text: for a folder's files, where a page that only shows
// a command is no machine.
[[nodiscard]] bool starts_qemu(std::string_view text, const std::filesystem::path &file);
// The text has to do with QEMU, so that a refusal should say why it starts none.
[[nodiscard]] bool speaks_of_qemu(std::string_view text);

// All machines that the file starts, or the one that options.machine names. Throws Error unsupported with the open
// questions (their names are for --set), and what read_launches() throws.
[[nodiscard]] std::vector<ImportedMachine> import_file(const std::filesystem::path &file, const ImportOptions &options);

// A machine that somebody else describes in QEMU's words, without the program's name. `where`: what describes it.
[[nodiscard]] ImportedMachine import_words(const std::vector<std::string> &words, const Place &where,
                                           const std::string &name, const ImportOptions &options);

}  // namespace ferry::qemu
