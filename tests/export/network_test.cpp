// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/export/builders.hpp"

namespace ferry::test {
namespace {

Fixture with_mode(NicMode mode, std::string network = {}) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.nics[0].mode = mode;
  fixture.machine.hardware.nics[0].network = std::move(network);
  return fixture;
}

std::string link_of(const target::Result &result) {
  const xml::Element root = domain(result);
  const xml::Element *link = element(root, "devices/interface").child("link");
  return link == nullptr ? "up" : attribute(*link, "state");
}

std::string type_of(const target::Result &result) {
  return attribute(element(domain(result), "devices/interface"), "type");
}

TEST(Nic, VirtualBoxNamesStayOnPc) {
  Fixture fixture(virtualbox_machine());
  const auto result = fixture.run();
  EXPECT_EQ(result.nics[0].guest_name, "enp0s3");
  EXPECT_EQ(result.nics[0].model, "e1000");
  EXPECT_EQ(result.nics[0].mac, "08:00:27:11:22:33");
  const xml::Element root = domain(result);
  EXPECT_EQ(slot_of(element(root, "devices/interface")), 3);
  EXPECT_EQ(attribute(element(root, "devices/controller/target"), "hotplug"), "off");
  EXPECT_FALSE(found(result, "nic.name-changes"));
}

TEST(Nic, VirtualBoxNamesStayOnQ35) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.chipset = Chipset::ich9;
  EXPECT_EQ(fixture.run().nics[0].guest_name, "enp0s3");
}

TEST(Nic, NamesChangeWithAWordWhereLibvirtCannotTurnHotplugOff) {
  Fixture fixture(virtualbox_machine());
  fixture.host.libvirt_version = 7008000;
  const auto result = fixture.run();
  EXPECT_EQ(result.nics[0].guest_name, "ens3");
  EXPECT_TRUE(found(result, "nic.name-changes"));
}

TEST(Nic, VmwareNamesChangeUnlessAskedFor) {
  Fixture fixture(vmware_machine());
  const auto plain = fixture.run();
  EXPECT_TRUE(found(plain, "nic.name-changes"));
  EXPECT_FALSE(found(plain, "domain.tainted"));
  fixture.machine.hardware.controllers.pop_back();  // the IDE CD
  fixture.input.media.clear();
  fixture.input.options.keep_nic_names = true;
  const auto kept = fixture.run();
  EXPECT_EQ(kept.nics[0].guest_name, "ens33");
  EXPECT_TRUE(found(kept, "domain.tainted"));
  EXPECT_NE(kept.document.find("acpi-pci-hotplug-with-bridge-support=off"), std::string::npos);
}

TEST(Nic, WindowsHasNoInterfaceNamesOfSystemd) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.guest_os.family = OsFamily::windows;
  EXPECT_FALSE(fixture.run().nics[0].guest_name.has_value());
}

TEST(Nic, ModelsWithoutACounterpartAreReported) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.nics[0].model = NicModel::e1000_82543gc;
  const auto result = fixture.run();
  EXPECT_EQ(result.nics[0].model, "e1000");
  EXPECT_TRUE(found(result, "nic.model-changed"));
  fixture.machine.hardware.nics[0].model = NicModel::e1000_82540em;
  fixture.host = with_few_devices();
  fixture.machine.hardware.controllers.pop_back();
  fixture.input.media.clear();
  EXPECT_EQ(fixture.run().nics[0].model, "e1000e");
}

TEST(Nic, ClosedNetworksDoNotReachTheInternet) {
  for (const NicMode mode : {NicMode::internal, NicMode::host_only, NicMode::host_only_network, NicMode::custom,
                             NicMode::generic, NicMode::cloud}) {
    Fixture fixture = with_mode(mode, "lab");
    const auto result = fixture.run();
    EXPECT_EQ(link_of(result), "down");
    EXPECT_TRUE(found(result, "nic.isolated"));
    EXPECT_EQ(result.nics[0].network, "none (link down)");
  }
}

