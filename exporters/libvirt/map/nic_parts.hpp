// SPDX-License-Identifier: Apache-2.0
// What the files about network cards share: map_network.cpp, nic_models.cpp, user_network.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "exporters/libvirt/map/mapping.hpp"

namespace ferry::libvirt {

struct NicModelRow {
  NicModel source;
  std::string_view name;   // the source's, for people
  std::string_view model;  // libvirt's and QEMU's
  bool exact;              // the same chip
};
// The card that is nearest to `model`; every model has one.
[[nodiscard]] const NicModelRow &nic_model_row(NicModel model);

// "nics.1.mac"
[[nodiscard]] inline std::string nic_field(std::size_t index) { return field_at("nics", index); }
[[nodiscard]] inline std::string nic_field(std::size_t index, FieldOf<Nic> member) {
  return below<Nic>(nic_field(index), member);
}

[[nodiscard]] inline std::string nic_label(std::size_t index) { return "Network card " + std::to_string(index + 1); }

// macos.cpp: another model than `model`, where the release of macOS that the guest is has no driver for it; whether it
// is another.
bool choose_macos_card(Mapping &m, std::size_t index, const Nic &nic, std::string &model);

// user_network.cpp: port forwards, by passt or by QEMU's own user network; each that is lost is a finding.
void map_forwards(Mapping &m, std::size_t index, const Nic &nic, DomainInterface &out);
// user_network.cpp: which program is the user network, where the host has no choice.
void map_back_end(Mapping &m, std::size_t index, const Nic &nic, DomainInterface &out);
// user_network.cpp: the network that the guest's address is from.
void map_user_address(Mapping &m, std::size_t index, const Nic &nic, DomainInterface &out);
// user_network.cpp: the guest's way to the host's own services, of all cards; a finding where it is new. QEMU's user
// network and passt both lead the gateway's address to 127.0.0.1 [read: their manuals]; VirtualBox's NAT did until 6.1,
// VMware's does not.
void compare_loopback(Mapping &m);

}  // namespace ferry::libvirt
