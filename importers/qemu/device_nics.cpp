// SPDX-License-Identifier: Apache-2.0
// Network cards: those of -net and -nic, the default one, and -device.
#include <algorithm>

#include "importers/qemu/devices.hpp"
#include "importers/qemu/network.hpp"

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

NicModel model_of(std::string_view driver) {
  if (driver == "e1000-82545em") return NicModel::e1000_82545em;
  if (driver == "e1000-82544gc") return NicModel::e1000_82543gc;
  if (driver == "e1000e") return NicModel::e1000e;
  if (driver.starts_with("virtio")) return NicModel::virtio;
  if (driver == "vmxnet3") return NicModel::vmxnet3;
  if (driver == "pcnet") return NicModel::am79c970a;
  if (driver.starts_with("ne2k")) return NicModel::ne2000;
  if (driver == "usb-net") return NicModel::usbnet;
  return NicModel::e1000_82540em;
}

// QEMU's default addresses: 52:54:00:12:34:56 and up (net/net.c).
MacAddress default_mac(unsigned number) {
  return {{0x52, 0x54, 0x00, 0x12, 0x34, static_cast<std::uint8_t>(0x56 + number)}};
}
constexpr unsigned kDefaultMacs = 0xff - 0x56 + 1;

}  // namespace

void DeviceReader::plan_nics() {
  struct Legacy {
    Option *option;
    std::string hub;
  };
  std::vector<Legacy> cards, backends;
  bool asked = c_.has("nodefaults") || c_.has("netdev");
  // QEMU makes the cards of -nic and -net in the order in which they stand.
  for (Option &option : c_.options) {
    if (!option.known || (option.name != "net" && option.name != "nic")) continue;
    asked = true;
    const std::string type = Context::peek(option, "type");
    if (type == "none") {
      c_.settle(option, Disposition::irrelevant, "no network card is asked for");
      continue;
    }
    if (option.name == "nic") {
      cards.push_back({&option, {}});
      continue;
    }
    const std::string hub = Context::peek(option, "vlan").empty() ? "0" : Context::peek(option, "vlan");
    (type == "nic" ? cards : backends).push_back({&option, hub});
  }
  const std::string standard = !c_.type.q35 ? "e1000" : c_.type.before(2, 12) ? "e1000" : "e1000e";
  for (const Legacy &card : cards) {
    Unit unit;
    unit.option = card.option;
    unit.card_of_backend = card.option->name == "nic";
    const std::string model = Context::peek(*card.option, "model");
    const Driver *known = find_driver(model.empty() ? standard : model);
    unit.driver = known != nullptr ? std::string(known->name) : model;
    if (unit.card_of_backend) {
      unit.backend = card.option;
    } else if (const std::string netdev = Context::peek(*card.option, "netdev"); !netdev.empty()) {
      for (Option *option : c_.all("netdev")) {
        if (Context::peek(*option, "id") == netdev) unit.backend = option;
      }
    } else {
      for (const Legacy &backend : backends) {
        if (backend.hub == card.hub && unit.backend == nullptr) unit.backend = backend.option;
      }
      c_.settle(*card.option, "vlan", Disposition::irrelevant, "a name inside the command");
    }
    if (known == nullptr) {
      c_.settle_rest(*card.option, Disposition::dropped, "there is no such card");
      c_.raise(kDropped, card.option->where, "There is no network card '" + text::printable(model) + "'.");
      continue;
    }
    units_.push_back(unit);
  }
  for (const Legacy &backend : backends) {
    c_.settle(*backend.option, "vlan", Disposition::irrelevant, "a name inside the command");
    const auto on_hub =
        std::count_if(cards.begin(), cards.end(), [&](const Legacy &card) { return card.hub == backend.hub; });
    if (on_hub > 1) {
      c_.raise(kHub, backend.option->where,
               std::to_string(on_hub) + " cards are on hub " + text::printable(backend.hub) + ".");
    }
    if (on_hub == 0) {
      c_.settle_rest(*backend.option, Disposition::irrelevant, "no card is connected to it");
    }
  }
  if (asked) return;
  Unit unit;
  unit.driver = standard;
  unit.has_backend = true;
  units_.push_back(unit);
  c_.added.push_back("a network card (" + standard + ") on a user network");
}

