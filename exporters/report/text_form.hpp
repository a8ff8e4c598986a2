// SPDX-License-Identifier: Apache-2.0
// What the text forms of a report have in common.
#pragma once

#include <string>
#include <string_view>

#include "exporters/report/report.hpp"

namespace ferry::report {

enum class Ink { plain, strong, faint, good, careful, bad };
// `text` in that colour, where the form has colours.
[[nodiscard]] std::string inked(const TextForm &form, Ink ink, std::string_view text);
[[nodiscard]] Ink ink_of(Status status);
[[nodiscard]] Ink ink_of(Severity severity);

// "1 disk", "3 disks".
[[nodiscard]] std::string counted(std::size_t number, std::string_view noun);
// "0.4 s", "32 s", "4 min 5 s", "1 h 20 min".
[[nodiscard]] std::string human_duration(double seconds);

// "web: migrated in 32 s, 3.0 GiB written, 1 thing needs your hand": with the reason, where there is no machine.
[[nodiscard]] std::string headline(const MachineReport &machine, const TextForm &form);
// What a person has to know: the headline, findings, what was carried over, what to type next.
[[nodiscard]] std::string brief_text(const MachineReport &machine, const TextForm &form);

}  // namespace ferry::report
