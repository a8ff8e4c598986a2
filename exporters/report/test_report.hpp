// SPDX-License-Identifier: Apache-2.0
// What a machine's test says, as parts of reports.
#pragma once

#include <string>

#include "exporters/report/report.hpp"
#include "model/json.hpp"

namespace ferry::report {

// "boots: the guest agent answers, after 45 s", "does not boot: a kernel panic, after 12 s".
[[nodiscard]] std::string test_verdict(const Test &test);
[[nodiscard]] Json test_to_json(const Test &test);
[[nodiscard]] Test test_from_json(const Json &json);
// Verdict, facts, words and picture.
[[nodiscard]] std::string test_part(const Test &test);

}  // namespace ferry::report
