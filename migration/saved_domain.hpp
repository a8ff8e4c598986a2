// SPDX-License-Identifier: Apache-2.0
// A domain's definition in a file, while a run replaces it.
#pragma once

#include <filesystem>
#include <optional>

#include "exporters/libvirt/host/connection.hpp"

namespace ferry::migration {

// Throws Error io, no_space.
void write_saved_domain(const std::filesystem::path &file, const libvirt::SavedDomain &domain);
// nullopt when there is no such file. Throws Error malformed, io.
[[nodiscard]] std::optional<libvirt::SavedDomain> read_saved_domain(const std::filesystem::path &file);

}  // namespace ferry::migration
