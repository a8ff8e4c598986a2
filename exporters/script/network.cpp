// SPDX-License-Identifier: Apache-2.0
// Network cards. A user network needs nobody; a bridge needs QEMU's helper; what else there is is libvirt's to set up.
#include "exporters/script/maker.hpp"

namespace ferry::script {
namespace {

std::string driver_of(const std::string &model) {
  if (model.empty()) return "rtl8139";  // libvirt's choice where the domain has none
  if (model == "virtio") return "virtio-net-pci";
  if (model == "virtio-transitional" || model == "virtio-non-transitional")
    return "virtio-net-pci" + model.substr(std::string_view("virtio").size());
  return model;
}

// passt's forwards in the words of QEMU's own user network.
void add_forwards(const xml::Element &card, Keys &netdev) {
  for (const xml::Element *forward : children(card, "portForward")) {
    const std::string protocol = attribute(forward, "proto"), address = attribute(forward, "address");
    for (const xml::Element *range : children(*forward, "range")) {
      if (attribute(range, "exclude") == "yes") continue;
      const auto first = number(attribute(range, "start"));
      if (!first) continue;
      const unsigned last = number(attribute(range, "end")).value_or(*first);
      const unsigned to = number(attribute(range, "to")).value_or(*first);
      for (unsigned port = *first; port <= last && port - *first < 1000; ++port)
        netdev.set("hostfwd", Word(protocol + ":" + address + ":" + std::to_string(port) +
                                   "-:" + std::to_string(to + port - *first)));
    }
  }
}

Keys user_network(const xml::Element &card, const std::string &id) {
  Keys netdev("user");
  netdev.set("id", Word(id));
  const xml::Element *ip = card.child("ip");
  if (const std::string address = attribute(ip, "address"); !address.empty() && attribute(ip, "family") != "ipv6") {
    const std::string prefix = attribute(ip, "prefix");
    netdev.set("net", Word(address + "/" + (prefix.empty() ? "24" : prefix)));
  }
  add_forwards(card, netdev);
  return netdev;
}

// The bridge that a card is on and the user may use; "" without.
std::string bridge_of(const Maker &m, const xml::Element &card, const std::string &type) {
  const xml::Element *source = card.child("source");
  if (type == "bridge") return attribute(source, "bridge");
  // libvirt's own network of that name has this bridge wherever nobody changed it.
  const bool is_default = type == "network" && attribute(source, "network") == "default";
  return is_default && m.request.bridges.contains("virbr0") ? "virbr0" : "";
}

// The card's backend; false when it has none.
bool add_backend(Maker &m, const xml::Element &card, unsigned number_of, const std::string &id) {
  const std::string type = attribute(&card, "type"), label = "Network card " + std::to_string(number_of + 1);
  if (m.is_overridden(card, "netdev")) return false;  // in <qemu:commandline>
  if (attribute(card.child("link"), "state") == "down") {
    m.report(kLinkDown, label + "'s link is down; it is connected to nothing.");
    return false;
  }
  if (const std::string bridge = bridge_of(m, card, type); !bridge.empty()) {
    m.option("-netdev", Keys("bridge").set("id", Word(id)).set("br", Word(bridge)));
    return true;
  }
  if (type != "user") {
    std::string source;
    if (const xml::Element *element = card.child("source")) {
      for (const xml::Attribute &one : element->attributes) {
        if (one.name == "network" || one.name == "dev") source = " '" + one.value + "'";
      }
    }
    m.report(kNetworkChanged, label + " was on the " + type + source + "; it is on a user network.");
  }
  m.option("-netdev", user_network(card, id));
  return true;
}

void add_card(Maker &m, const xml::Element &card, unsigned index) {
  const std::string driver = driver_of(attribute(card.child("model"), "type"));
  const std::string id = "hostnet" + std::to_string(index);
  const bool connected = add_backend(m, card, index, id);
  Keys keys(driver);
  if (connected) keys.set("netdev", Word(id));
  keys.set("id", Word(m.id(card, "net" + std::to_string(index))));
  keys.set_some("mac", attribute(card.child("mac"), "address"));
  keys.set_some("host_mtu", driver.starts_with("virtio") ? attribute(card.child("mtu"), "size") : "");
  if (attribute(card.child("rom"), "enabled") == "no") keys.set("romfile", Word(""));
  const std::string place = attribute(card.child("address"), "type");
  if (driver == "usb-net") {
    m.place_usb(keys, card);
  } else if (place == "isa") {
    keys.set_some("iobase", attribute(card.child("address"), "iobase"));
    keys.set_some("irq", attribute(card.child("address"), "irq"));
  } else {
    m.place_pci(keys, card);
  }
  keys.set_some("bootindex", m.boot_place(card, "network"));
  m.device(keys, card);
  for (const char *name : {"bandwidth", "filterref", "vlan", "virtualport"}) {
    if (card.child(name) != nullptr)
      m.report(kLeftOut, "Network card " + std::to_string(index + 1) + "'s <" + name + "> is libvirt's and left out.");
  }
}

}  // namespace

void add_interfaces(Maker &m) {
  const auto cards = children(m.devices, "interface");
  if (cards.empty()) return;
  m.group("network");
  unsigned index = 0;
  for (const xml::Element *card : cards) {
    if (attribute(card, "type") == "hostdev") {
      m.report(kDeviceLeftOut, "Network card " + std::to_string(index + 1) + " is a device of the host, and left out.");
    } else {
      add_card(m, *card, index);
    }
    ++index;
  }
}

}  // namespace ferry::script
