// SPDX-License-Identifier: Apache-2.0
// Character devices: where serial and parallel ports lead.
#pragma once

#include <string>

#include "importers/qemu/context.hpp"

namespace ferry::qemu {

// From -chardev. Takes its keys into `field`.
void fill_port(Context &c, Option &chardev, CharPort &port, const std::string &field);
// From the short form of -serial and -parallel: "stdio", "file:/tmp/log", "unix:/s,server,nowait", "tcp::4444,server".
// False for "none".
bool fill_port(Context &c, const std::string &text, CharPort &port, const Place &where);

}  // namespace ferry::qemu
