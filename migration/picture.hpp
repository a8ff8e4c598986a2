// SPDX-License-Identifier: Apache-2.0
// What a machine is made of before and after, in words for the report's picture.
#pragma once

#include "exporters/report/report.hpp"
#include "migration/plan.hpp"

namespace ferry::migration {

[[nodiscard]] report::Picture picture_of(const MachinePlan &plan);

}  // namespace ferry::migration
