// SPDX-License-Identifier: Apache-2.0
// The lines of a journal, as JSON. A text that is no UTF-8, as the name of a file may be, is written as {"hex": "..."}.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "migration/journal.hpp"

namespace ferry::migration::lines {

[[nodiscard]] std::string event(std::string_view name);
[[nodiscard]] std::string begin(const Journal::Begin &begin);
[[nodiscard]] std::string staging(const std::filesystem::path &folder);
[[nodiscard]] std::string aside(const SetAside &what);
[[nodiscard]] std::string replace(const ReplacedDomain &domain);
[[nodiscard]] std::string made(std::string_view event, const MadeFile &file);
[[nodiscard]] std::string published(const std::vector<MadeFile> &files);
[[nodiscard]] std::string state_folder(const StateFolder &folder);
[[nodiscard]] std::string pull(const PullRecord &what);
[[nodiscard]] std::string define(const Journal::Domain &domain);

}  // namespace ferry::migration::lines
