// SPDX-License-Identifier: Apache-2.0
#include "model/differences.hpp"

#include <utility>

#include "model/observed_members.hpp"

namespace ferry {
namespace {

class Comparison {
 public:
  template <class T>
  void compare(const T &a, const T &b, const std::string &at) {
    if constexpr (Described<T>) {
      for_each_member<T>(
          [&](const auto &member) { compare(a.*member.at, b.*member.at, at + (at.empty() ? "" : ".") + member.name); });
    } else if (!(a == b)) {
      found.push_back(at);
    }
  }
  template <class T>
  void compare(const std::optional<T> &a, const std::optional<T> &b, const std::string &at) {
    if (a.has_value() != b.has_value()) {
      found.push_back(at);
    } else if (a) {
      compare(*a, *b, at);
    }
  }
  template <class T>
  void compare(const std::vector<T> &a, const std::vector<T> &b, const std::string &at) {
    if (a.size() != b.size()) {
      found.push_back(at);
      return;
    }
    for (std::size_t i = 0; i < a.size(); ++i) compare(a[i], b[i], at + "." + std::to_string(i));
  }

  std::vector<std::string> found;
};

}  // namespace

std::vector<std::string> differences(const Machine &a, const Machine &b) {
  Comparison comparison;
  comparison.compare(a, b, "");
  return std::move(comparison.found);
}

std::vector<std::string> differences(const ImportedMachine &a, const ImportedMachine &b) {
  Comparison comparison;
  comparison.compare(a.machine, b.machine, "machine");
  comparison.compare(a.ledger.entries(), b.ledger.entries(), "ledger");
  comparison.compare(a.findings, b.findings, "findings");
  return std::move(comparison.found);
}

}  // namespace ferry
