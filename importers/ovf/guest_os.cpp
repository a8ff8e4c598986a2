// SPDX-License-Identifier: Apache-2.0
// The OperatingSystemSection: the guest system by CIM's number (DSP0243), VMware's and VirtualBox's own identifiers.
#include <algorithm>
#include <functional>
#include <vector>

#include "importers/ovf/context.hpp"

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

// IBM writes what the machine's processor is beside the guest system.
void check_architecture(const SettingsReader &section) {
  const auto architecture = section.child("architecture");
  if (!architecture) return;
  const std::string name = text::lower_ascii(architecture->content("hardware.cpu.architecture").value_or(""));
  if (name.find("86") != std::string::npos || name == "amd64" || name.empty()) return;
  throw Error(ErrorKind::unsupported, {.where = architecture->place(),
                                       .message = "the package is for a processor that virt-ferry does not support",
                                       .found = in_quotes(name),
                                       .expected = "x86 or x86-64"});
}

// One of the section's identifiers.
struct Identifier {
  std::reference_wrapper<const SettingsReader> holder;
  std::string_view attribute;  // "": the holder's text
  GuestOs os;
  [[nodiscard]] bool names_a_system() const { return os.family != OsFamily::unknown && os.family != OsFamily::other; }
};

}  // namespace

void read_guest_os(Context &in, const SettingsReader &section) {
  check_architecture(section);
  const auto description = section.child("Description");
  const auto vbox = section.child("OSType");
  const auto vmware_type = section.text("osType", "guest_os");
  const auto vbox_type = vbox ? vbox->content("guest_os") : std::nullopt;
  const auto cim = section.text("id", "guest_os");
  section.settle("version", Disposition::irrelevant, "the guest system's version in words");
  // The platforms' own identifiers say more than CIM's numbers. One that names no system ("other", or a newer product's
  // that is in no table) gives way to the next that does.
  std::vector<Identifier> said;
  if (vmware_type && !vmware_type->empty()) said.push_back({section, "osType", guest_os_from_vmware(*vmware_type)});
  if (vbox_type && !vbox_type->empty()) said.push_back({*vbox, "", guest_os_from_virtualbox(*vbox_type)});
  if (const auto number = text::parse_u64(text::trim(cim.value_or("")))) {
    said.push_back({section, "id", guest_os_from_cim(static_cast<int>(std::min<std::uint64_t>(*number, 100000)))});
  }
  GuestOs &os = in.machine.guest_os;
  auto chosen = std::ranges::find_if(said, &Identifier::names_a_system);
  if (chosen == said.end()) chosen = said.begin();
  if (chosen != said.end()) os = chosen->os;
  for (auto one = said.begin(); one != chosen; ++one) {
    one->holder.get().settle(one->attribute, Disposition::irrelevant,
                             "not a known system; the package also says " + os.source_id);
  }
  if (!description) return;
  const std::string text = description->content("guest_os.label").value_or("");
  // VirtualBox repeats its identifier there.
  if (!text.empty() && text != os.source_id) os.label = text;
}

}  // namespace ferry::ovf