TEST(Nic, ANetworkOfThatNameIsUsed) {
  Fixture fixture = with_mode(NicMode::internal, "lab");
  fixture.host.networks = {"lab"};
  const auto result = fixture.run();
  EXPECT_EQ(type_of(result), "network");
  EXPECT_EQ(result.nics[0].network, "network:lab");
  EXPECT_FALSE(found(result, "nic.isolated"));
}

TEST(Nic, ANatNetworkBecomesANatOfItsOwn) {
  Fixture fixture = with_mode(NicMode::nat_network, "net1");
  const auto result = fixture.run();
  EXPECT_EQ(type_of(result), "user");
  EXPECT_EQ(link_of(result), "up");
  EXPECT_TRUE(found(result, "nic.user-network"));
}

TEST(Nic, BridgedUsesABridgeThatTheUserMayUse) {
  Fixture fixture = with_mode(NicMode::bridged, "eth0");
  EXPECT_TRUE(found(fixture.run(), "nic.user-network"));
  fixture.host.bridges = {"br0", "virbr0"};
  const auto result = fixture.run();
  EXPECT_EQ(type_of(result), "bridge");
  EXPECT_EQ(result.nics[0].network, "bridge:br0");
}

TEST(Nic, NotAttachedAndUnpluggedCardsHaveTheirLinkDown) {
  EXPECT_EQ(link_of(with_mode(NicMode::null).run()), "down");
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.nics[0].cable_connected = false;
  EXPECT_EQ(link_of(fixture.run()), "down");
}

TEST(Nic, NetworksThatAreAskedFor) {
  Fixture fixture = with_mode(NicMode::internal, "lab");
  target::Network &asked = fixture.input.options.networks[0];
  EXPECT_EQ(link_of(fixture.run()), "up");
  asked = *target::Network::parse("bridge:br7");
  EXPECT_EQ(fixture.run().nics[0].network, "bridge:br7");
  asked = *target::Network::parse("network:default");
  EXPECT_EQ(fixture.run().nics[0].network, "network:default");
  asked = *target::Network::parse("none");
  EXPECT_EQ(link_of(fixture.run()), "down");
}

TEST(Nic, TheDefaultIsForCardsWithoutANetworkOfTheirOwn) {
  Fixture fixture = with_mode(NicMode::internal, "lab");
  Nic second;
  second.slot = 1;
  second.mode = NicMode::host_only;
  fixture.machine.hardware.nics.push_back(second);
  fixture.input.options.default_network = target::Network::parse("bridge:br7");
  auto result = fixture.run();
  EXPECT_EQ(result.nics[0].network, "bridge:br7");
  EXPECT_EQ(result.nics[1].network, "bridge:br7");
  EXPECT_FALSE(found(result, "nic.isolated"));
  fixture.input.options.networks[1] = *target::Network::parse("user");
  result = fixture.run();
  EXPECT_EQ(result.nics[0].network, "bridge:br7");
  EXPECT_EQ(result.nics[1].network, "user");
}

TEST(Nic, HasTheAddressThatWasDecided) {
  Fixture fixture(virtualbox_machine());
  fixture.input.identity.cards.push_back(
      {*MacAddress::parse("52:54:00:00:00:09"), {{}, {{"hardware.nics.0.mac", Disposition::translated, "decided"}}}});
  const auto result = fixture.run();
  EXPECT_EQ(result.nics[0].mac, "52:54:00:00:00:09");
  EXPECT_EQ(settlement(result, "hardware.nics.0.mac")->note, "decided");
}

