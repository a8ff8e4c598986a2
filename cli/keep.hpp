// SPDX-License-Identifier: Apache-2.0
// Keeping reports for 'virt-ferry report'. That it fails is said, and does not make a run fail that went well.
#pragma once

#include "exporters/report/report.hpp"

namespace ferry::cli {

// Of each machine that has a run of its own.
void keep_reports(const report::Document &document);
// Of a batch, under the id that the document has. When it cannot be kept, the document has none any more.
void keep_batch(report::Document &document);

}  // namespace ferry::cli
