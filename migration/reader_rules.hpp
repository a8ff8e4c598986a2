// SPDX-License-Identifier: Apache-2.0
// What the cage of a worker lets it read. The rule of files outside (support/reach.hpp) says it; nothing may be
// written.
#pragma once

#include <filesystem>

#include "migration/options.hpp"
#include "migration/source.hpp"

#include "support/cage.hpp"
#include "support/reach.hpp"

namespace ferry::migration {

// To read nothing but what libraries take of the system.
[[nodiscard]] cage::Rules rules_for_nothing();
// To import a source and to read its images.
[[nodiscard]] cage::Rules rules_for(const FoundSource &source, const Options &options);
// To read what VirtualBox and VMware register, as registered_machines().
[[nodiscard]] cage::Rules rules_for_registries(const std::filesystem::path &windows_root);
// To find a source at a path, or below it.
[[nodiscard]] cage::Rules rules_for(const std::filesystem::path &path);
// For single images.
[[nodiscard]] cage::Rules rules_for(const reach::Limits &limits);

}  // namespace ferry::migration
