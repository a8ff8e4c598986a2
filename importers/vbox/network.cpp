// SPDX-License-Identifier: Apache-2.0
// <Network>: adapters with one child for the active mode and, since 1.10, <DisabledModes> with the leftovers of the
// others. Facts: VirtualBox's settings schema; <Forwarding proto> 0 is UDP and 1 is TCP.
#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "importers/vbox/findings.hpp"
#include "importers/vbox/scope.hpp"
#include "importers/vbox/slots.hpp"

#include "support/text.hpp"

namespace ferry::vbox {
namespace {

constexpr std::array<Word<NicModel>, 18> kModels{{{"Am79C973", NicModel::am79c973},
                                                  {"Am79C970A", NicModel::am79c970a},
                                                  {"Am79C960", NicModel::am79c960},
                                                  {"82540EM", NicModel::e1000_82540em},
                                                  {"82543GC", NicModel::e1000_82543gc},
                                                  {"82545EM", NicModel::e1000_82545em},
                                                  {"82574", NicModel::e1000e},
                                                  {"82574L", NicModel::e1000e},
                                                  {"82583V", NicModel::e82583v},
                                                  {"virtio", NicModel::virtio},
                                                  {"virtio_1.0", NicModel::virtio},
                                                  {"NE1000", NicModel::ne1000},
                                                  {"NE2000", NicModel::ne2000},
                                                  {"WD8003", NicModel::wd8003},
                                                  {"WD8013", NicModel::wd8013},
                                                  {"3C503", NicModel::elnk2},
                                                  {"3C501", NicModel::elnk1},
                                                  {"usbnet", NicModel::usbnet}}};

struct ModeElement {
  std::string_view element;
  NicMode mode;
  std::string_view name_attribute;
};
constexpr std::array<ModeElement, 10> kAttachments{{{"NAT", NicMode::nat, ""},
                                                    {"NATNetwork", NicMode::nat_network, "name"},
                                                    {"BridgedInterface", NicMode::bridged, "name"},
                                                    {"HostInterface", NicMode::bridged, "name"},  // before 1.10
                                                    {"InternalNetwork", NicMode::internal, "name"},
                                                    {"HostOnlyInterface", NicMode::host_only, "name"},
                                                    {"HostOnlyNetwork", NicMode::host_only_network, "name"},
                                                    {"GenericInterface", NicMode::generic, "driver"},
                                                    {"CloudNetwork", NicMode::cloud, "name"},
                                                    {"VDE", NicMode::generic, "network"}}};

struct NatSetting {
  std::string_view child, attribute;  // child "": of <NAT> itself
  Disposition disposition;
  std::string_view note;
};
constexpr std::string_view kDns = "QEMU's user networking always passes the host's resolver on";
constexpr std::string_view kTftp = "give <interface> a TFTP server by hand, or boot from the network through a bridge";
constexpr std::string_view kBuffers = "buffer sizes of VirtualBox's NAT";
constexpr std::array<NatSetting, 17> kNatSettings{{
    {"", "hostip", Disposition::dropped, "user networking leaves by the host's own routes"},
    {"", "mtu", Disposition::dropped, "user networking has its own packet size"},
    {"", "sockrcv", Disposition::irrelevant, kBuffers},
    {"", "socksnd", Disposition::irrelevant, kBuffers},
    {"", "tcprcv", Disposition::irrelevant, kBuffers},
    {"", "tcpsnd", Disposition::irrelevant, kBuffers},
    {"", "forward-broadcast", Disposition::dropped, "user networking forwards no broadcasts"},
    {"", "enable-tftp", Disposition::dropped, kTftp},
    {"DNS", "pass-domain", Disposition::irrelevant, kDns},
    {"DNS", "use-proxy", Disposition::irrelevant, kDns},
    {"DNS", "use-host-resolver", Disposition::irrelevant, kDns},
    {"Alias", "logging", Disposition::irrelevant, "logging of VirtualBox's NAT"},
    {"Alias", "proxy-only", Disposition::dropped, "user networking has no such mode"},
    {"Alias", "use-same-ports", Disposition::dropped, "user networking chooses source ports freely"},
    {"TFTP", "prefix", Disposition::dropped, kTftp},
    {"TFTP", "boot-file", Disposition::dropped, kTftp},
    {"TFTP", "next-server", Disposition::dropped, kTftp},
}};

std::uint16_t port_number(const SettingsReader &element, std::string_view attribute, const std::string &field) {
  constexpr unsigned kMostPort = 65535;
  return static_cast<std::uint16_t>(small_number(element, attribute, field, kMostPort).value_or(0));
}

void read_forwards(const SettingsReader &nat, const std::string &at, Nic &nic) {
  for (const SettingsReader &element : nat.children("Forwarding")) {
    const std::string field = at + ".forwards." + std::to_string(nic.forwards.size());
    PortForward forward;
    forward.origin = element.place();
    forward.name = element.text("name", field + ".name").value_or("");
    const bool tcp = element.number("proto", field + ".protocol").value_or(1) == 1;
    forward.protocol = tcp ? PortForward::Protocol::tcp : PortForward::Protocol::udp;
    forward.host_address = element.text("hostip", field + ".host_address").value_or("");
    forward.guest_address = element.text("guestip", field + ".guest_address").value_or("");
    forward.host_port = port_number(element, "hostport", field + ".host_port");
    forward.guest_port = port_number(element, "guestport", field + ".guest_port");
    add_forward(nic, std::move(forward));
  }
}

void read_nat(const Scope &scope, const SettingsReader &nat, const std::string &at, Nic &nic) {
  nic.nat_cidr = nat.text("network", at + ".nat_cidr");
  if (nic.nat_cidr && nic.nat_cidr->empty()) nic.nat_cidr.reset();
  nic.nat_reaches_loopback =
      nat.boolean("localhost-reachable", at + ".nat_reaches_loopback").value_or(scope.version().before(19));
  for (const NatSetting &setting : kNatSettings) {
    const auto holder = setting.child.empty() ? std::optional(nat) : nat.child(setting.child);
    const std::string *value = holder ? holder->element().attribute(setting.attribute) : nullptr;
    if (value == nullptr) continue;
    holder->settle(setting.attribute, setting.disposition, setting.note);
    const std::string name = setting.child.empty() ? std::string(setting.attribute)
                                                   : std::string(setting.child) + "/" + std::string(setting.attribute);
    if (setting.disposition == Disposition::dropped) nic.properties[name] = *value;
  }
  read_forwards(nat, at, nic);
}

void read_mode(const Scope &scope, const SettingsReader &adapter, const std::string &at, Nic &nic) {
  nic.mode = NicMode::null;  // no child: the card is there, and connected to nothing
  for (const SettingsReader &element : adapter.children()) {
    if (element.element().name == "DisabledModes") {
      element.settle_all(Disposition::irrelevant, "what was set for modes that are not in use");
      continue;
    }
    for (const ModeElement &row : kAttachments) {
      if (row.element != element.element().name) continue;
      nic.mode = row.mode;
      element.touch(at + ".mode");
      if (row.mode == NicMode::nat) {
        read_nat(scope, element, at, nic);
      } else {
        nic.network = element.text(row.name_attribute, at + ".network").value_or("");
      }
      if (row.element == "VDE") {
        nic.properties["network"] = nic.network;
        nic.network = "VDE";
      }
      element.settle("TAPSetup", Disposition::dropped, "a script of the old host");
      element.settle("TAPTerminate", Disposition::dropped, "a script of the old host");
    }
    if (nic.mode != NicMode::generic) continue;
    for (const SettingsReader &property : element.children("Property")) {
      const std::string name = property.text("name", at + ".network").value_or("");
      nic.properties[name] = property.text("value", at + ".network").value_or("");
    }
  }
}

void read_housekeeping(const SettingsReader &adapter) {
  constexpr std::string_view kTrace = "VirtualBox's packet trace; use virsh or tcpdump on the host";
  adapter.settle("trace", Disposition::irrelevant, kTrace);
  adapter.settle("tracefile", Disposition::irrelevant, kTrace);
  adapter.settle("speed", Disposition::dropped, "QEMU's cards report a speed of their own");
  const std::string *policy = adapter.element().attribute("promiscuousModePolicy");
  const bool strict = policy != nullptr && same_word("Deny", *policy);
  adapter.settle("promiscuousModePolicy", strict ? Disposition::irrelevant : Disposition::dropped,
                 "the host's bridge decides what a guest may listen to");
}

void read_identity(Scope &scope, const SettingsReader &adapter, const std::string &at, Nic &nic) {
  // Until 1.15: Am79C970A and no cable; since 1.16: Am79C973 and a cable.
  const bool modern = scope.version().at_least(16);
  nic.model = word<NicModel>(scope.in, adapter, "type", at + ".model", kModels)
                  .value_or(modern ? NicModel::am79c973 : NicModel::am79c970a);
  nic.cable_connected = adapter.boolean("cable", at + ".cable_connected").value_or(modern);
  if (const auto mac = adapter.text("MACAddress", at + ".mac"); mac && !mac->empty()) {
    nic.mac = MacAddress::parse(text::trim(*mac));
    if (!nic.mac) {
      throw Error(ErrorKind::malformed, {.where = adapter.place("MACAddress"),
                                         .message = "the MAC address cannot be understood",
                                         .found = "\"" + text::printable(*mac) + "\"",
                                         .expected = "12 hexadecimal digits"});
    }
    constexpr std::array<std::uint8_t, 3> kVirtualBoxOui{0x08, 0x00, 0x27};
    nic.mac_generated = std::equal(kVirtualBoxOui.begin(), kVirtualBoxOui.end(), nic.mac->bytes.begin());
  }
  constexpr unsigned kMostPriority = 99;
  nic.boot_priority = small_number(adapter, "bootPriority", at + ".boot_priority", kMostPriority);
  if (const auto group = adapter.text("bandwidthGroup", at + ".bandwidth_bytes_per_second")) {
    const auto limit = scope.bandwidth.find(*group);
    if (limit != scope.bandwidth.end()) nic.bandwidth_bytes_per_second = limit->second;
  }
}

// Bandwidth groups of networks; those of disks have no counterpart in the model.
void read_bandwidth(Scope &scope) {
  constexpr unsigned kMebibyte = 20;  // as a shift
  constexpr std::uint64_t kMostMebibytes = std::uint64_t{1} << 40U;
  const auto io = scope.hardware.child("IO");
  const auto groups = io ? io->child("BandwidthGroups") : std::nullopt;
  if (!groups) return;
  for (const SettingsReader &group : groups->children("BandwidthGroup")) {
    const std::string *type = group.element().attribute("type");
    if (type != nullptr && same_word("Disk", *type)) {
      group.settle_all(Disposition::dropped, "limit the disk with <iotune> in the domain");
      continue;
    }
    const std::string name = group.element().attribute("name") == nullptr ? "" : *group.element().attribute("name");
    auto limit = group.number("maxBytesPerSec", scope.field("nics"));
    if (!limit) {
      limit = group.number("maxMbPerSec", scope.field("nics"));
      if (limit) limit = std::min(*limit, kMostMebibytes) << kMebibyte;
    }
    if (limit && *limit > 0) scope.bandwidth[name] = *limit;
    group.settle_all(Disposition::irrelevant, "the group's limit is given to each of its network cards");
  }
}

std::vector<unsigned> enabled_adapters(const SettingsReader &network, unsigned count) {
  std::set<unsigned> out;
  for (const SettingsReader &adapter : network.children("Adapter")) {
    const std::string *slot = adapter.element().attribute("slot");
    const std::string *enabled = adapter.element().attribute("enabled");
    const auto number = slot == nullptr ? std::nullopt : text::parse_u64(text::trim(*slot));
    const bool on = enabled != nullptr && (same_word("true", *enabled) || same_word("1", *enabled));
    if (on && number && *number < count) out.insert(static_cast<unsigned>(*number));
  }
  return {out.begin(), out.end()};
}

}  // namespace

void read_network(Scope &scope) {
  read_bandwidth(scope);
  const auto network = scope.hardware.child("Network");
  if (!network) return;
  const unsigned count = adapter_count(scope.hw.chipset);
  const std::vector<unsigned> enabled = enabled_adapters(*network, count);
  NicSlots slots(scope.hw.chipset, enabled);
  std::map<unsigned, SettingsReader> by_slot;
  for (const SettingsReader &adapter : network->children("Adapter")) {
    constexpr unsigned kMostSlot = std::numeric_limits<unsigned>::max();  // one too high is an adapter of no board
    const std::string at = scope.field("nics");
    const auto slot = small_number(adapter, "slot", at, kMostSlot);
    if (!slot || !by_slot.emplace(*slot, adapter).second) {
      throw Error(ErrorKind::malformed,
                  {.where = adapter.place("slot"),
                   .message = slot ? "two network adapters have the same number" : "a network adapter has no number",
                   .found = slot ? std::to_string(*slot) : "nothing",
                   .expected = "slot=\"...\", each once"});
    }
  }
  for (const auto &[slot, adapter] : by_slot) {
    const std::string at = scope.field("nics." + std::to_string(scope.hw.nics.size()));
    if (std::find(enabled.begin(), enabled.end(), slot) == enabled.end()) {
      const bool hidden = slot >= count;
      adapter.settle(
          "slot", Disposition::irrelevant,
          hidden ? "the board has no such adapter" : "the adapter is not enabled: the guest does not see it");
      adapter.settle_all(Disposition::irrelevant, hidden ? "the board has no such adapter"
                                                         : "the adapter is not enabled: the guest does not see it");
      continue;
    }
    Nic nic;
    nic.origin = adapter.place();
    nic.slot = slot;
    (void)adapter.boolean("enabled", at);
    read_identity(scope, adapter, at, nic);
    read_mode(scope, adapter, at, nic);
    read_housekeeping(adapter);
    const NicPlace place = slots.place(slot);
    if (place.behind_bridge && !is_off_pci(nic.model)) {
      scope.in.find(kNicBehindBridge, adapter.place(),
                    "network adapter " + std::to_string(slot + 1) + " sat behind a PCI bridge");
    }
    scope.hw.nics.push_back(std::move(nic));
  }
}

}  // namespace ferry::vbox
