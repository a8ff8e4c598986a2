// SPDX-License-Identifier: Apache-2.0
// A virtual TPM's content, from VirtualBox's nvram to the file that swtpm reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "converters/firmware/carry.hpp"

namespace ferry::firmware {

enum class TpmKind { old, v2 };  // TPM 1.2, TPM 2.0

// Why the blob is not the permanent state of such a TPM; "" when it is, as far as can be told.
[[nodiscard]] std::string problem_of_tpm_state(std::span<const std::uint8_t> blob, TpmKind kind = TpmKind::v2);

// The blob in the form of swtpm's tpm2-00.permall.
[[nodiscard]] std::vector<std::uint8_t> swtpm_state(std::span<const std::uint8_t> blob);

// The other way: the blob in a file of swtpm's. Never throws for what is in the file or for a file that cannot be
// read: then there is no state, and `problem` says why.
[[nodiscard]] TpmContents read_swtpm_state(const std::filesystem::path &file, TpmKind kind);

// How libvirt calls the folder in a machine's own, and swtpm the file in that.
[[nodiscard]] std::filesystem::path swtpm_state_name(TpmKind kind);

// Writes `folder`/tpm2/`name` (or tpm1.2) in the form of swtpm, which reads it under swtpm_state_name(); `folder` is
// the domain's own, for a session ~/.config/libvirt/qemu/swtpm/UUID, and is made if needed. Gives the file's path.
// Throws Error malformed for a blob that is none, conflict when there is such a file already (it is never replaced),
// io.
std::filesystem::path write_swtpm_state(std::span<const std::uint8_t> blob, const std::filesystem::path &folder,
                                        std::string_view name, TpmKind kind = TpmKind::v2);

// What to tell the user of a machine with a TPM. `contents`: nullptr when the source has no state of one. `carried`:
// the host can take a state and it will be written. `same_firmware`: what measures the boot is the source's own.
[[nodiscard]] Finding tpm_finding(const TpmContents *contents, bool carried, bool same_firmware, const Place &where);

}  // namespace ferry::firmware
