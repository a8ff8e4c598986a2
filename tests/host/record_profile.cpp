// SPDX-License-Identifier: Apache-2.0
// Prints the host profile of a libvirt connection; how fixtures/hosts/*.json are made:
//   record_profile qemu:///session --sanitise > fixtures/hosts/debian-12.json
// --sanitise takes out what belongs to one machine and one person: domains, networks, bridges, home folder.
#include <cstdio>
#include <string>

#include "exporters/libvirt/host/connection.hpp"

int main(int count, char **arguments) {
  try {
    const ferry::libvirt::Connection connection(count > 1 ? arguments[1] : "qemu:///session");
    ferry::libvirt::HostProfile profile = connection.probe();
    if (count > 2 && std::string(arguments[2]) == "--sanitise") {
      profile.domain_names.clear();
      profile.domain_uuids.clear();
      profile.mac_addresses.clear();
      profile.networks.clear();
      profile.bridges.clear();
      profile.image_folder = "/home/user/.local/share/libvirt/images";
    }
    std::fputs(ferry::libvirt::host_profile_json(profile).c_str(), stdout);
    return 0;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
