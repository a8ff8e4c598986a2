// SPDX-License-Identifier: Apache-2.0
// Network cards: model, MAC address, PCI slot (which makes the guest's interface name), and where they lead.
//
// A network that the source isolates from the Internet is never replaced by one that reaches it: without a libvirt
// network of that name the card is there with its link down, and the report says how to connect it.
#include <array>

#include "exporters/libvirt/map/nic_parts.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

class NicMapper {
 public:
  NicMapper(Mapping &m, std::size_t index, const Nic &nic) : m_(m), index_(index), nic_(nic) {}

  void map(SeededRandom &random, std::set<std::string> &taken) {
    m_.keep(nic_field(index_));
    choose_model();
    choose_mac(random, taken);
    choose_network();
    choose_slot();
    map_forwards(m_, index_, nic_, out_);
    map_link();
    map_back_end(m_, index_, nic_, out_);
    map_user_address(m_, index_, nic_, out_);
    map_rest();
    m_.domain.interfaces.push_back(out_);
    m_.result.nics.push_back({out_.mac, out_.model, described_network(), guest_name_});
  }

 private:
  void choose_model() {
    const NicModelRow &row = nic_model_row(nic_.model);
    out_.model = row.model;
    if (!unknown_or_has(m_.host.nic_models, out_.model)) {
      constexpr std::array<std::string_view, 4> kCommon = {"e1000e", "e1000", "virtio", "rtl8139"};
      for (const std::string_view model : kCommon) {
        if (!has(m_.host.nic_models, model)) continue;
        out_.model = model;
        break;
      }
    }
    if (out_.model == row.model && row.exact) {
      m_.keep(nic_field(index_, "model"), out_.model);
      return;
    }
    m_.translate(nic_field(index_, "model"), std::string(row.name) + " becomes " + out_.model);
    m_.raise(kNicModelChanged, nic_.origin,
             nic_label(index_) + " was " + std::string(row.name) + "; the guest gets " + out_.model + ".");
  }

  [[nodiscard]] std::string generate(SeededRandom &random, const std::set<std::string> &taken) const {
    while (true) {
      const std::uint64_t word = random.next();
      const MacAddress mac{{0x52, 0x54, 0x00, static_cast<std::uint8_t>(word), static_cast<std::uint8_t>(word >> 8U),
                            static_cast<std::uint8_t>(word >> 16U)}};
      std::string text = mac.text();
      if (!taken.contains(text) && !m_.host.mac_addresses.contains(text)) return text;
    }
  }

  void choose_mac(SeededRandom &random, std::set<std::string> &taken) {
    const std::string generated = generate(random, taken);  // drawn for each card: the others' stay the same
    const std::string field = nic_field(index_, "mac");
    const auto given = m_.options.macs.find(index_);
    if (given != m_.options.macs.end()) {
      if (given->second.is_multicast()) {
        throw Error(ErrorKind::usage, {.message = "a network card cannot have a multicast address",
                                       .found = given->second.text(),
                                       .expected = "an address whose first byte is even"});
      }
      out_.mac = given->second.text();
      m_.translate(field, "the given address");
    } else if (m_.options.mac_policy == MacPolicy::regenerate || !nic_.mac) {
      out_.mac = generated;
      m_.translate(field, "a new address");
    } else if (nic_.mac->is_multicast()) {
      out_.mac = generated;
      m_.translate(field, "a new address: the source's is a multicast address");
      m_.raise(kMacInvalid, nic_.origin,
               nic_label(index_) + " has the multicast address " + nic_.mac->text() + "; it gets a new one.");
    } else {
      out_.mac = nic_.mac->text();
      m_.keep(field);
      m_.keep(nic_field(index_, "mac_generated"));
    }
    refuse_clash();
    taken.insert(out_.mac);
  }

  void refuse_clash() const {
    const auto owner = m_.host.mac_addresses.find(out_.mac);
    if (owner == m_.host.mac_addresses.end() || owner->second == m_.options.name) return;
    throw Error(
        ErrorKind::conflict,
        {.where = nic_.origin,
         .message = "the MAC address is already that of the domain '" + owner->second + "'",
         .found = out_.mac,
         .expected = "an address that no domain on this connection has",
         .advice = "Use --mac new, or --mac " + std::to_string(index_ + 1) + "=XX:XX:XX:XX:XX:XX for this card."});
  }

  // ---- where the card leads ----

  void isolate(const std::string &why) {
    out_.type = "user";
    out_.link_up = false;
    m_.raise(kNicIsolated, nic_.origin, nic_label(index_) + " " + why + "; it is there with its link down.");
  }

  void use_user(const std::string &why) {
    out_.type = "user";
    if (!why.empty()) m_.raise(kNicUserNetwork, nic_.origin, nic_label(index_) + " " + why);
  }

