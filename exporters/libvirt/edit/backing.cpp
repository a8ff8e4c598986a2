// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/edit/backing.hpp"

#include <algorithm>

#include "exporters/libvirt/edit/tree.hpp"

namespace ferry::libvirt::edit {
namespace {

bool is_written_to(const Element &device) {
  const std::string kind = attribute(device, "device");
  return device.name == "disk" && (kind.empty() || kind == "disk") && device.child("readonly") == nullptr;
}

template <class Take>
std::vector<target::BackedDisk> disks_of(const std::string &document, const Take &take) {
  std::vector<target::BackedDisk> out;
  const Element domain = xml::parse(document, "libvirt domain");
  const Element *devices = domain.child("devices");
  if (devices == nullptr) return out;
  for (const Element &device : devices->children) {
    if (!is_written_to(device)) continue;
    target::BackedDisk disk{.name = attribute(device, "target", "dev"),
                            .file = attribute(device, "source", "file"),
                            .format = attribute(device, "driver", "type")};
    if (take(device, disk)) out.push_back(std::move(disk));
  }
  return out;
}

}  // namespace

std::vector<target::BackedDisk> backed_disks(const std::string &live_xml) {
  return disks_of(live_xml, [](const Element &device, target::BackedDisk &disk) {
    const Element *under = device.child("backingStore");
    if (under == nullptr || under->child("source") == nullptr) return false;  // an empty one is the chain's end
    disk.backing = attribute(*under, "source", "file");
    return true;
  });
}

std::vector<target::BackedDisk> file_disks(const std::string &domain_xml) {
  return disks_of(domain_xml, [](const Element &, const target::BackedDisk &disk) { return !disk.file.empty(); });
}

std::optional<std::string> without_backing(const std::string &domain_xml,
                                           const std::vector<std::filesystem::path> &files) {
  Element domain = xml::parse(domain_xml, "libvirt domain");
  Element *devices = child(domain, "devices");
  bool changed = false;
  for (std::size_t i = 0; devices != nullptr && i < devices->children.size(); ++i) {
    Element &device = devices->children[i];
    if (!is_written_to(device) || device.child("backingStore") == nullptr) continue;
    if (std::find(files.begin(), files.end(), attribute(device, "source", "file")) == files.end()) continue;
    // An empty one says that the chain ends here, as it does.
    if (device.child("backingStore")->children.empty()) continue;
    remove_children(device, "backingStore");
    changed = true;
  }
  if (!changed) return std::nullopt;
  return as_text(domain);
}

}  // namespace ferry::libvirt::edit
