// SPDX-License-Identifier: Apache-2.0
#include "tests/vbox/support.hpp"

namespace ferry::vbox::test {
namespace {

std::string adapter(unsigned slot, const std::string &inside = "<NAT/>", const std::string &attributes = "") {
  return "<Adapter slot=\"" + std::to_string(slot) + "\" enabled=\"true\" " + attributes + ">" + inside + "</Adapter>";
}
std::string network(const std::string &adapters) { return "<Network>" + adapters + "</Network>"; }

TEST(Network, ModelAndCableDefaultsTurnedRoundIn116) {
  const Nic old = hardware_of(network(adapter(0)), "1.15-linux").nics.at(0);
  EXPECT_EQ(old.model, NicModel::am79c970a);
  EXPECT_FALSE(old.cable_connected);
  const Nic modern = hardware_of(network(adapter(0)), "1.16-linux").nics.at(0);
  EXPECT_EQ(modern.model, NicModel::am79c973);
  EXPECT_TRUE(modern.cable_connected);
}

TEST(Network, EveryModel) {
  const std::vector<std::pair<std::string, NicModel>> models{
      {"Am79C970A", NicModel::am79c970a},   {"Am79C973", NicModel::am79c973},     {"Am79C960", NicModel::am79c960},
      {"82540EM", NicModel::e1000_82540em}, {"82543GC", NicModel::e1000_82543gc}, {"82545EM", NicModel::e1000_82545em},
      {"82574", NicModel::e1000e},          {"82583V", NicModel::e82583v},        {"virtio", NicModel::virtio},
      {"NE1000", NicModel::ne1000},         {"NE2000", NicModel::ne2000},         {"WD8003", NicModel::wd8003},
      {"WD8013", NicModel::wd8013},         {"3C503", NicModel::elnk2},           {"3C501", NicModel::elnk1},
      {"usbnet", NicModel::usbnet}};
  for (const auto &[text, model] : models) {
    EXPECT_EQ(hardware_of(network(adapter(0, "<NAT/>", "type=\"" + text + "\""))).nics.at(0).model, model) << text;
  }
}

TEST(Network, EveryMode) {
  const std::vector<std::tuple<std::string, NicMode, std::string>> modes{
      {"<NAT/>", NicMode::nat, ""},
      {"<NATNetwork name='n'/>", NicMode::nat_network, "n"},
      {"<BridgedInterface name='eth0'/>", NicMode::bridged, "eth0"},
      {"<HostInterface name='tap0'/>", NicMode::bridged, "tap0"},
      {"<InternalNetwork name='lab'/>", NicMode::internal, "lab"},
      {"<HostOnlyInterface name='vboxnet0'/>", NicMode::host_only, "vboxnet0"},
      {"<HostOnlyNetwork name='h'/>", NicMode::host_only_network, "h"},
      {"<GenericInterface driver='UDPTunnel'/>", NicMode::generic, "UDPTunnel"},
      {"<CloudNetwork name='c'/>", NicMode::cloud, "c"},
      {"<VDE network='/tmp/vde'/>", NicMode::generic, "VDE"},
      {"", NicMode::null, ""}};
  for (const auto &[text, mode, name] : modes) {
    const Nic nic = hardware_of(network(adapter(0, text))).nics.at(0);
    EXPECT_EQ(nic.mode, mode) << text;
    EXPECT_EQ(nic.network, name) << text;
  }
}

TEST(Network, ForwardsZeroIsUdpAndOneIsTcp) {
  const Nic nic = hardware_of(network(adapter(0,
                                              "<NAT network='10.7.0.0/16'>"
                                              "<Forwarding name='d' proto='0' hostport='5353' guestport='53'/>"
                                              "<Forwarding name='s' proto='1' hostip='127.0.0.1' hostport='2222' "
                                              "guestip='10.7.0.15' guestport='22'/></NAT>")))
                      .nics.at(0);
  EXPECT_EQ(nic.nat_cidr, "10.7.0.0/16");
  ASSERT_EQ(nic.forwards.size(), 2U);
  EXPECT_EQ(nic.forwards[0].protocol, PortForward::Protocol::udp);
  EXPECT_EQ(nic.forwards[1].protocol, PortForward::Protocol::tcp);
  EXPECT_EQ(nic.forwards[1].host_address, "127.0.0.1");
  EXPECT_EQ(nic.forwards[1].host_port, 2222);
  EXPECT_EQ(nic.forwards[1].guest_address, "10.7.0.15");
  EXPECT_EQ(nic.forwards[1].guest_port, 22);
}

TEST(Network, NatReachedTheHostsLoopbackBeforeVirtualBox7) {
  Text text;
  text.hardware = network(adapter(0, "<NAT/>") + adapter(1, "<NAT localhost-reachable='true'/>") +
                          adapter(2, "<NAT localhost-reachable='false'/>"));
  text.version = "1.19-linux";
  EXPECT_EQ(import_text(text).machine.hardware.nics.at(0).nat_reaches_loopback, false);
  EXPECT_EQ(import_text(text).machine.hardware.nics.at(1).nat_reaches_loopback, true);
  text.version = "1.18-linux";
  EXPECT_EQ(import_text(text).machine.hardware.nics.at(0).nat_reaches_loopback, true);
  EXPECT_EQ(import_text(text).machine.hardware.nics.at(2).nat_reaches_loopback, false);
}

TEST(Network, APortAbove65535IsRefused) {
  Text text;
  text.hardware = network(adapter(0, "<NAT><Forwarding name='x' proto='1' hostport='70000' guestport='1'/></NAT>"));
  EXPECT_EQ(error_of(text).kind(), ErrorKind::malformed);
}

TEST(Network, DisabledModesAreIgnored) {
  Text text;
  text.hardware =
      network(adapter(0,
                      "<DisabledModes><NAT network='10.9.0.0/16'><Forwarding name='x' proto='1' "
                      "hostport='80' guestport='80'/></NAT></DisabledModes><BridgedInterface name='eth0'/>"));
  const ImportedMachine machine = import_text(text);
  const Nic &nic = machine.machine.hardware.nics.at(0);
  EXPECT_EQ(nic.mode, NicMode::bridged);
  EXPECT_TRUE(nic.forwards.empty());
  EXPECT_FALSE(nic.nat_cidr);
  EXPECT_EQ(entry_of(machine, "/DisabledModes/NAT/@network")->disposition, Disposition::irrelevant);
}

TEST(Network, AdaptersThatAreOffAreNotSeen) {
  Text text;
  text.hardware = network("<Adapter slot='0' MACAddress='080027000001'><NAT/></Adapter>" + adapter(1));
  const ImportedMachine machine = import_text(text);
  ASSERT_EQ(machine.machine.hardware.nics.size(), 1U);
  EXPECT_EQ(machine.machine.hardware.nics[0].slot, 1U);
  EXPECT_EQ(entry_of(machine, "/Adapter[1]/@MACAddress")->disposition, Disposition::irrelevant);
}

TEST(Network, SlotsOfTheFirstEight) {
  std::string adapters;
  for (unsigned i = 8; i-- > 0;) adapters += adapter(i);  // the file's order does not matter
  const std::vector<Nic> nics = hardware_of(network(adapters)).nics;
  const std::vector<unsigned> slots{3, 8, 9, 10, 16, 17, 18, 19};
  ASSERT_EQ(nics.size(), slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) EXPECT_EQ(nics[i].pci_slot, slots[i]);
}

TEST(Network, FurtherAdaptersOfIch9TakeWhatIsFreeAndThenGoBehindABridge) {
  Text text;
  text.hardware = "<Chipset type='ICH9'/>" + network(adapter(0) + adapter(1) + adapter(2) + adapter(3) + adapter(4) +
                                                     adapter(5) + adapter(6) + adapter(8) + adapter(35));
  const ImportedMachine machine = import_text(text);
  ASSERT_EQ(machine.machine.hardware.nics.size(), 9U);
  EXPECT_EQ(machine.machine.hardware.nics[7].pci_slot, 19U);  // adapter 7's, which is off
  EXPECT_FALSE(machine.machine.hardware.nics[8].pci_slot);
  EXPECT_EQ(count_findings(machine, kNicBehindBridge), 1U);
}

TEST(Network, Piix3HasNoNinthAdapter) {
  EXPECT_TRUE(hardware_of(network(adapter(8))).nics.empty());
  EXPECT_TRUE(hardware_of(network(adapter(999))).nics.empty());
}

TEST(Network, CardsOfTheIsaBusHaveTheSlotThatIsKeptForTheirNumber) {
  EXPECT_EQ(hardware_of(network(adapter(1, "<NAT/>", "type='NE2000'"))).nics.at(0).pci_slot, 8U);
}

TEST(Network, EachAdapterHasANatOfItsOwn) {
  const auto nics = hardware_of(network(adapter(0) + adapter(3) + adapter(4, "<NAT network='172.16.0.0/16'/>") +
                                        adapter(5, "<BridgedInterface name='eth0'/>")))
                        .nics;
  EXPECT_EQ(nics.at(0).nat_cidr, "10.0.2.0/24");
  EXPECT_EQ(nics.at(1).nat_cidr, "10.0.5.0/24");
  EXPECT_EQ(nics.at(2).nat_cidr, "172.16.0.0/16");
  EXPECT_FALSE(nics.at(3).nat_cidr);
}

TEST(Network, MacAddresses) {
  const Nic nic = hardware_of(network(adapter(0, "<NAT/>", "MACAddress='080027A1B2C3'"))).nics.at(0);
  EXPECT_EQ(nic.mac->text(), "08:00:27:a1:b2:c3");
  EXPECT_TRUE(nic.mac_generated);
  EXPECT_FALSE(hardware_of(network(adapter(0, "<NAT/>", "MACAddress='525400A1B2C3'"))).nics.at(0).mac_generated);
  EXPECT_FALSE(hardware_of(network(adapter(0))).nics.at(0).mac);
  Text text;
  text.hardware = network(adapter(0, "<NAT/>", "MACAddress='08:00'"));
  EXPECT_EQ(error_of(text).kind(), ErrorKind::malformed);
}

TEST(Network, TwoAdaptersOfOneNumberAreRefused) {
  Text text;
  text.hardware = network(adapter(1) + adapter(1));
  EXPECT_NE(std::string(error_of(text).what()).find("same number"), std::string::npos);
}

TEST(Network, BandwidthGroups) {
  const Hardware hw = hardware_of(network(adapter(0, "<NAT/>", "bandwidthGroup='a'") +
                                          adapter(1, "<NAT/>", "bandwidthGroup='b' bootPriority='2'")) +
                                  "<IO><BandwidthGroups><BandwidthGroup name='a' type='Network' maxBytesPerSec='1000'/>"
                                  "<BandwidthGroup name='b' type='Network' maxMbPerSec='2'/></BandwidthGroups></IO>");
  EXPECT_EQ(hw.nics.at(0).bandwidth_bytes_per_second, 1000U);
  EXPECT_EQ(hw.nics.at(1).bandwidth_bytes_per_second, 2U << 20U);
  EXPECT_EQ(hw.nics.at(1).boot_priority, 2U);
}

TEST(Network, TheDiskLimitOfVirtualBox32IsSaid) {
  Text text;
  text.hardware = "<IO><IoBandwidth max='7'/></IO>";
  EXPECT_EQ(entry_of(import_text(text), "/IoBandwidth/@max")->disposition, Disposition::dropped);
}

TEST(Network, ACardOfTheFutureIsSaidAndReplaced) {
  Text text;
  text.hardware = network(adapter(0, "<NAT/>", "type='Quantum9'"));
  const ImportedMachine machine = import_text(text);
  EXPECT_EQ(machine.machine.hardware.nics.at(0).model, NicModel::am79c973);
  EXPECT_EQ(count_findings(machine, kUnknownValue), 1U);
  EXPECT_EQ(entry_of(machine, "/Adapter/@type")->disposition, Disposition::dropped);
}

TEST(Network, GenericDriversKeepTheirProperties) {
  const Nic nic = hardware_of(network(adapter(0,
                                              "<GenericInterface driver='UDPTunnel'>"
                                              "<Property name='dport' value='10002'/></GenericInterface>")))
                      .nics.at(0);
  EXPECT_EQ(nic.properties.at("dport"), "10002");
}

}  // namespace
}  // namespace ferry::vbox::test
