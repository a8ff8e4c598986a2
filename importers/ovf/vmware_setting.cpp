// SPDX-License-Identifier: Apache-2.0
#include "importers/ovf/vmware_setting.hpp"

#include <array>

namespace ferry::ovf {
namespace {

// Keys that a .vmx file describes the machine with, and of which the package's other elements tell.
constexpr std::array kDescribedElsewhere{
    vmware::KeyRule{"numvcpus", Disposition::irrelevant, "given among the devices"},
    vmware::KeyRule{"memsize", Disposition::irrelevant, "given among the devices"},
    vmware::KeyRule{"displayname", Disposition::irrelevant, "the machine's name is given elsewhere"},
    vmware::KeyRule{"annotation", Disposition::irrelevant, "given in the annotation as well"},
    vmware::KeyRule{"guestos", Disposition::irrelevant, "given in the operating system section as well"},
    vmware::KeyRule{"virtualhw.version", Disposition::irrelevant, "given in the system's type as well"},
    vmware::KeyRule{"sharedfolder#.*", Disposition::dropped, "a folder of the source's host"},
    vmware::KeyRule{"uuid.bios", Disposition::dropped, "not a UUID"},
};

}  // namespace

std::vector<Setting> settings(const SettingsReader &element, std::string_view name) {
  std::vector<Setting> out;
  for (const SettingsReader &child : element.children(name)) out.emplace_back(child);
  return out;
}

std::optional<unsigned> slot(const Setting &setting) {
  const auto number = setting.number();
  return number && *number < 100000 ? std::optional(static_cast<unsigned>(*number)) : std::nullopt;
}

const vmware::KeyRule *extra_config_rule(std::string_view key) {
  const std::string lower = text::lower_ascii(key);
  for (const vmware::KeyRule &rule : kDescribedElsewhere) {
    if (vmware::key_matches(rule.pattern, lower)) return &rule;
  }
  return vmware::find_vmx_key(key);
}

void settle_by(const vmware::KeyRule *rule, const Setting &setting) {
  if (rule == nullptr) return;
  const vmware::Verdict said = vmware::verdict(*rule, setting.value());
  setting.settle(said.disposition, said.note);
}

}  // namespace ferry::ovf
