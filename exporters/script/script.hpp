// SPDX-License-Identifier: Apache-2.0
// A libvirt domain as a shell script that runs the machine with QEMU alone. Made from the domain's XML, libvirt's own
// or ours; never from libvirt's command line, which speaks of descriptors and sockets that only libvirt has.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "model/finding.hpp"

#include "support/xml.hpp"

namespace ferry::script {

struct Request {
  const xml::Element *domain = nullptr;  // <domain>
  // Where the script is going to be; absolute. What lies below is named by way of the script, so that both can be
  // moved. Empty: not known.
  std::filesystem::path folder;
  std::string heading;              // "from the domain \"web\" of qemu:///session, 2026-11-28"
  std::filesystem::path tpm_state;  // the folder of the TPM's state that libvirt keeps; empty: a new one by the script
  std::set<std::string> bridges;    // that qemu-bridge-helper opens to this user
  std::size_t snapshots = 0;        // that libvirt knows of
  bool is_defined = false;          // a domain that libvirt has: the script runs the same images
};

struct Script {
  std::string text;  // for bash; mode 0700 suits it
  std::vector<Finding> findings;
};

// Throws Error unsupported for a machine that is no x86 PC of QEMU's, malformed for XML that is no domain.
[[nodiscard]] Script write_script(const Request &request);

}  // namespace ferry::script