TEST(Nic, EachNatHasVirtualBoxsOwnAddresses) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.nics.push_back({.slot = 1});
  fixture.machine.hardware.nics.push_back({.slot = 2, .nat_cidr = "192.168.77.0/25"});
  fixture.machine.hardware.nics.push_back({.slot = 3, .nat_cidr = "10.0.0.0,smb=/"});
  const xml::Element root = domain(fixture.run());
  EXPECT_EQ(element(root, "devices/interface", 0).child("ip"), nullptr);  // QEMU's default is the same
  EXPECT_EQ(attribute(*element(root, "devices/interface", 1).child("ip"), "address"), "10.0.3.0");
  EXPECT_EQ(attribute(*element(root, "devices/interface", 2).child("ip"), "prefix"), "25");
  EXPECT_EQ(element(root, "devices/interface", 3).child("ip"), nullptr);  // no way into QEMU's arguments
}

TEST(Nic, AWayToTheHostsLoopbackThatIsNewIsReported) {
  Fixture fixture(virtualbox_machine());
  Nic &nic = fixture.machine.hardware.nics[0];
  nic.nat_reaches_loopback = true;
  EXPECT_FALSE(found(fixture.run(), "nic.reaches-loopback"));
  nic.nat_reaches_loopback = false;
  EXPECT_TRUE(found(fixture.run(), "nic.reaches-loopback"));
  nic.cable_connected = false;
  EXPECT_FALSE(found(fixture.run(), "nic.reaches-loopback"));
  nic.cable_connected = true;
  nic.mode = NicMode::bridged;  // no bridge here: a user network takes its place
  nic.nat_reaches_loopback.reset();
  EXPECT_TRUE(found(fixture.run(), "nic.reaches-loopback"));
}

std::vector<PortForward> forwards() {
  return {{.name = "ssh", .host_address = "127.0.0.1", .host_port = 2222, .guest_port = 22},
          {.name = "dns", .protocol = PortForward::Protocol::udp, .host_port = 5353, .guest_port = 53},
          {.name = "http", .host_port = 80, .guest_port = 80},
          {.name = "evil", .host_address = "1,smb=/", .host_port = 2223, .guest_port = 22}};
}

TEST(Nic, ForwardsGoThroughPasstWhereLibvirtTakesIt) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.nics[0].forwards = forwards();
  fixture.host = debian13();
  const auto result = fixture.run();
  const xml::Element root = domain(result);
  EXPECT_EQ(count(root, "devices/interface/portForward"), 2U);
  EXPECT_EQ(attribute(element(root, "devices/interface/portForward/range"), "start"), "2222");
  EXPECT_EQ(attribute(element(root, "devices/interface/backend"), "type"), "passt");
  EXPECT_TRUE(found(result, "nic.forward-passt"));
  EXPECT_TRUE(found(result, "nic.forward-dropped"));  // port 80, and no address
}

TEST(Nic, ForwardsGoThroughArgumentsOnLibvirt9) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.nics[0].forwards = forwards();
  const auto result = fixture.run();
  EXPECT_NE(result.document.find("hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=udp::5353-:53\""), std::string::npos);
  EXPECT_EQ(result.document.find("smb"), std::string::npos);
  EXPECT_TRUE(found(result, "domain.tainted"));
  EXPECT_EQ(settlement(result, "hardware.nics.0.forwards.2.host_port")->disposition, Disposition::dropped);
  EXPECT_EQ(settlement(result, "hardware.nics.0.forwards.0.host_port")->disposition, Disposition::translated);
}

// "tcp 127.0.0.1:2222 -> 22" of each <portForward> of each card.
std::vector<std::string> passt_forwards(const target::Result &result) {
  const xml::Element root = domain(result);
  std::vector<std::string> all;
  for (const xml::Element &card : element(root, "devices").children) {
    for (const xml::Element &forward : card.children) {
      if (forward.name != "portForward") continue;
      const xml::Element &range = *forward.child("range");
      all.push_back(attribute(forward, "proto") + " " + attribute(forward, "address") + ":" +
                    attribute(range, "start") + " -> " + attribute(range, "to"));
    }
  }
  return all;
}

