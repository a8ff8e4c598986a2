// SPDX-License-Identifier: Apache-2.0
// The mark of the run that made a domain: an element of ours in its metadata, which libvirt keeps through every change
// of the definition. A UUID does not tell whose a machine is: it is the source's, and any later copy has it too.
#pragma once

#include <string>
#include <string_view>

#include "support/xml.hpp"

namespace ferry::libvirt {

inline constexpr std::string_view kMarkNamespace = "urn:virt-ferry:run:1";

// A domain's or a snapshot's XML, of our own making, with the mark of `run` in the domain's metadata.
[[nodiscard]] std::string with_run_mark(std::string_view xml, std::string_view run);

// The run that a parsed <domain> bears the mark of; "" for none.
[[nodiscard]] std::string run_mark(const xml::Element &domain);

}  // namespace ferry::libvirt
