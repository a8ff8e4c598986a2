// SPDX-License-Identifier: Apache-2.0
// The parts of devices.cpp that have files of their own.
#pragma once

#include "importers/ovf/item.hpp"

namespace ferry::ovf {

// ---- processor_memory.cpp ----

// `count`: of all Items so far.
void add_processor(Context &in, const Item &item, unsigned &count);
void set_processors(Context &in, unsigned count);
void add_memory(Context &in, const Item &item);

// ---- network.cpp ----

[[nodiscard]] bool is_nic(const Item &item);
void add_nic(Context &in, const Item &item);
// After all cards: which of them get a new MAC address.
void report_generated_macs(Context &in);

}  // namespace ferry::ovf
