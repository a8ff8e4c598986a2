// SPDX-License-Identifier: Apache-2.0
// VirtualBox's own description of a machine inside an OVF package (vbox:Machine).
#pragma once

#include "importers/ovf/context.hpp"

namespace ferry::ovf {

// Reads `machine` through the VirtualBox importer into in.machine and `ledger`, with the package's disks in place of
// the media that it names. The OVF's own hardware is settled as described again there. false when the element cannot
// be read; a finding then says so and nothing but the ledger is changed. Throws Error as resolve_file().
[[nodiscard]] bool import_virtualbox(Context &in, const xml::Element &machine, Ledger &ledger);

}  // namespace ferry::ovf
