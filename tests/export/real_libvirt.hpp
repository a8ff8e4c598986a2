// SPDX-License-Identifier: Apache-2.0
// A real libvirt inside the test process: the QEMU driver in embedded mode, with a root folder of its own.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace ferry::test {

// Defines the domain with validation against the schema. nullopt: accepted; otherwise libvirt's message.
// Sets `skipped` and gives nullopt when this machine has no embedded QEMU driver.
std::optional<std::string> define_in_real_libvirt(const std::string &domain_xml, bool &skipped);

// Defines the domain and then the snapshot; the same conventions.
std::optional<std::string> define_snapshot_in_real_libvirt(const std::string &domain_xml,
                                                           const std::string &snapshot_xml, bool &skipped);

// Defines the domain, starts it with its CPUs stopped, and destroys it: QEMU takes the devices as they are placed.
std::optional<std::string> start_in_real_libvirt(const std::string &domain_xml, bool &skipped);

// A folder that the driver's account can write to; it goes when the test ends.
std::filesystem::path real_libvirt_folder();

// The libvirt version that answers, in HostProfile's scale; 0 when there is none.
unsigned real_libvirt_version();

}  // namespace ferry::test
