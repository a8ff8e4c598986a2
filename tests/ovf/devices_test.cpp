// SPDX-License-Identifier: Apache-2.0
// Memory, processor, cards, ports and the TPM.
#include "tests/ovf/support.hpp"

namespace ferry::ovf::test {
namespace {

TEST(Network, CardsComeByTheirPlace) {
  const Hardware hardware = hardware_of(
      item(10, "AddressOnParent", "9", "Connection", "c") + item(10, "AddressOnParent", "7", "Connection", "a") +
      item(10, "Connection", "last") + item(10, "AddressOnParent", "8", "Connection", "b"));
  std::string order;
  for (const Nic &nic : hardware.nics) order += nic.network + std::to_string(nic.slot);
  EXPECT_EQ(order, "a0b1c2last3");
}

TEST(Tpm, IsToldByItsSubtype) {
  for (const int type : {1, 20, 28, 34}) {
    for (const char *name : {"vmware.vtpm", "VTPM", "VirtualTPM", "vtpm-2.0", "tpm-1.2"}) {
      const Hardware hardware = hardware_of(item(type, "ResourceSubType", name, "InstanceID", "14"));
      ASSERT_TRUE(hardware.tpm) << type << name;
      EXPECT_EQ(hardware.tpm->version, std::string_view(name) == "tpm-1.2" ? Tpm::Version::v1_2 : Tpm::Version::v2_0);
    }
  }
}

TEST(Network, AFencedNetworkOfVcloudIsClosed) {
  const Hardware hardware =
      import_one({.sections =
                      R"(<vcloud:NetworkConfigSection xmlns:vcloud="http://www.vmware.com/vcloud/v1.5"><Info/>)"
                      R"(<vcloud:NetworkConfig networkName="lab"><vcloud:Configuration>)"
                      R"(<vcloud:FenceMode>isolated</vcloud:FenceMode></vcloud:Configuration></vcloud:NetworkConfig>)"
                      R"(<vcloud:NetworkConfig networkName="org"><vcloud:Configuration>)"
                      R"(<vcloud:FenceMode>bridged</vcloud:FenceMode></vcloud:Configuration></vcloud:NetworkConfig>)"
                      R"(</vcloud:NetworkConfigSection>)",
                  .items = kMemory + item(10, "Connection", "lab") + item(10, "Connection", "org")})
          .machine.hardware;
  EXPECT_EQ(hardware.nics.at(0).mode, NicMode::internal);
  EXPECT_EQ(hardware.nics.at(1).mode, NicMode::bridged);
}

TEST(Memory, UnitsThatMakeNoSenseAreGuessed) {
  const ImportedMachine imported = import_one({.items = item(4, "VirtualQuantity", "768")});
  EXPECT_EQ(imported.machine.hardware.memory.bytes, std::uint64_t{768} << 20U);
  EXPECT_TRUE(has_finding(imported, "ovf.units-guessed"));
  EXPECT_EQ(import_one({.items = item(4, "VirtualQuantity", "536870912")}).machine.hardware.memory.bytes, 536870912U);
}

// As in the other formats: the target chooses then, and says so.
TEST(Memory, ThatIsNotSaidIsNone) {
  for (const std::string &one : {std::string(), item(4, "AllocationUnits", "MB"), item(4, "VirtualQuantity", " "),
                                 item(4, "VirtualQuantity", "0", "AllocationUnits", "byte * 2^20")}) {
    const ImportedMachine imported = import_one({.items = one});
    EXPECT_EQ(imported.machine.hardware.memory.bytes, 0U) << one;
    EXPECT_FALSE(has_finding(imported, "ovf.units-guessed")) << one;
  }
}

TEST(Memory, ThatIsNoNumberIsRefused) {
  (void)expect_error(ErrorKind::malformed, [] { (void)import_one({.items = item(4, "VirtualQuantity", "much")}); });
}

TEST(Processor, OfAnotherKindIsRefused) {
  (void)expect_error(ErrorKind::unsupported, [] {
    (void)import_one({.items = kMemory + item(3, "VirtualQuantity", "1", "InstructionSet", "DMTF:Power:64")});
  });
  const auto cpu = hardware_of(item(3, "VirtualQuantity", "2", "InstructionSet", "DMTF:ARM:A64")).cpu;
  EXPECT_EQ(cpu.architecture, Cpu::Architecture::arm64);
  EXPECT_EQ(cpu.count, 2U);
}

TEST(Smbios, OldVmwareHardwareReportsAnOldVersion) {
  const std::string uuid =
      R"(<vmw:ExtraConfig vmw:key="uuid.bios" vmw:value="56 4d b0 8e d5 91 3c 27-ed 61 e7 a8 83 4d 0b 9c"/>)";
  EXPECT_TRUE(hardware_of(uuid, "vmx-07 vmx-08").smbios.older_than_2_6);
  EXPECT_FALSE(hardware_of(uuid, "vmx-10 vmx-14").smbios.older_than_2_6);
}

struct Card {
  const char *subtype, *platform;
  NicModel expected;
};
class Cards : public testing::TestWithParam<Card> {};
TEST_P(Cards, AreThePlatformsOwn) {
  const Hardware hardware = hardware_of(item(10, "ResourceSubType", GetParam().subtype), GetParam().platform);
  EXPECT_EQ(hardware.nics.at(0).model, GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    Subtypes, Cards,
    testing::Values(Card{"E1000", "vmx-13", NicModel::e1000_82545em},
                    Card{"E1000", "virtualbox-2.2", NicModel::e1000_82540em},
                    Card{"PCNet32", "vmx-04", NicModel::vlance}, Card{"PCNet32", "virtualbox-2.2", NicModel::am79c973},
                    Card{"VmxNet", "vmx-04", NicModel::vmxnet}, Card{"VmxNet2", "vmx-07", NicModel::vmxnet2},
                    Card{"VMXNET3 virtio", "vmx-08", NicModel::vmxnet3}, Card{"E1000e", "vmx-13", NicModel::e1000e},
                    Card{"Flexible", "vmx-07", NicModel::flexible}, Card{"virtio", "kvm", NicModel::virtio}));

TEST(Network, NamesTellTheMode) {
  const auto nic = [](const char *connection) { return hardware_of(item(10, "Connection", connection)).nics.at(0); };
  EXPECT_EQ(nic("NAT").mode, NicMode::nat);
  EXPECT_EQ(nic("Bridged").mode, NicMode::bridged);
  EXPECT_EQ(nic("HostOnly").mode, NicMode::host_only);
  EXPECT_EQ(nic("host-only").mode, NicMode::host_only);
  EXPECT_EQ(nic("Internal").mode, NicMode::internal);
  EXPECT_EQ(nic("NAT Network").mode, NicMode::nat_network);
  EXPECT_EQ(nic("none").mode, NicMode::none);
  EXPECT_EQ(nic("LAN Segment 1").mode, NicMode::internal);
  EXPECT_EQ(nic("VMnet1").mode, NicMode::host_only);
  EXPECT_EQ(nic("VMnet8").mode, NicMode::nat);
  EXPECT_EQ(nic("VMnet3").mode, NicMode::custom);
  EXPECT_EQ(nic("VM Network").mode, NicMode::bridged);
  EXPECT_EQ(nic("dvPortGroup-17").mode, NicMode::bridged);
  EXPECT_EQ(nic("VM Network").network, "VM Network");
}

TEST(Network, TheMacIsKeptOrSaidToBeMissing) {
  const ImportedMachine with = import_one({.items = kMemory + item(10, "Address", "00-50-56-00-12-34")});
  EXPECT_EQ(with.machine.hardware.nics.at(0).mac->text(), "00:50:56:00:12:34");
  EXPECT_FALSE(has_finding(with, "ovf.mac-generated"));
  const ImportedMachine without = import_one({.items = kMemory + item(10, "Address", "7")});
  EXPECT_FALSE(without.machine.hardware.nics.at(0).mac);
  EXPECT_TRUE(has_finding(without, "ovf.mac-generated"));
}

TEST(Ports, BackendsByKindAndAddress) {
  const Hardware hardware =
      hardware_of(item(21, "ResourceSubType", "vmware.serialport.pipe", "HostResource", "p") +
                  item(21, "ResourceSubType", "vmware.serialport.device", "HostResource", "/dev/ttyS0") +
                  item(21, "Address", "tcp://0.0.0.0:4000") +
                  item(21, "ResourceSubType", "vmware.serialport.thinPrint") + item(21));
  ASSERT_EQ(hardware.serial_ports.size(), 5U);
  EXPECT_EQ(hardware.serial_ports[0].backend, CharPort::Backend::pipe);
  EXPECT_EQ(hardware.serial_ports[1].backend, CharPort::Backend::host_device);
  EXPECT_EQ(hardware.serial_ports[2].backend, CharPort::Backend::tcp);
  EXPECT_EQ(hardware.serial_ports[2].path, "0.0.0.0:4000");
  EXPECT_EQ(hardware.serial_ports[3].backend, CharPort::Backend::thin_print);
  EXPECT_EQ(hardware.serial_ports[4].backend, CharPort::Backend::disconnected);
}

}  // namespace
}  // namespace ferry::ovf::test
