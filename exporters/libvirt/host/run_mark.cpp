// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/run_mark.hpp"

#include "support/error.hpp"

namespace ferry::libvirt {

// Put into the text: the plan's XML stays as it was looked at, but for this one element. In XML of our own making a
// '<' is markup, and <metadata> and <memory> stand once in a domain.
std::string with_run_mark(std::string_view xml, std::string_view run) {
  const std::string mark =
      "<ferry:run xmlns:ferry=\"" + std::string(kMarkNamespace) + "\" id=\"" + std::string(run) + "\"/>";
  std::string out(xml);
  const std::size_t domain = out.find("<domain ");  // behind <domainsnapshot>'s own elements
  const std::size_t metadata = domain == std::string::npos ? domain : out.find("<metadata", domain);
  if (metadata != std::string::npos) {
    const std::size_t end = out.find('>', metadata);
    if (out[end - 1] != '/') return out.insert(end + 1, mark);
    return out.replace(end - 1, 2, ">" + mark + "</metadata>");
  }
  const std::size_t memory = domain == std::string::npos ? domain : out.find("<memory ", domain);
  if (memory == std::string::npos)
    throw Error(ErrorKind::internal, {.message = "the domain's XML has no place for the run's mark"});
  const std::size_t line = out.rfind('\n', memory) + 1;
  const std::string indent = out.substr(line, memory - line);
  return out.insert(line, indent + "<metadata>" + mark + "</metadata>\n");
}

std::string run_mark(const xml::Element &domain) {
  const xml::Element *metadata = domain.child("metadata");
  if (metadata == nullptr) return {};
  for (const xml::Element &element : metadata->children) {
    const std::string *id = element.attribute("id");
    if (element.space == kMarkNamespace && element.name == "run" && id != nullptr) return *id;
  }
  return {};
}

}  // namespace ferry::libvirt