  // libvirt looks for it when the machine starts, not before.
  void report_missing(const std::string &kind) {
    if (m_.host.built_in) return;  // nobody was asked what there is
    m_.raise(kNicTargetMissing, nic_.origin,
             nic_label(index_) + " goes to the " + kind + " '" + out_.source + "' as asked, which " +
                 (kind == "bridge" && m_.session() ? "qemu-bridge-helper does not open to this user."
                                                   : "this host does not have."));
  }

  bool use_option() {
    const auto option = m_.options.networks.find(index_);
    if (option == m_.options.networks.end()) return false;
    const std::string &spec = option->second;
    if (spec == "user") {
      out_.type = "user";
    } else if (spec == "none") {
      out_.type = "user";
      out_.link_up = false;
    } else if (spec.starts_with("bridge:") && spec.size() > 7) {
      out_.type = "bridge";
      out_.source = spec.substr(7);
      if (!m_.host.bridges.contains(out_.source)) report_missing("bridge");
    } else if (spec.starts_with("network:") && spec.size() > 8) {
      out_.type = "network";
      out_.source = spec.substr(8);
      if (!m_.host.networks.contains(out_.source)) report_missing("network");
    } else {
      throw Error(ErrorKind::usage, {.message = "--network does not understand its value",
                                     .found = std::to_string(index_) + "=" + spec,
                                     .expected = "user, bridge:NAME, network:NAME or none"});
    }
    m_.translate(nic_field(index_, "mode"), "as asked: " + spec);
    m_.translate(nic_field(index_, "network"), "as asked: " + spec);
    return true;
  }

  void bridge() {
    if (!nic_.network.empty() && m_.host.networks.contains(nic_.network)) {
      closed("network");
      return;
    }
    if (m_.host.bridges.contains(nic_.network)) {
      out_.source = nic_.network;
    } else {
      for (const std::string &name : m_.host.bridges) {
        if (name.starts_with("virbr") || !out_.source.empty()) continue;
        out_.source = name;
      }
    }
    if (out_.source.empty()) {
      use_user("was bridged" + (nic_.network.empty() ? std::string{} : " to" + quoted_network()) +
               "; no bridge is open to this user, so it goes through user networking, which others cannot reach.");
      m_.translate(nic_field(index_, "mode"), "user networking");
      m_.drop(nic_field(index_, "network"), "no bridge is open to this user");
      return;
    }
    out_.type = "bridge";
    m_.keep(nic_field(index_, "mode"), "bridged");
    m_.translate(nic_field(index_, "network"), "bridge " + out_.source);
  }

  // A closed network of the source: a libvirt network of that name, or no connection at all.
  void closed(std::string_view kind) {
    const std::string field = nic_field(index_, "network");
    if (!nic_.network.empty() && m_.host.networks.contains(nic_.network)) {
      out_.type = "network";
      out_.source = nic_.network;
      m_.translate(nic_field(index_, "mode"), "libvirt network");
      m_.keep(field, "libvirt network " + nic_.network);
      return;
    }
    isolate("was on the " + std::string(kind) + quoted_network() + ", which this host does not have");
    m_.drop(nic_field(index_, "mode"), "link down: no such network here");
    m_.drop(field, "no libvirt network of that name");
  }

  [[nodiscard]] std::string quoted_network() const {
    return nic_.network.empty() ? std::string{} : " '" + nic_.network + "'";
  }

  void user_network(std::string_view note) {
    use_user("");
    m_.translate(nic_field(index_, "mode"), note);
    m_.translate(nic_field(index_, "network"), note);
  }

  void choose_network() {
    if (use_option()) return;
    switch (nic_.mode) {
      case NicMode::nat: user_network("user networking (NAT)"); break;
      case NicMode::nat_network:
        if (!nic_.network.empty() && m_.host.networks.contains(nic_.network)) {
          closed("NAT network");
        } else {
          use_user("was on the NAT network" + quoted_network() +
                   "; it gets a NAT of its own and does not see that network's other machines.");
          m_.translate(nic_field(index_, "mode"), "user networking (NAT)");
          m_.drop(nic_field(index_, "network"), "other machines of that NAT network are not seen");
        }
        break;
      case NicMode::bridged: bridge(); break;
      case NicMode::internal: closed("internal network"); break;
      case NicMode::host_only:
      case NicMode::host_only_network: closed("host-only network"); break;
      case NicMode::custom: closed("virtual network"); break;
      case NicMode::generic: closed("generic driver's network"); break;
      case NicMode::cloud: closed("cloud network"); break;
      case NicMode::none:
      case NicMode::null:
        out_.type = "user";
        out_.link_up = false;
        m_.keep(nic_field(index_, "mode"), "not attached: link down");
        m_.keep(nic_field(index_, "network"));
        break;
    }
  }