// passt does not start with two listeners on one port, and leads a port of several addresses to one port of the guest.
TEST(Nic, ForwardsAreChangedLeftOutAndAddedAsAsked) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.nics[0].forwards = {
      {.host_address = "127.0.0.1", .host_port = 2222, .guest_port = 22},
      {.protocol = PortForward::Protocol::udp, .host_port = 5353, .guest_port = 53},
      {.host_port = 8080, .guest_port = 80}};
  fixture.input.options.forwards[0] = {{true, "", 3333, 22}, {true, "", 8080, 0}, {true, "127.0.0.2", 4444, 443}};
  const auto result = fixture.map();
  EXPECT_EQ(result.nics.at(0).forwards,
            (std::vector<std::string>{"tcp 127.0.0.1:3333 -> 22", "udp 5353 -> 53", "tcp 127.0.0.2:4444 -> 443"}));
  EXPECT_EQ(settlement(result, "hardware.nics.0.forwards.2")->disposition, Disposition::dropped);
  EXPECT_EQ(settlement(result, "hardware.nics.0.forwards.0")->disposition, Disposition::translated);
  EXPECT_FALSE(found(result, "nic.forward-dropped"));
}

TEST(Nic, AHostPortIsForwardedOnce) {
  Fixture fixture(virtualbox_machine());
  auto &rules = fixture.machine.hardware.nics[0].forwards;
  rules = {{.host_port = 2222, .guest_port = 22},
           {.host_port = 2222, .guest_port = 23},
           {.host_address = "127.0.0.1", .host_port = 2222, .guest_port = 22},
           {.protocol = PortForward::Protocol::udp, .host_port = 2222, .guest_port = 53},
           {.host_address = "127.0.0.1", .host_port = 2223, .guest_port = 22},
           {.host_address = "127.0.0.2", .host_port = 2223, .guest_port = 22},
           {.host_address = "127.0.0.3", .host_port = 2223, .guest_port = 23}};
  fixture.host = debian13();
  const auto result = fixture.run();
  EXPECT_EQ(passt_forwards(result), (std::vector<std::string>{"tcp :2222 -> 22", "udp :2222 -> 53",
                                                              "tcp 127.0.0.1:2223 -> 22", "tcp 127.0.0.2:2223 -> 22"}));
  for (const std::size_t dropped : {1U, 2U, 6U}) {
    EXPECT_EQ(settlement(result, "hardware.nics.0.forwards." + std::to_string(dropped) + ".host_port")->disposition,
              Disposition::dropped)
        << dropped;
  }
  // QEMU's own user network keeps the addresses apart.
  fixture.host = debian12();
  const auto old = fixture.run();
  EXPECT_NE(old.document.find("hostfwd=tcp::2222-:22,hostfwd=udp::2222-:53,hostfwd=tcp:127.0.0.1:2223-:22,"
                              "hostfwd=tcp:127.0.0.2:2223-:22,hostfwd=tcp:127.0.0.3:2223-:23\""),
            std::string::npos)
      << old.document;
}

// The guest answers through the first card, so that only that one can have passt.
TEST(Nic, PasstIsForTheFirstCardThatIsConnected) {
  Fixture fixture(virtualbox_machine());
  auto &nics = fixture.machine.hardware.nics;
  nics[0].forwards = {{.host_port = 2222, .guest_port = 22}};
  nics.push_back(
      {.slot = 1, .forwards = {{.host_port = 2222, .guest_port = 22}, {.host_port = 2223, .guest_port = 22}}});
  fixture.host = debian13();
  const auto result = fixture.run();
  EXPECT_EQ(passt_forwards(result), std::vector<std::string>{"tcp :2222 -> 22"});
  EXPECT_NE(result.document.find("net=10.0.3.0/24,hostfwd=tcp::2223-:22\""), std::string::npos) << result.document;
  EXPECT_TRUE(found(result, "nic.forward-dropped"));
  EXPECT_TRUE(found(result, "domain.tainted"));

  nics[0].cable_connected = false;
  const auto second = fixture.run();
  EXPECT_EQ(passt_forwards(second), (std::vector<std::string>{"tcp :2222 -> 22", "tcp :2223 -> 22"}));
  EXPECT_FALSE(found(second, "domain.tainted"));
}

