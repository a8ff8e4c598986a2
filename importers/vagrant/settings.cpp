// SPDX-License-Identifier: Apache-2.0
#include "importers/vagrant/settings.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "importers/vagrant/findings.hpp"

#include "support/text.hpp"

namespace ferry::vagrant {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostDisks = 256;

std::string shown(const Json &value) {
  return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const Json &object, const char *key) {
  const auto hit = object.find(key);
  return hit != object.end() && hit->is_string() ? hit->get<std::string>() : std::string();
}

[[noreturn]] void no_metadata(const Place &where, std::string found) {
  throw Error(ErrorKind::malformed, {.where = where,
                                     .message = "the box's metadata cannot be understood",
                                     .found = std::move(found),
                                     .expected = "a JSON object with the provider and the disks",
                                     .advice = "Download the box again."});
}

// How Vagrant reaches, fills and looks after the machine, and where vagrant-libvirt keeps it.
bool is_housekeeping(std::string_view option) {
  constexpr std::array<std::string_view, 20> kBeginnings{"config.ssh",
                                                         "config.winrm",
                                                         "config.winssh",
                                                         "config.vm.box",
                                                         "config.vm.synced_folder",
                                                         "config.vm.provision",
                                                         "config.vm.boot_timeout",
                                                         "config.vm.communicator",
                                                         "config.vm.guest",
                                                         "config.vm.hostname",
                                                         "config.vm.define",
                                                         "config.vm.graceful_halt_timeout",
                                                         "config.vm.post_up_message",
                                                         "config.vm.usable_port_range",
                                                         "config.nfs",
                                                         "config.vagrant",
                                                         "config.vm.allowed_synced_folder_types",
                                                         "config.vm.allow_fstab_modification",
                                                         "config.vm.allow_hosts_modification",
                                                         "config.vbguest"};
  constexpr std::array<std::string_view, 40> kLibvirt{"driver",
                                                      "host",
                                                      "uri",
                                                      "username",
                                                      "password",
                                                      "connect_via_ssh",
                                                      "id_ssh_key_file",
                                                      "socket",
                                                      "proxy_command",
                                                      "storage_pool_name",
                                                      "storage_pool_path",
                                                      "snapshot_pool_name",
                                                      "default_prefix",
                                                      "title",
                                                      "description",
                                                      "management_network_name",
                                                      "management_network_address",
                                                      "management_network_mode",
                                                      "management_network_mac",
                                                      "management_network_autostart",
                                                      "management_network_guest_ipv6",
                                                      "management_network_pci_bus",
                                                      "management_network_pci_slot",
                                                      "management_network_domain",
                                                      "management_network_keep",
                                                      "volume_cache",
                                                      "disk_driver",
                                                      "disk_device",
                                                      "disk_address_type",
                                                      "autostart",
                                                      "qemu_use_session",
                                                      "qemu_use_agent",
                                                      "forward_ssh_port",
                                                      "mgmt_attach",
                                                      "graphics_port",
                                                      "graphics_ip",
                                                      "graphics_autoport",
                                                      "graphics_type",
                                                      "keymap",
                                                      "keymap_layout"};
  constexpr std::array<std::string_view, 12> kVmware{"gui",
                                                     "whitelist_verified",
                                                     "allowlist_verified",
                                                     "linked_clone",
                                                     "clone_directory",
                                                     "enable_vmrun_ip_lookup",
                                                     "functional_hgfs",
                                                     "unmount_default_hgfs",
                                                     "ssh_info_public",
                                                     "port_forward_network_pause",
                                                     "utility_port",
                                                     "verify_vmnet"};
  const auto is = [&](auto one) { return option == one; };
  return std::any_of(kBeginnings.begin(), kBeginnings.end(), [&](auto one) { return option.starts_with(one); }) ||
         std::any_of(kLibvirt.begin(), kLibvirt.end(), is) || std::any_of(kVmware.begin(), kVmware.end(), is);
}

}  // namespace

std::string provider_of(std::string_view metadata) {
  const Json json = Json::parse(metadata.begin(), metadata.end(), nullptr, false);
  return json.is_object() ? text_of(json, "provider") : std::string();
}

