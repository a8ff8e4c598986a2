// SPDX-License-Identifier: Apache-2.0
// Network cards: model, MAC address, PCI slot (which makes the guest's interface name), and where they lead.
//
// A network that the source isolates from the Internet is never replaced by one that reaches it: without a libvirt
// network of that name the card is there with its link down, and the report says how to connect it.
#include <array>

#include "exporters/libvirt/map/nic_parts.hpp"
#include "exporters/libvirt/map/qemu_parts.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

class NicMapper {
 public:
  NicMapper(Mapping &m, std::size_t index, const Nic &nic) : m_(m), index_(index), nic_(nic) {}

  void map() {
    m_.keep(nic_field(index_));
    choose_model();
    const target::Identity::Card &card = m_.input.identity.cards.at(index_);
    out_.mac = card.mac.text();
    m_.book(card.account);
    choose_network();
    choose_slot();
    const std::size_t forwards_before = m_.host_ports.size();
    map_forwards(m_, index_, nic_, out_);
    map_link();
    map_back_end(m_, index_, nic_, out_);
    map_user_address(m_, index_, nic_, out_);
    map_rest();
    m_.domain.interfaces.push_back(out_);
    target::Nic &told = m_.result.nics.emplace_back();
    told = {out_.mac, out_.model, described_network(), guest_name_, {}};
    for (std::size_t i = forwards_before; i < m_.host_ports.size(); ++i)
      told.forwards.push_back(described_forward(m_.host_ports[i]));
  }

 private:
  static std::string described_forward(const HostForward &forward) {
    const auto address = [](const std::string &host) { return host.empty() ? "" : host + ":"; };
    return forward.protocol + " " + address(forward.address) + std::to_string(forward.host_port) + " -> " +
           address(forward.guest_address) + std::to_string(forward.guest_port);
  }

  // A card of QEMU's own, where it put it.
  [[nodiscard]] bool named_by_qemu() const { return !nic_.device.empty(); }

  void choose_model() {
    if (named_by_qemu()) {
      out_.model = libvirt_model(nic_.device);
      if (!choose_macos_card(m_, index_, nic_, out_.model)) m_.keep(nic_field(index_, "model"), out_.model);
      return;
    }
    const NicModelRow &row = nic_model_row(nic_.model);
    out_.model = row.model;
    if (choose_macos_card(m_, index_, nic_, out_.model)) return;
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

  // ---- where the card leads ----

  void isolate(const std::string &why) {
    out_.type = "user";
    out_.link_up = false;
    m_.raise(kNicIsolated, nic_.origin, nic_label(index_) + " " + why + "; it is kept, with its link down.");
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
    const target::Network *asked = m_.options.network_of(index_);
    if (asked == nullptr) return false;
    using Kind = target::Network::Kind;
    out_.type = "user";
    if (asked->kind == Kind::none) out_.link_up = false;
    if (asked->kind == Kind::bridge || asked->kind == Kind::network) {
      out_.type = asked->kind == Kind::bridge ? "bridge" : "network";
      out_.source = asked->name;
      const std::set<std::string> &known = asked->kind == Kind::bridge ? m_.host.bridges : m_.host.networks;
      if (!known.contains(out_.source)) report_missing(out_.type);
    }
    m_.translate(nic_field(index_, "mode"), "as asked: " + asked->text());
    m_.translate(nic_field(index_, "network"), "as asked: " + asked->text());
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

  // A tap that the host has made; libvirt only opens it.
  void tap() {
    out_.type = "ethernet";
    out_.target = nic_.network;
    m_.keep(nic_field(index_, "mode"), "tap device " + nic_.network);
    m_.keep(nic_field(index_, "network"));
    m_.raise(
        kNicTap, nic_.origin,
        nic_label(index_) + " uses the host's tap device '" + nic_.network + "', which must be there at the start.");
  }

  // "mcast 230.0.0.1:1234", "listen :1234", "connect 127.0.0.1:1234"
  void socket() {
    const std::size_t blank = nic_.network.find(' '), colon = nic_.network.rfind(':');
    const std::string kind = nic_.network.substr(0, blank);
    out_.type = kind == "mcast" ? "mcast" : kind == "listen" ? "server" : "client";
    if (blank == std::string::npos || colon == std::string::npos || colon < blank || kind == "udp") {
      isolate("was on a socket that cannot be told");
      return;
    }
    out_.socket_address = nic_.network.substr(blank + 1, colon - blank - 1);
    out_.socket_port = nic_.network.substr(colon + 1);
    m_.keep(nic_field(index_, "mode"), "QEMU's socket");
    m_.keep(nic_field(index_, "network"));
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
      case NicMode::tap: tap(); break;
      case NicMode::socket: socket(); break;
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
    if (named_by_qemu()) return take_place();
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

  // Where QEMU has it. With ACPI hotplug a guest on `pc` names by slot, on q35's root bus by path.
  void take_place() {
    m_.keep(nic_field(index_, "slot"));
    m_.keep(nic_field(index_, "place"));
    m_.keep(nic_field(index_, "usb"));
    if (nic_.place) {
      out_.address = pci_address(m_, *nic_.place, nic_.origin);
      if (nic_.place->bus == 0) name((m_.board.q35 ? "enp0s" : "ens") + std::to_string(nic_.place->slot));
    } else if (nic_.usb) {
      out_.usb = usb_address(m_, *nic_.usb);
    } else {
      out_.isa = std::pair{0x300U, 9U};  // what QEMU's ne2k_isa has; libvirt would take it for a PCI card
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
    m_.keep(nic_field(index_, "boot_index"), "rank in the boot order");
    if (named_by_qemu()) {
      if (!nic_.properties.empty() && out_.alias.empty()) out_.alias = "ua-nic" + std::to_string(index_);
      override_properties(m_, out_.alias, nic_.properties, nic_field(index_));
      return;
    }
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
  for (std::size_t i = 0; i < m.hardware.nics.size(); ++i) NicMapper(m, i, m.hardware.nics[i]).map();
  compare_loopback(m);
  if (m.root_ports > 0) {
    // Native PCIe hotplug reads the port's slot number; ACPI's would hide it.
    m.domain.qemu_arguments.insert(m.domain.qemu_arguments.end(),
                                   {"-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"});
    m.taint("the slot numbers that give network cards VMware's names");
  }
}

}  // namespace ferry::libvirt
