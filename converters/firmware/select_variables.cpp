// SPDX-License-Identifier: Apache-2.0
// Which of a guest's variables are worth carrying, and in what form. Everything else in a store belongs to the old
// firmware: console devices, memory types, counters, timeouts (OVMF takes its own from QEMU).
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "converters/firmware/boot_option.hpp"
#include "converters/firmware/carry.hpp"
#include "converters/firmware/findings.hpp"

#include "support/text.hpp"

namespace ferry::firmware {

namespace {

struct Key {
  std::u16string_view name;
  const Guid &guid;
  std::uint32_t attributes;
};

// In the order in which they are written. VirtualBox writes SecureBootEnable with attributes 7 and MokList with 0x23;
// these are EDK2's and shim's own.
constexpr std::array kKeys = {
    Key{u"db", kImageSecurityGuid, kAttributesKey},
    Key{u"dbx", kImageSecurityGuid, kAttributesKey},
    Key{u"KEK", kGlobalGuid, kAttributesKey},
    Key{u"PK", kGlobalGuid, kAttributesKey},
    Key{u"SecureBootEnable", kSecureBootEnableGuid, kAttributesBoot},
    Key{u"MokList", kShimGuid, kAttributesBoot},
    Key{u"MokListX", kShimGuid, kAttributesBoot},
};

std::string shown_entry(std::uint16_t number, const std::string &description) {
  return shown(boot_name(number)) + " \"" + description + '"';
}

// BootOrder's numbers, each once.
std::vector<std::uint16_t> boot_order(const NvramContents &contents) {
  std::vector<std::uint16_t> out;
  std::set<std::uint16_t> seen;
  const Variable *order = find(contents.variables, u"BootOrder", kGlobalGuid);
  if (order == nullptr) return out;
  for (const char16_t number : text::utf16_units(order->data, std::endian::little)) {
    if (seen.insert(number).second) out.push_back(number);
  }
  return out;
}

// Fills boot_entries, order, kept and dropped.
void select_entries(const NvramContents &contents, Selection &out) {
  std::map<std::uint16_t, KeptEntry> kept;
  for (const Variable &variable : contents.variables) {
    const auto number = boot_number(variable.name);
    if (!number || variable.guid != kGlobalGuid) continue;
    ParsedOption parsed = parse_boot_option(variable.data);
    const std::string description = shown(parsed.description);
    if (const auto *reason = std::get_if<Unportable>(&parsed.outcome)) {
      out.dropped.push_back({*number, description, std::string(explain(*reason))});
      continue;
    }
    const BootOption &option = std::get<BootOption>(parsed.outcome);
    kept[*number] = {*number, description, shown(option.file)};
    out.boot_entries.push_back({.name = variable.name,
                                .guid = kGlobalGuid,
                                .attributes = kAttributesRuntime,
                                .timestamp = {},
                                .data = serialise(option)});
  }
  for (const std::uint16_t number : boot_order(contents)) {
    if (kept.contains(number)) out.order.push_back(number);
  }
  // A store without an order, or with one of dropped entries only, would leave the kept ones unused.
  if (out.order.empty()) {
    for (const auto &[number, entry] : kept) out.order.push_back(number);
  }
  for (const std::uint16_t number : out.order) {
    out.kept.push_back(kept[number]);
    kept.erase(number);
  }
  for (auto &[number, entry] : kept) out.kept.push_back(std::move(entry));
}

void tell_entries(const NvramContents &contents, Selection &out) {
  std::string list;
  for (const KeptEntry &entry : out.kept) {
    list += (list.empty() ? "" : ", ") + shown_entry(entry.number, entry.description) + " (" + entry.file + ')';
  }
  if (!list.empty()) {
    out.findings.push_back(raise(kBootEntriesCarried, contents.where, "UEFI boot entries are carried over: " + list));
  }
  list.clear();
  for (const DroppedEntry &entry : out.dropped) {
    list += (list.empty() ? "" : ", ") + shown_entry(entry.number, entry.description) + " (" + entry.reason + ')';
  }
  if (!list.empty()) {
    out.findings.push_back(raise(kBootEntryDropped, contents.where, "UEFI boot entries are left out: " + list));
  }
  if (out.kept.empty() && contents.kind != NvramKind::unreadable) {
    out.findings.push_back(
        raise(kNoBootEntry, contents.where, "the source's store has no UEFI boot entry to carry over"));
  }
}

void select_keys(const NvramContents &contents, Selection &out) {
  for (const Key &key : kKeys) {
    const Variable *found = find(contents.variables, key.name, key.guid);
    if (found == nullptr) continue;
    out.keys.push_back(*found);
    out.keys.back().attributes = key.attributes;
    if (key.attributes != kAttributesKey) out.keys.back().timestamp = {};
  }
  if (find(out.keys, u"dbx", kImageSecurityGuid) == nullptr) {
    out.findings.push_back(
        raise(kNoRevocationList, contents.where, "the source's Secure Boot keys have no revocation list (dbx)"));
  }
}

}  // namespace

Selection select_variables(const NvramContents &contents, bool secure_boot) {
  Selection out;
  out.findings = contents.findings;
  select_entries(contents, out);
  tell_entries(contents, out);
  const std::optional<bool> had = secure_boot_of(contents);
  if (had == true && secure_boot) {
    select_keys(contents, out);
  } else if (had == true) {
    out.findings.push_back(raise(kKeysNotCarried, contents.where,
                                 "the guest ran with Secure Boot and the new machine does not: its keys stay behind"));
  } else if (secure_boot && contents.kind == NvramKind::vmware) {
    out.findings.push_back(
        raise(kKeysNotCarried, contents.where,
              "VMware's Secure Boot keys are not carried over: the host's store with Microsoft's keys "
              "takes their place"));
  }
  return out;
}

}  // namespace ferry::firmware
