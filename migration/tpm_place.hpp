// SPDX-License-Identifier: Apache-2.0
// TPM state where a session's libvirt keeps it: below the user's configuration, in a folder named by the machine's
// UUID. libvirt does not touch what is there when a machine is defined (measured with libvirt 9.0).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "migration/journal.hpp"
#include "migration/plan.hpp"
#include "migration/replace.hpp"

namespace ferry::migration {

// Whether TPM state of that connection's machines lies where we may put it: a session's is the user's own.
[[nodiscard]] bool has_tpm_folders(const std::string &connect);

// Where the content of the planned machine's TPM goes: the session's folder for it, or one beside its script; empty
// where it is not ours to put there.
[[nodiscard]] std::filesystem::path tpm_folder(const MachinePlan &plan, const Options &options);

// The files of a machine's TPM; none when the folder is not there.
[[nodiscard]] std::vector<std::filesystem::path> tpm_files(const std::filesystem::path &folder);

// Throws Error conflict when another machine's state stands where that of the plan is to go. `own`: runs that are
// finished or taken back first, whose state it may be.
void refuse_tpm_of_others(const MachinePlan &plan, const std::vector<RunRecord> &own);

// Puts the state that the plan carries into its place, each step noted before; what is there of it already stays.
// Throws Error conflict, io.
void place_tpm_state(const MachinePlan &plan, Journal &journal);

// Removes what place_tpm_state() made. With `machine_gone` (its domain was removed just now) also what the machine's
// own use has made of it, where the run made the folder.
void remove_tpm_state(const RunRecord &record, bool machine_gone, UndoResult &out);

}  // namespace ferry::migration
