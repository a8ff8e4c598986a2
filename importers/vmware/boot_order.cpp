// SPDX-License-Identifier: Apache-2.0
#include "importers/vmware/boot_order.hpp"

#include <algorithm>
#include <utility>

#include "support/text.hpp"

namespace ferry::vmware {
namespace {

using Kind = BootDevice::Kind;

std::vector<std::string> split_list(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view item = text::trim(list.substr(0, comma));
    if (!item.empty()) out.push_back(text::lower_ascii(item));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return out;
}

void add(Kind kind, std::vector<BootDevice> &out, std::optional<std::string> detail = std::nullopt) {
  out.push_back({kind, std::move(detail)});
}

bool add_item(const std::string &item, const std::vector<std::string> &disks, std::vector<BootDevice> &out) {
  if (item == "hdd" || item == "hd" || item == "disk") {
    if (disks.empty()) add(Kind::disk, out);
    for (const std::string &disk : disks) add(Kind::disk, out, disk);
  } else if (item == "cdrom" || item == "cd") {
    add(Kind::cdrom, out);
  } else if (item == "floppy" || item == "fd") {
    add(Kind::floppy, out);
  } else if (item == "usb") {
    add(Kind::usb, out);
  } else if (item == "net" || item.starts_with("ethernet") || item.starts_with("legacynetwork")) {
    const bool named = item.starts_with("ethernet") && item.size() > 8;
    add(Kind::network, out, named ? std::optional(item) : std::nullopt);
  } else {
    return false;
  }
  return true;
}

}  // namespace

BootOrder boot_order(std::string_view classes, std::string_view disks) {
  BootOrder out;
  const std::vector<std::string> named = split_list(disks);
  std::vector<std::string> items = split_list(classes);
  if (items.empty() && !named.empty()) items = split_list(kDefaultClasses);
  for (std::string &item : items) {
    if (!add_item(item, named, out.devices) && item != "any") out.unknown.push_back(std::move(item));
  }
  return out;
}

}  // namespace ferry::vmware
