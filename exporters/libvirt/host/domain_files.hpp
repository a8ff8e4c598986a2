// SPDX-License-Identifier: Apache-2.0
// The files that a domain's or a snapshot's XML names.
#pragma once

#include <filesystem>
#include <set>
#include <string_view>

namespace ferry::libvirt {

struct DomainFiles {
  std::set<std::filesystem::path> all;    // disks with their parents, CDs, store, kernel, initrd
  std::set<std::filesystem::path> disks;  // of disks only: what a guest writes to, and what lies under it
};

// Throws Error malformed for what is no XML.
[[nodiscard]] DomainFiles files_of_domain(std::string_view xml);
void add_files_of_domain(std::string_view xml, DomainFiles &out);

}  // namespace ferry::libvirt