  [[nodiscard]] std::string described_network() const {
    if (!out_.link_up) return "none (link down)";
    return out_.source.empty() ? out_.type : out_.type + ":" + out_.source;
  }

  // ---- slot and interface name ----

  void choose_slot() {
    const std::string field = nic_field(index_, "pci_slot");
    const std::optional<unsigned> wanted = nic_.pci_slot;
    m_.keep(nic_field(index_, "slot"));
    if (m_.board.root_port_names && wanted) {
      behind_root_port(*wanted);
      return;
    }
    out_.address = m_.slots.place(wanted);
    if (!out_.address) {
      m_.translate(field, "libvirt chooses the slot");
      return;
    }
    const std::string slot = std::to_string(out_.address->slot);
    // With ACPI hotplug a guest on `pc` names by slot, without it, and on q35's root bus, by path.
    const bool by_path = m_.board.q35 || m_.domain.controllers.front().hotplug == false;
    name((by_path ? "enp0s" : "ens") + slot);
    if (wanted == out_.address->slot) {
      m_.keep(field);
    } else {
      m_.translate(field, "PCI slot " + slot);
    }
    const NicNames names = m_.hardware.platform.nic_names;
    if (!wanted || names == NicNames::unknown || !m_.linux_guest()) return;
    const std::string old = (names == NicNames::by_path ? "enp0s" : "ens") + std::to_string(*wanted);
    if (guest_name_ && *guest_name_ != old) {
      m_.raise(kNicNameChanges, nic_.origin,
               nic_label(index_) + " was " + old + " in the guest and will be " + *guest_name_ +
                   " where the guest names its cards by slot.");
    }
  }

  void name(std::string text) {
    const OsFamily family = m_.machine.guest_os.family;
    if (family == OsFamily::linux || family == OsFamily::unknown) guest_name_ = std::move(text);
  }

  // "ens33": the number is that of a hot-pluggable slot, which QEMU's root ports can be given.
  void behind_root_port(unsigned number) {
    DomainController port{.type = "pci", .model = "pcie-root-port"};
    port.index = ++m_.root_ports;
    port.chassis = port.index;
    port.address = m_.slots.place(std::nullopt);
    port.alias = "ua-rp" + std::to_string(number);
    out_.address = PciAddress{.bus = port.index, .slot = 0};
    m_.domain.qemu_overrides.push_back({port.alias, {{"slot", "unsigned", std::to_string(number)}}});
    m_.domain.controllers.push_back(std::move(port));
    name("ens" + std::to_string(number));
    m_.keep(nic_field(index_, "pci_slot"), "slot number of a root port");
  }

  // ---- the rest ----

  void map_link() {
    if (!nic_.cable_connected) out_.link_up = false;
    m_.keep(nic_field(index_, "cable_connected"), out_.link_up ? "" : "link down");
  }

  void map_rest() {
    m_.keep(nic_field(index_, "boot_priority"), "rank in the boot order");
    const std::string properties = nic_field(index_, "properties");
    m_.drop(properties, "belongs to the source's own network code");
    const std::string bandwidth = nic_field(index_, "bandwidth_bytes_per_second");
    if (nic_.bandwidth_bytes_per_second.value_or(0) != 0) {
      m_.drop(bandwidth, "a session connection cannot limit bandwidth");
      m_.raise(kBandwidthDropped, nic_.origin,
               nic_label(index_) + "'s limit of " + text::human_bytes(*nic_.bandwidth_bytes_per_second) +
                   " per second is not carried over.");
    } else {
      m_.keep(bandwidth, "no limit");
    }
  }

  Mapping &m_;
  std::size_t index_;
  const Nic &nic_;
  DomainInterface out_;
  std::optional<std::string> guest_name_;
};

}  // namespace

void map_nics(Mapping &m) {
  m.keep("nics", "the cards that the machine has");  // what names a card as such: the numbers of adapters
  SeededRandom random(m.options.random_seed ^ 0x4E4943U);
  std::set<std::string> taken;
  for (const Nic &nic : m.hardware.nics) {
    if (nic.mac) taken.insert(nic.mac->text());
  }
  for (std::size_t i = 0; i < m.hardware.nics.size(); ++i) NicMapper(m, i, m.hardware.nics[i]).map(random, taken);
  compare_loopback(m);
  if (m.root_ports > 0) {
    // Native PCIe hotplug reads the port's slot number; ACPI's would hide it.
    m.domain.qemu_arguments.insert(m.domain.qemu_arguments.end(),
                                   {"-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"});
    m.taint("the slot numbers that give network cards VMware's names");
  }
}

}  // namespace ferry::libvirt
