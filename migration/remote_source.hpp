// SPDX-License-Identifier: Apache-2.0
// Sources on other hosts, ssh://[USER@]HOST[:PORT]/PATH: what is done with them, and what is not.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "migration/options.hpp"
#include "migration/source.hpp"

namespace ferry::migration {

// The path of what a user named by a URL; its host may be spoken with from now on. nullopt: it is no URL of ssh's.
// Throws Error usage.
[[nodiscard]] std::optional<std::filesystem::path> remote_path(const std::string &argument);
// Throws Error unsupported, where `argument` is such a URL and `what` ("'virt-ferry test'") cannot take one.
void refuse_remote(const std::string &argument, std::string_view what, std::string_view advice);
// Throws Error unsupported for a kind of source that is read on this host only; else nothing.
void refuse_remote_kind(const FoundSource &source);
// Throws Error unsupported for options that need the source's own files on this host; nothing for a local source.
void refuse_options_for_remote(const std::filesystem::path &source, const Options &options);

}  // namespace ferry::migration
