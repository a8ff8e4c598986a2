// SPDX-License-Identifier: Apache-2.0
#include "exporters/report/report.hpp"

namespace ferry::report {

std::string_view to_string(Status status) {
  switch (status) {
    case Status::planned: return "planned";
    case Status::migrated: return "migrated";
    case Status::skipped: return "skipped";
    case Status::refused: return "refused";
    case Status::failed: return "failed";
  }
  return {};
}

}  // namespace ferry::report
