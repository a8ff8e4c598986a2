// SPDX-License-Identifier: Apache-2.0
#include "model/finding.hpp"

#include <utility>

#include "support/secrets.hpp"

namespace ferry {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::info: return "info";
    case Severity::warning: return "warning";
    case Severity::critical: return "critical";
  }
  return "?";
}

Finding raise(const FindingKind &kind, Place where, std::string message, std::string advice) {
  return {std::string(kind.id), kind.severity, std::move(where), secrets::without_credentials(message),
          advice.empty() ? std::string(kind.advice) : std::move(advice)};
}

}  // namespace ferry