Metadata read_metadata(const Box &box, Ledger &ledger) {
  Metadata out;
  const std::string *text = box.text("metadata.json");
  const Place where{box.shown("metadata.json"), std::nullopt, {}};
  const Json json = text == nullptr ? Json::object() : Json::parse(text->begin(), text->end(), nullptr, false);
  if (!json.is_object()) no_metadata(where, "no JSON object");
  const auto enter = [&](const std::string &path, const Json &value) {
    return ledger.enter({where.file, std::nullopt, path}, text::printable(shown(value)));
  };
  for (const auto &[key, value] : json.items()) {
    if (key == "disks") continue;
    const Ledger::Id id = enter(key, value);
    if (key == "provider") ledger.settle(id, Disposition::irrelevant, "which of Vagrant's providers the box is for");
    if (key == "format") ledger.take(id, "hardware.controllers");
    if (key == "architecture") ledger.take(id, "hardware.cpu.architecture");
    if (key == "virtual_size") ledger.settle(id, Disposition::irrelevant, "the image itself says its size");
  }
  out.provider = text_of(json, "provider");
  out.architecture = text_of(json, "architecture");
  const auto disks = json.find("disks");
  if (disks == json.end()) {
    out.disks.push_back({"box.img", text_of(json, "format"), {where.file, std::nullopt, "format"}});
    return out;
  }
  if (!disks->is_array() || disks->empty() || disks->size() > kMostDisks)
    no_metadata({where.file, std::nullopt, "disks"}, "disks that are not a list, or none, or too many");
  for (std::size_t i = 0; i < disks->size(); ++i) {
    const std::string path = "disks." + std::to_string(i);
    const Json &disk = disks->at(i);
    if (!disk.is_object()) no_metadata({where.file, std::nullopt, path}, shown(disk));
    for (const auto &[key, value] : disk.items()) {
      const Ledger::Id id = enter(path + "." + key, value);
      if (key == "path" || key == "format") ledger.take(id, "hardware.controllers");
      if (key == "name" || key == "virtual_size" || key == "device")
        ledger.settle(id, Disposition::irrelevant, "a name or a size that the image itself has");
    }
    const std::string member = text_of(disk, "path");
    out.disks.push_back({member.empty() ? (i == 0 ? "box.img" : "box_" + std::to_string(i) + ".img") : member,
                         text_of(disk, "format"),
                         {where.file, std::nullopt, path}});
  }
  return out;
}

Options::Options(const Box &box, std::vector<std::string> names, Ledger &ledger, std::vector<Finding> &findings)
    : ledger_(ledger), findings_(findings) {
  const std::string *text = box.text("Vagrantfile");
  if (text == nullptr) return;
  for (Assignment &assignment : read_vagrantfile(*text)) {
    const std::string provider = assignment.option.substr(0, assignment.option.find('.'));
    const bool ours = std::find(names.begin(), names.end(), provider) != names.end();
    if (!ours && provider != "config") continue;  // another provider's
    const Place where{box.shown("Vagrantfile"), assignment.line, assignment.option};
    const Ledger::Id id = ledger.enter(where, text::printable(assignment.value));
    std::string option = ours ? assignment.option.substr(provider.size() + 1) : assignment.option;
    entries_.push_back({std::move(assignment), std::move(option), id, where, false});
  }
}

Options::Entry *Options::last(std::string_view option) {
  Entry *out = nullptr;
  for (Entry &entry : entries_) {
    if (entry.option != option) continue;
    if (out != nullptr) {
      ledger_.settle(out->id, Disposition::dropped, "it is set again further down");
      out->used = true;
    }
    out = &entry;
  }
  return out;
}

std::optional<std::string> Options::text(std::string_view option, std::string_view field) {
  Entry *entry = last(option);
  if (entry == nullptr || !entry->assignment.plain) return std::nullopt;
  entry->used = true;
  ledger_.take(entry->id, field);
  if (entry->assignment.value == "nil") return std::nullopt;
  return entry->assignment.value;
}

std::optional<std::uint64_t> Options::number(std::string_view option, std::string_view field, std::uint64_t most) {
  const auto value = text(option, field);
  if (!value) return std::nullopt;
  const auto number = text::parse_u64(*value);
  if (number && *number > 0 && *number <= most) return number;
  bad_value(option, "\"" + text::printable(*value) + "\" is not a number from 1 to " + std::to_string(most));
  return std::nullopt;
}

bool Options::on(std::string_view option, std::string_view field) {
  const auto value = text(option, field);
  return value && *value == "true";
}

bool Options::called(std::string_view option, std::string_view field) {
  Entry *entry = last(option);
  if (entry == nullptr) return false;
  entry->used = true;
  ledger_.take(entry->id, field);
  return true;
}

std::vector<Options::Indexed> Options::indexed(std::string_view option, std::string_view note) {
  std::vector<Indexed> out;
  const std::string prefix = std::string(option) + ".";
  for (Entry &entry : entries_) {
    if (!entry.option.starts_with(prefix) || !entry.assignment.plain) continue;
    entry.used = true;
    ledger_.settle(entry.id, Disposition::translated, note);
    const std::string &value = entry.assignment.value;
    out.push_back({entry.option.substr(prefix.size()), value == "nil" ? std::nullopt : std::optional(value)});
  }
  return out;
}

Place Options::place(std::string_view option) const {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->option == option) return entry->where;
  }
  return {};
}

void Options::bad_value(std::string_view option, const std::string &message) {
  findings_.push_back(raise(kBadValue, place(option), message));
}

void Options::finish() {
  for (Entry &entry : entries_) {
    if (entry.used) continue;
    if (is_housekeeping(entry.option)) {
      ledger_.settle(entry.id, Disposition::irrelevant, "how Vagrant works on the machine, not what it is");
      continue;
    }
    if (entry.assignment.plain) continue;
    findings_.push_back(raise(kNotPlain, entry.where,
                              entry.assignment.option + " is '" + text::excerpt(entry.assignment.value, 60) + "'"));
  }
}

}  // namespace ferry::vagrant
