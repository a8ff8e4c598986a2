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

bool may_pass(const Refusal &refusal) {
  switch (refusal.kind) {
    case ErrorKind::no_space:
    case ErrorKind::unreachable:
    case ErrorKind::libvirt:
    case ErrorKind::io:
    case ErrorKind::cancelled: return true;
    case ErrorKind::usage:
    case ErrorKind::malformed:
    case ErrorKind::missing:
    case ErrorKind::unsupported:
    case ErrorKind::encrypted:
    case ErrorKind::unsafe:
    case ErrorKind::conflict:
    case ErrorKind::subprocess:
    case ErrorKind::verify:
    case ErrorKind::internal: return false;
  }
  return false;
}

}  // namespace ferry::report
