// SPDX-License-Identifier: Apache-2.0
// Name, title, description, groups, and the guest system by its libosinfo id.
#include "exporters/libvirt/map/mapping.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

// libvirt refuses a title with a line break, and shows it on terminals.
std::string one_line(const std::string &text) {
  std::string out;
  for (const char32_t c : text::decode_utf8_lossy(text)) {
    const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0) || text::is_hidden_control(c);
    text::append_utf8(out, control ? U' ' : c);
  }
  return out;
}

}  // namespace

void map_identity(Mapping &m) {
  const Machine &machine = m.machine;
  m.domain.name = m.input.identity.name;
  m.domain.description = machine.description;
  // The programs that show the system know no id that their database lacks.
  const bool newer = !machine.guest_os.osinfo_newer.empty() && m.host.osinfo_db >= kOsinfoNewerRelease;
  m.domain.osinfo_id = newer ? machine.guest_os.osinfo_newer : machine.guest_os.osinfo_id;
  // GNOME Boxes lists a domain without a title with no name at all [tried, 43.2].
  m.domain.title = one_line(m.input.identity.title);
  if (m.domain.name == machine.name) {
    m.keep("/name");
  } else {
    m.translate("/name", "domain name " + m.domain.name);
  }
  m.keep("/description");
  m.keep("/current_snapshot");
  m.keep("/current_state_modified", "the current state is always carried over as it is");
  m.drop("/groups", "libvirt has no groups of machines");
  if (!machine.groups.empty() && machine.groups != std::vector<std::string>{"/"}) {
    m.raise(kGroupsDropped, machine.origin, "The machine's groups are not carried over: libvirt has none.");
  }
  m.drop("/extra", "a value of the source platform's own code");
  if (m.domain.osinfo_id.empty()) {
    m.translate("/guest_os", "libosinfo has no such system; nothing is written");
    m.raise(
        kGuestOsUnknown, machine.origin,
        machine.guest_os.source_id.empty()
            ? "The source does not say which guest system it is; general defaults are used."
            : "The guest system '" + machine.guest_os.source_id + "' has no libosinfo id; general defaults are used.");
  } else {
    m.translate("/guest_os", m.domain.osinfo_id);
  }
}

}  // namespace ferry::libvirt
