// SPDX-License-Identifier: Apache-2.0
// Cards: one on the pod network, behind address translation as it was with NAT; others where --network names a
// NetworkAttachmentDefinition. The PCI address keeps names such as enp0s3,
// as a boot of virt-launcher's own XML showed [tried: v1.6.5].
#include <optional>

#include "exporters/kubevirt/mapping.hpp"
#include "model/names.hpp"

#include "support/text.hpp"

namespace ferry::kubevirt {
namespace {

// Slots of PCI bus 0 that KubeVirt's q35 board has devices of its own in: host bridge, video, the chipset.
constexpr unsigned kFirstFreeSlot = 3, kLastFreeSlot = 0x1e;

std::string model_of(NicModel model) {
  switch (model) {
    case NicModel::e1000_82540em:
    case NicModel::e1000_82543gc:
    case NicModel::e1000_82545em: return "e1000";
    case NicModel::e1000e: return "e1000e";
    case NicModel::virtio: return "virtio";
    case NicModel::am79c970a:
    case NicModel::am79c973:
    case NicModel::vlance:
    case NicModel::flexible: return "pcnet";
    case NicModel::ne2000: return "ne2k_pci";
    default: return {};
  }
}

// For what KubeVirt has not: modern guests of VMware have a driver for the first, old ones for the second.
std::string nearest_model(NicModel model) {
  const bool vmxnet3 = model == NicModel::vmxnet3 || model == NicModel::e82583v;
  return vmxnet3 ? "e1000e" : "e1000";
}

std::string pci_address(unsigned slot) { return "0000:00:" + text::hex(slot, 2) + ".0"; }

class Cards {
 public:
  // One card is on the pod network: the first that was connected.
  explicit Cards(Mapping &m) : m_(m) {
    for (std::size_t i = 0; i < m_.hardware.nics.size(); ++i) {
      if (attachment_of(i)) continue;
      if (!pod_card_) pod_card_ = i;
      if (!is_connected(m_.hardware.nics[i], i)) continue;
      pod_card_ = i;
      break;
    }
  }

  void add(std::size_t i) {
    const Nic &nic = m_.hardware.nics[i];
    const std::string field = field_at("nics", i);
    const std::optional<std::string> attachment = attachment_of(i);
    m_.book(m_.input.identity.cards[i].account);
    if (!attachment && pod_card_ != i) {
      m_.drop(field, "one card can be on the pod network");
      m_.raise(kNicDropped, nic.origin, "Network card " + std::to_string(i + 1) + " is left out.");
      return;
    }
    const std::string name = "net" + std::to_string(i + 1);
    Json network = {{"name", name}};
    Json interface = {{"name", name}, {"model", choose_model(nic, i)}};
    target::Nic told{.mac = m_.input.identity.cards[i].mac.text(),
                     .model = interface["model"].get<std::string>(),
                     .network = {},
                     .guest_name = std::nullopt,
                     .forwards = {}};
    if (attachment) {
      network["multus"] = {{"networkName", *attachment}};
      interface["bridge"] = Json::object();
      told.network = *attachment;
      m_.translate(field, "network " + *attachment);
    } else {
      network["pod"] = Json::object();
      interface["masquerade"] = Json::object();
      told.network = "pod network";
      m_.translate(field, "the pod network");
      if (nic.mode != NicMode::nat)
        m_.raise(kPodNetwork, nic.origin, "Network card " + std::to_string(i + 1) + " is on the pod network.");
    }
    interface["macAddress"] = told.mac;
    place(nic, i, interface, told);
    const bool connected = is_connected(nic, i);
    if (!connected) interface["state"] = "down";
    m_.keep(field + ".cable_connected");
    drop_forwards(nic, i, field);
    m_.networks.push_back(std::move(network));
    m_.cards.push_back({&nic, connected});
    interfaces_.push_back(std::move(interface));
    m_.result.nics.push_back(std::move(told));
  }

  void finish() {
    // Without a card of its own the machine would be given one.
    if (!pod_card_) m_.devices["autoattachPodInterface"] = false;
    if (!interfaces_.empty()) m_.devices["interfaces"] = std::move(interfaces_);
  }

 private:
  [[nodiscard]] std::optional<std::string> attachment_of(std::size_t card) const {
    const target::Network *asked = m_.input.options.network_of(card);
    if (asked == nullptr || asked->kind != target::Network::Kind::network) {
      if (asked != nullptr && asked->kind == target::Network::Kind::bridge)
        throw Error(ErrorKind::usage, {.message = "--network: a cluster has no bridges of this host",
                                       .found = asked->text(),
                                       .expected = "user, none, or network:[NAMESPACE/]NAME"});
      return std::nullopt;
    }
    return asked->name;
  }

  [[nodiscard]] bool is_connected(const Nic &nic, std::size_t card) const {
    const target::Network *asked = m_.input.options.network_of(card);
    if (asked != nullptr) return asked->kind != target::Network::Kind::none;
    switch (nic.mode) {
      case NicMode::none:
      case NicMode::null:
      case NicMode::internal:
      case NicMode::host_only:
      case NicMode::host_only_network: return false;
      default: return nic.cable_connected;
    }
  }

  std::string choose_model(const Nic &nic, std::size_t i) {
    std::string model = model_of(nic.model);
    if (!model.empty()) return model;
    model = nearest_model(nic.model);
    m_.raise(kNicModel, nic.origin,
             "Network card " + std::to_string(i + 1) + " was a " + std::string(to_string(nic.model)) + " and is an " +
                 model + ".");
    m_.translate(field_at("nics", i) + ".model", model);
    return model;
  }

  // A slot that is known and free here keeps the name that the guest gives the card by its place.
  void place(const Nic &nic, std::size_t i, Json &interface, target::Nic &told) {
    const bool is_plain = nic.place && nic.place->bus == 0 && nic.place->function == 0;
    const std::optional<unsigned> slot = is_plain    ? std::optional(nic.place->slot)
                                         : nic.place ? std::nullopt
                                                     : nic.pci_slot;
    const bool by_path = m_.hardware.platform.nic_names == NicNames::by_path || nic.place;
    if (by_path && slot && *slot >= kFirstFreeSlot && *slot <= kLastFreeSlot) {
      interface["pciAddress"] = pci_address(*slot);
      told.guest_name = "enp0s" + std::to_string(*slot);
      m_.keep(field_at("nics", i) + ".pci_slot");
      return;
    }
    if (m_.machine.guest_os.family == OsFamily::linux)
      m_.raise(kNicPlace, nic.origin, "Network card " + std::to_string(i + 1) + " is in another place than before.");
  }

  void drop_forwards(const Nic &nic, std::size_t i, const std::string &field) {
    for (std::size_t j = 0; j < nic.forwards.size(); ++j) {
      const PortForward &forward = nic.forwards[j];
      m_.drop(field_at(field + ".forwards", j), "a Service of the cluster leads to the machine");
      m_.raise(kForwardDropped, forward.origin,
               "Network card " + std::to_string(i + 1) + "'s port forward to the guest's " +
                   std::string(to_string(forward.protocol)) + " port " + std::to_string(forward.guest_port) +
                   " is left out.");
    }
  }

  Mapping &m_;
  Json interfaces_ = Json::array();
  std::optional<std::size_t> pod_card_;
};

}  // namespace

void map_cards(Mapping &m) {
  Cards cards(m);
  for (std::size_t i = 0; i < m.hardware.nics.size(); ++i) cards.add(i);
  cards.finish();
}

}  // namespace ferry::kubevirt
