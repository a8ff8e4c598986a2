// SPDX-License-Identifier: Apache-2.0
#include "migration/finding_catalog.hpp"

// Each component's rows enter themselves where their header is compiled; here are all of them.
#include "converters/findings.hpp"
#include "converters/firmware/findings.hpp"
#include "converters/images/findings.hpp"
#include "exporters/kubevirt/findings.hpp"
#include "exporters/libvirt/findings.hpp"
#include "exporters/script/findings.hpp"
#include "importers/ovf/findings.hpp"
#include "importers/qemu/findings.hpp"
#include "importers/vagrant/findings.hpp"
#include "importers/vbox/findings.hpp"
#include "importers/vmx/findings.hpp"
#include "migration/findings.hpp"

namespace ferry::migration {

std::vector<const FindingKind *> finding_catalog() { return FindingList::all_kinds(); }

}  // namespace ferry::migration
