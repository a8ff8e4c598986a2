// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/domain_files.hpp"

#include "support/xml.hpp"

namespace ferry::libvirt {

namespace {

const std::filesystem::path kShown = "libvirt domain";

bool is_removable(const xml::Element &disk) {
  const std::string *device = disk.attribute("device");
  return device != nullptr && (*device == "cdrom" || *device == "floppy");
}

// A disk's own image stands in its <source>, those under it in <backingStore>s inside of each other.
void add_sources(const xml::Element &element, bool removable, target::MachineFiles &out) {
  for (const xml::Element &child : element.children) {
    if (child.name == "source" || child.name == "dataStore") {
      for (const char *name : {"file", "dev"}) {
        const std::string *file = child.attribute(name);
        if (file == nullptr || file->empty()) continue;
        out.all.insert(*file);
        if (!removable) out.disks.insert(*file);
      }
    }
    add_sources(child, removable, out);
  }
}

void add_element(const xml::Element &element, target::MachineFiles &out) {
  for (const xml::Element &child : element.children) {
    if (child.name == "disk") {
      add_sources(child, is_removable(child), out);
    } else if ((child.name == "nvram" || child.name == "kernel" || child.name == "initrd") && !child.text.empty()) {
      out.all.insert(child.text);
    } else {
      add_element(child, out);
    }
  }
}

}  // namespace

void add_files_of_domain(std::string_view xml, target::MachineFiles &out) { add_element(xml::parse(xml, kShown), out); }

}  // namespace ferry::libvirt
