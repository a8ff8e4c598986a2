// SPDX-License-Identifier: Apache-2.0
#include "migration/finding_catalog.hpp"

#include <algorithm>
#include <span>

#include "converters/findings.hpp"
#include "converters/firmware/findings.hpp"
#include "converters/images/findings.hpp"
#include "exporters/libvirt/findings.hpp"
#include "importers/ovf/findings.hpp"
#include "importers/vbox/findings.hpp"
#include "importers/vmx/findings.hpp"
#include "migration/findings.hpp"

namespace ferry::migration {

std::vector<const FindingKind *> finding_catalog() {
  std::vector<const FindingKind *> out;
  const std::span<const FindingKind *const> components[] = {
      vbox::finding_kinds(),  vmx::finding_kinds(),      ovf::finding_kinds(),     disk::finding_kinds(),
      image::finding_kinds(), firmware::finding_kinds(), libvirt::finding_kinds(), kFindings};
  for (const auto &component : components) out.insert(out.end(), component.begin(), component.end());
  std::sort(out.begin(), out.end(), [](const auto *a, const auto *b) { return a->id < b->id; });
  return out;
}

}  // namespace ferry::migration
