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

// Why the blob is not the permanent state of a TPM 2.0; "" when it is.
[[nodiscard]] std::string problem_of_tpm_state(std::span<const std::uint8_t> blob);

// The blob in the form of swtpm's tpm2-00.permall.
[[nodiscard]] std::vector<std::uint8_t> swtpm_state(std::span<const std::uint8_t> blob);

// Writes `folder`/tpm2/`name` in the form of swtpm, which reads it under kSwtpmStateName; `folder` is the domain's own,
// for a session ~/.config/libvirt/qemu/swtpm/UUID, and is made if needed. Gives the file's path. Throws Error malformed
// for a blob that is none, conflict when there is such a file already (it is never replaced), io.
inline constexpr std::string_view kSwtpmStateName = "tpm2-00.permall";
std::filesystem::path write_swtpm_state(std::span<const std::uint8_t> blob, const std::filesystem::path &folder,
                                        std::string_view name = kSwtpmStateName);

// What to tell the user of a machine with a TPM. `contents`: nullptr when the source has no nvram file. `carried`:
// the host can take a state and it will be written.
[[nodiscard]] Finding tpm_finding(const NvramContents *contents, bool carried, const Place &where);

}  // namespace ferry::firmware
