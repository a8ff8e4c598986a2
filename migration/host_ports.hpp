// SPDX-License-Identifier: Apache-2.0
// Whether the ports of this host that a machine needs are free: a machine does not start while another program listens
// there.
#pragma once

#include "exporters/target.hpp"
#include "migration/options.hpp"
#include "migration/plan.hpp"

namespace ferry::migration {

// Adds a finding for each port that another program listens on right now. Tries by listening there for a moment, so it
// is for plans of this host only.
void report_busy_ports(MachinePlan &plan);

// With --start: throws Error conflict for a port that is in use now, or that a machine which is started before this one
// will listen on.
void refuse_busy_ports(const MachinePlan &plan, const target::Taken &taken);

}  // namespace ferry::migration