void DeviceReader::choose_mac(Nic &nic, Unit &unit, const std::string &field) {
  std::string written;
  bool named = false;
  if (unit.option != nullptr) {
    for (const std::string_view name : {"mac", "macaddr"}) {
      for (Key &one : unit.option->keys) {
        if (one.name != name) continue;
        one.taken = true;
        c_.out.ledger.take(one.entry, field + ".mac");
        written = one.value;
        named = true;
      }
    }
  }
  if (has_open(written)) {
    c_.raise(kOpenValue, place_of(unit),
             "The MAC address depends on the running script (" + text::printable(shown(written, c_.launch.opens)) +
                 "); the card gets one to keep.");
    return;  // without one the card gets a new one
  }
  if (named && !written.empty()) {
    const auto mac = MacAddress::parse(written);
    if (!mac) {
      throw Error(ErrorKind::malformed, {.where = place_of(unit),
                                         .message = "this is not a MAC address",
                                         .found = "'" + text::printable(written) + "'",
                                         .advice = "Correct the command and try again."});
    }
    if (mac->text() != "00:00:00:00:00:00") {
      nic.mac = mac;
      macs_.insert(mac->text());
      return;
    }
  }
  for (unsigned number = 0; number < kDefaultMacs; ++number) {
    const MacAddress mac = default_mac(number);
    if (!macs_.insert(mac.text()).second) continue;
    nic.mac = mac;
    nic.mac_generated = true;
    c_.raise(kDefaultMac, place_of(unit),
             "A network card has the address that QEMU gives, " + mac.text() + ", as other such machines do.");
    return;
  }
}

void DeviceReader::make_nic(Unit &unit, const Driver &driver) {
  auto &nics = c_.hardware().nics;
  const std::string field = "hardware.nics." + std::to_string(nics.size());
  Nic nic;
  nic.model = model_of(driver.name);
  nic.device = driver.name;
  nic.slot = static_cast<unsigned>(nics.size());
  nic.origin = place_of(unit);
  nic.mode = NicMode::null;
  choose_mac(nic, unit, field);
  if (driver.kind == DriverClass::nic) nic.place = pci(unit, field);
  if (driver.kind == DriverClass::usb_nic) nic.usb = usb(unit, field);
  if (unit.has_backend) nic.mode = NicMode::nat;
  Option *backend = unit.backend;
  if (unit.option != nullptr) {
    Option &option = *unit.option;
    if (option.name == "device") {
      c_.text(option, "driver", field + ".model");
      const std::string netdev = c_.text(option, "netdev", field + ".mode").value_or("");
      for (Option *one : c_.all("netdev")) {
        if (Context::peek(*one, "id") == netdev && !netdev.empty()) backend = one;
      }
      if (const auto index = c_.number(option, "bootindex", field + ".boot_index"))
        nic.boot_index = static_cast<unsigned>(std::min<std::uint64_t>(*index, 100'000));
      c_.settle(option, "romfile", Disposition::dropped, "the card's boot ROM is QEMU's own");
    } else {
      c_.text(option, "model", field + ".model");
      if (!unit.card_of_backend) c_.text(option, "type", field);
      c_.settle(option, "netdev", Disposition::irrelevant, "a name inside the command");
      c_.settle(option, "name", Disposition::irrelevant, "a name inside the command");
      // -nic leaves a virtio card without message-signalled interrupts: the number of vectors is zero, not the
      // default (net/net.c, net_param_nic) [tried on QEMU 7.2].
      const bool virtio = driver.name == "virtio-net-pci";
      if (virtio && unit.card_of_backend) nic.properties["vectors"] = "0";
      if (const auto vectors = c_.text(option, "vectors", field + ".properties"); vectors && virtio)
        nic.properties["vectors"] = *vectors;
      c_.settle(option, "addr", Disposition::irrelevant, "given to the card's place");
    }
  }
  if (backend != nullptr) {
    if (backend_users_[backend]++ == 0) {
      fill_network(c_, *backend, nic, field);
    } else if (!nics.empty()) {
      // A second card on one back end is on its network too.
      const auto other =
          std::find_if(nics.begin(), nics.end(), [&](const Nic &one) { return one.mode != NicMode::null; });
      if (other != nics.end()) {
        nic.mode = other->mode;
        nic.network = other->network;
      }
    }
    c_.settle_rest(*backend, Disposition::dropped, "libvirt has no such setting of a network");
  }
  if (unit.option != nullptr && unit.option->name == "device") finish_keys(unit, field, nic.properties);
  if (unit.option != nullptr)
    c_.settle_rest(*unit.option, Disposition::dropped, "libvirt has no such setting of a card");
  if (nics.empty()) {
    for (Option *option : c_.all("redir")) {
      const std::string text = c_.text(*option, "", field + ".forwards").value_or("");
      if (auto forward = parse_redirection(text); forward && nic.mode == NicMode::nat) {
        forward->name = "redir" + std::to_string(nic.forwards.size() + 1);
        forward->origin = option->where;
        add_forward(nic, std::move(*forward));
      } else {
        c_.raise(kNetworkKey, option->where, "The port forward '" + text::printable(text) + "' is not carried over.");
      }
    }
  }
  nics.push_back(std::move(nic));
}

}  // namespace ferry::qemu