TEST(Nic, AForwardKeepsTheAddressesThatItNames) {
  Fixture fixture(virtualbox_machine());
  auto &rules = fixture.machine.hardware.nics[0].forwards;
  rules = {{.host_address = "192.0.2.7", .guest_address = "10.0.2.99", .host_port = 2222, .guest_port = 22},
           {.guest_address = "1,smb=/", .host_port = 2223, .guest_port = 22}};
  const auto result = fixture.run();
  EXPECT_NE(result.document.find("hostfwd=tcp:192.0.2.7:2222-10.0.2.99:22\""), std::string::npos);
  EXPECT_TRUE(found(result, "nic.forward-address"));
  EXPECT_TRUE(found(result, "nic.forward-dropped"));
  rules = {{.host_address = "127.0.0.1", .host_port = 2222, .guest_port = 22},
           {.host_address = "0.0.0.0", .host_port = 2223, .guest_port = 22}};
  EXPECT_FALSE(found(fixture.run(), "nic.forward-address"));
}

TEST(Nic, AHostWithoutTheBuiltInUserNetworkHasPasstForEveryCard) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.nics.push_back({.slot = 1, .forwards = {{.host_port = 2223, .guest_port = 22}}});
  fixture.host = debian13();
  fixture.host.network_backends = {"passt"};
  const auto result = fixture.run();
  const xml::Element root = domain(result);
  for (const std::size_t card : {0U, 1U}) {
    EXPECT_EQ(attribute(*element(root, "devices/interface", card).child("backend"), "type"), "passt");
    EXPECT_EQ(element(root, "devices/interface", card).child("ip"), nullptr);
  }
  EXPECT_EQ(passt_forwards(result), std::vector<std::string>{"tcp :2223 -> 22"});
}

TEST(Nic, ForwardsNeedAUserNetworkAndALibvirtThatCan) {
  Fixture fixture = with_mode(NicMode::internal, "lab");
  fixture.machine.hardware.nics[0].forwards = forwards();
  EXPECT_TRUE(found(fixture.run(), "nic.forward-dropped"));
  fixture.machine.hardware.nics[0].mode = NicMode::nat;
  fixture.host.libvirt_version = 8001000;
  const auto result = fixture.run();
  EXPECT_TRUE(found(result, "nic.forward-dropped"));
  EXPECT_FALSE(found(result, "domain.tainted"));
}

TEST(Nic, BandwidthIsDroppedWithAWord) {
  Fixture fixture(virtualbox_machine());
  fixture.machine.hardware.nics[0].bandwidth_bytes_per_second = 1000000;
  EXPECT_TRUE(found(fixture.run(), "nic.bandwidth-dropped"));
}

TEST(Nic, ANetworkThatTheUserNamesButTheHostLacksIsTold) {
  Fixture fixture(virtualbox_machine());
  target::Network &asked = fixture.input.options.networks[0];
  for (const char *missing : {"network:nowhere", "bridge:nowhere"}) {
    asked = *target::Network::parse(missing);
    EXPECT_TRUE(found(fixture.run(), "nic.target-missing")) << missing;
  }
  fixture.host.networks.insert("lab");
  fixture.host.bridges.insert("br0");
  for (const char *there : {"network:lab", "bridge:br0", "user", "none"}) {
    asked = *target::Network::parse(there);
    EXPECT_FALSE(found(fixture.run(), "nic.target-missing")) << there;
  }
}

}  // namespace
}  // namespace ferry::test
