// SPDX-License-Identifier: Apache-2.0
// A domain's definition in a file, while a run replaces it.
#pragma once

#include <filesystem>
#include <optional>

#include "exporters/target.hpp"

namespace ferry::migration {

// Throws Error io, no_space.
void write_saved_domain(const std::filesystem::path &file, const target::SavedMachine &domain);
// nullopt when there is no such file. Throws Error malformed, io.
[[nodiscard]] std::optional<target::SavedMachine> read_saved_domain(const std::filesystem::path &file);

}  // namespace ferry::migration
