// SPDX-License-Identifier: Apache-2.0
#include "exporters/target.hpp"

namespace ferry::target {

void Taken::forget(const std::string &name) {
  names.erase(name);
  runs.erase(name);
  std::erase_if(uuids, [&](const auto &entry) { return entry.second == name; });
  std::erase_if(ports, [&](const auto &entry) { return entry.second == name; });
  std::erase_if(macs, [&](const auto &entry) { return entry.second == name; });
}

void Taken::forget_defined() {
  names.clear();
  uuids.clear();
  macs.clear();
  ports.clear();
}

}  // namespace ferry::target
