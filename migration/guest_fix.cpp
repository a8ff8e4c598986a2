// SPDX-License-Identifier: Apache-2.0
#include "migration/guest_fix.hpp"

#include <algorithm>

#include "support/text.hpp"

namespace ferry::migration {
namespace {

const ObservedService *find(const ObservedControlSet &set, const std::string &name) {
  const auto found = std::find_if(set.services.begin(), set.services.end(),
                                  [&](const ObservedService &one) { return one.name == name; });
  return found == set.services.end() ? nullptr : &*found;
}

std::vector<std::uint8_t> dword(std::uint32_t value) {
  std::vector<std::uint8_t> out;
  for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
  return out;
}

// Vista's drivers have no list of hardware beside them that must name the disk's controller; XP's have.
bool is_vista_or_later(const ObservedWindows &windows) {
  const auto major = text::parse_u64(windows.version.substr(0, windows.version.find('.')));
  return major.value_or(0) >= 6;
}

std::string why_never(const Observed &observed, const ObservedWindows &windows) {
  if (windows.registry_dirty) return "its registry was not written to its end";
  if (windows.hibernated) return "it is hibernated";
  for (const ObservedVolume &volume : observed.volumes) {
    const bool same = volume.disk == windows.disk && volume.number == windows.partition;
    if (same && volume.dirty) return "its file system was not unmounted";
  }
  if (!is_vista_or_later(windows)) return "it is older than Windows Vista, or does not say how old it is";
  return {};
}

// VDS_SAN_POLICY, which partmgr's SanPolicy holds.
constexpr std::uint32_t kUseAll = 1, kLeaveShared = 2, kLeaveAll = 3, kLeaveInternal = 4;

std::string set_name(std::uint32_t number) {
  const std::string digits = std::to_string(number);
  return "ControlSet" + std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits;
}

class Fixer {
 public:
  Fixer(const ObservedWindows &windows, FixDecision &out) : windows_(windows), out_(out) {}

  void start(const std::vector<std::string> &group) {
    const auto in_all = [&](const std::string &name) {
      return std::all_of(
          windows_.control_sets.begin(), windows_.control_sets.end(), [&](const ObservedControlSet &set) {
            const ObservedService *service = find(set, name);
            return service != nullptr && service->start_at && (!service->start_override || service->override_at);
          });
    };
    const auto name = std::find_if(group.begin(), group.end(), in_all);
    if (name == group.end()) {
      out_.why_not = "its registry has no service " + group.front() + ", or not where it can be changed";
      return;
    }
    for (const ObservedControlSet &set : windows_.control_sets) {
      const ObservedService &service = *find(set, *name);
      const std::string key = set_name(set.number) + "\\Services\\" + *name;
      add(key, "Start", service.start, 0, *service.start_at);
      if (service.start_override) add(key + "\\StartOverride", "0", *service.start_override, 0, *service.override_at);
    }
  }

  void use_new_disks() {
    for (const ObservedControlSet &set : windows_.control_sets) {
      if (!set.san_policy) continue;
      if (!set.san_policy_at) {
        out_.why_not = "its registry does not have the value where it can be changed";
        return;
      }
      add(set_name(set.number) + "\\Services\\partmgr\\Parameters", "SanPolicy", *set.san_policy, kUseAll,
          *set.san_policy_at);
    }
  }

 private:
  void add(const std::string &key, const char *value, std::uint32_t before, std::uint32_t after, std::uint64_t at) {
    if (before == after) return;
    out_.fixes.push_back({.disk = windows_.disk,
                          .file = "\\" + windows_.folder + "\\System32\\config\\SYSTEM",
                          .key = key,
                          .value = value,
                          .before = before,
                          .after = after,
                          .change = {.offset = at, .before = dword(before), .after = dword(after)}});
  }

  const ObservedWindows &windows_;
  FixDecision &out_;
};

}  // namespace

std::string GuestFix::text() const {
  return file + ": " + key + ": " + value + " " + std::to_string(before) + " becomes " + std::to_string(after);
}

FixDecision start_at_boot(const Observed &observed, const ObservedWindows &windows,
                          const std::vector<std::vector<std::string>> &groups) {
  FixDecision out;
  out.why_not = why_never(observed, windows);
  for (const std::vector<std::string> &group : groups) {
    if (out.why_not.empty()) Fixer(windows, out).start(group);
  }
  if (!out.why_not.empty()) out.fixes.clear();
  return out;
}

bool stays_offline(const ObservedWindows &windows, const std::string &bus) {
  if (windows.control_sets.empty()) return false;
  switch (windows.control_sets.front().san_policy.value_or(kUseAll)) {
    // A shared bus is SCSI, SAS, iSCSI or Fibre Channel; virtio's driver calls its own SCSI.
    case kLeaveShared: return bus == "scsi" || bus == "virtio";
    case kLeaveAll: return true;
    case kLeaveInternal: return bus != "usb";
    default: return false;
  }
}

FixDecision use_new_disks(const Observed &observed, const ObservedWindows &windows) {
  FixDecision out;
  out.why_not = why_never(observed, windows);
  if (out.why_not.empty()) Fixer(windows, out).use_new_disks();
  if (!out.why_not.empty()) out.fixes.clear();
  return out;
}

}  // namespace ferry::migration
