// SPDX-License-Identifier: Apache-2.0
// What the descriptor's parts become in the model, one behaviour each.
#include "tests/ovf/support.hpp"

namespace ferry::ovf::test {
namespace {

const std::string kMemory = item(4, "VirtualQuantity", "512", "AllocationUnits", "MB");

const Hardware hardware_of(const std::string &items, const std::string &type = "vmx-13") {
  return import_one({.items = kMemory + items, .type = type}).machine.hardware;
}

std::string disk_on(const char *parent, const char *unit, const char *instance = "9") {
  return item(17, "InstanceID", instance, "Parent", parent, "AddressOnParent", unit, "HostResource", "ovf:/disk/d");
}

TEST(Envelope, WithoutMachineIsRefused) {
  (void)expect_error(ErrorKind::malformed, [] {
    (void)import_all(
        R"(<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"><VirtualSystemCollection/></Envelope>)");
  });
  (void)expect_error(ErrorKind::malformed, [] { (void)import_all("<a><Envelope></Envelope></a>"); });
  (void)expect_error(ErrorKind::malformed, [] { (void)import_all("<Envelope><VirtualSystem></Envelope>"); });
}

TEST(Envelope, ADoctypeIsRefused) {
  (void)expect_error(ErrorKind::malformed, [] {
    (void)import_all("<!DOCTYPE Envelope [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n<Envelope>&x;</Envelope>");
  });
}

TEST(Envelope, AMachineWithoutHardwareIsRefused) {
  (void)expect_error(ErrorKind::malformed, [] {
    (void)import_all(R"(<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"><VirtualSystem/></Envelope>)");
  });
}

TEST(Envelope, UnknownSectionsAreTold) {
  const ImportedMachine imported = import_one(
      {.sections = R"(<x:A xmlns:x="urn:x" ovf:required="false"><x:B c="1"/></x:A><x:N xmlns:x="urn:x">text</x:N>)",
       .items = kMemory});
  EXPECT_TRUE(has_finding(imported, "ovf.section-optional"));
  EXPECT_TRUE(has_finding(imported, "ovf.section-required"));
  EXPECT_EQ(entry(imported, "/N").disposition, Disposition::dropped);
  EXPECT_EQ(count_unknown(imported), 0U);
}

TEST(Envelope, ManyMachinesTimesLongSectionsAreRefused) {
  std::string text = R"(<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"><References>)";
  for (int i = 0; i < 20000; ++i) text += "<File/>";
  text += "</References>";
  for (int i = 0; i < 2000; ++i) text += "<VirtualSystem/>";
  (void)expect_error(ErrorKind::unsupported, [&] { (void)import_all(text + "</Envelope>"); });
}

TEST(Envelope, TooManyDevicesAreRefused) {
  std::string items = kMemory;
  for (int i = 0; i < 5000; ++i) items += item(21);
  (void)expect_error(ErrorKind::unsupported, [&] { (void)import_one({.items = items}); });
}

TEST(Name, ComesFromNameThenIdThenIdentifierThenFile) {
  EXPECT_EQ(import_one({.system = "<Name>n</Name>", .items = kMemory}).machine.name, "n");
  EXPECT_EQ(import_one({.items = kMemory}).machine.name, "machine");
  std::string text = descriptor({.items = kMemory});
  text.replace(text.find("ovf:id=\"machine\""), 16, "ovf:id=\"vm\"");
  EXPECT_EQ(import_all(text).at(0).machine.name, "machine");  // the file's stem
  text.replace(text.find("<vssd:Virt"), 0, "<vssd:VirtualSystemIdentifier>i</vssd:VirtualSystemIdentifier>");
  EXPECT_EQ(import_all(text).at(0).machine.name, "i");
}

TEST(GuestOs, IsTheMostExactThatIsSaid) {
  const auto os = [](const std::string &attributes, const std::string &inside) {
    return import_one({.system = "<OperatingSystemSection " + attributes + "><Info>i</Info>" + inside +
                                 "</OperatingSystemSection>",
                       .items = kMemory})
        .machine.guest_os;
  };
  EXPECT_EQ(os("ovf:id=\"101\" vmw:osType=\"debian10_64Guest\"", "").source_id, "debian10_64Guest");
  EXPECT_EQ(os("ovf:id=\"94\"", "<Description>Ubuntu_64</Description><vbox:OSType>Ubuntu_64</vbox:OSType>").source_id,
            "Ubuntu_64");
  EXPECT_EQ(os("ovf:id=\"101\"", "").source_id, "101");
  // An identifier that is in no table gives way to one that names a system, and to nothing less.
  EXPECT_EQ(os("ovf:id=\"80\" vmw:osType=\"beos9_64Guest\"", "").source_id, "80");
  EXPECT_EQ(os("ovf:id=\"1\" vmw:osType=\"beos9_64Guest\"", "").source_id, "beos9_64Guest");
  EXPECT_EQ(os("ovf:id=\"94\" vmw:osType=\"otherGuest64\"", "").source_id, "94");
  EXPECT_EQ(os("ovf:id=\"94\"", "<vbox:OSType>Other_64</vbox:OSType>").source_id, "94");
  EXPECT_EQ(os("ovf:id=\"1\" vmw:osType=\"otherGuest64\"", "").source_id, "otherGuest64");
  EXPECT_EQ(os("ovf:id=\"101\"", "<Description>My Linux</Description>").label, "My Linux");
}

TEST(GuestOs, AnIdentifierThatGaveWayIsNotSaidToBeKept) {
  const auto imported = import_one({.system = "<OperatingSystemSection ovf:id=\"94\" vmw:osType=\"otherGuest64\">"
                                              "<Info>i</Info></OperatingSystemSection>",
                                    .items = kMemory});
  EXPECT_EQ(entry(imported, "@osType").disposition, Disposition::irrelevant);
  EXPECT_NE(entry(imported, "@osType").note.find("94"), std::string::npos);
  EXPECT_EQ(entry(imported, "OperatingSystemSection/@id").disposition, Disposition::unsettled);
}

TEST(Controllers, TwoIdeItemsAreOneController) {
  const Hardware hardware =
      hardware_of(item(5, "InstanceID", "1", "Address", "1") + item(5, "InstanceID", "2", "Address", "0") +
                  item(15, "InstanceID", "3", "Parent", "1", "AddressOnParent", "1") +
                  item(15, "InstanceID", "4", "Parent", "2", "AddressOnParent", "0"));
  ASSERT_EQ(hardware.controllers.size(), 1U);
  EXPECT_EQ(hardware.controllers[0].type, ControllerType::ide_vmware);
  ASSERT_EQ(hardware.controllers[0].drives.size(), 2U);
  EXPECT_EQ(hardware.controllers[0].drives[0].port, 0U);
  EXPECT_EQ(hardware.controllers[0].drives[1].port, 1U);
  EXPECT_EQ(hardware.controllers[0].drives[1].device, 1U);
}

TEST(Controllers, FourIdeItemsAreTwoControllers) {
  std::string items;
  for (const char *bus : {"0", "1", "2", "3"}) items += item(5, "InstanceID", bus, "Address", bus);
  EXPECT_EQ(hardware_of(items).controllers.size(), 2U);
}

struct Model {
  int type;
  const char *subtype;
  ControllerType expected;
};
class ControllerModels : public testing::TestWithParam<Model> {};
TEST_P(ControllerModels, AreKnown) {
  const auto hardware =
      hardware_of(item(GetParam().type, "InstanceID", "1", "ResourceSubType", GetParam().subtype), "xen-3");
  EXPECT_EQ(hardware.controllers.at(0).type, GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    Subtypes, ControllerModels,
    testing::Values(
        Model{6, "lsilogic", ControllerType::lsilogic}, Model{6, "LsiLogicSAS", ControllerType::lsilogic_sas},
        Model{6, "buslogic", ControllerType::buslogic}, Model{6, "VirtualSCSI", ControllerType::pvscsi},
        Model{20, "VirtioSCSI", ControllerType::virtio_scsi}, Model{20, "AHCI", ControllerType::ahci},
        Model{20, "vmware.sata.ahci", ControllerType::ahci}, Model{20, "vmware.nvme.controller", ControllerType::nvme},
        Model{5, "PIIX3", ControllerType::ide_piix3}, Model{5, "PIIX4", ControllerType::ide_piix4},
        Model{5, "ICH6", ControllerType::ide_ich6}, Model{6, "buslogic, lsilogic", ControllerType::lsilogic},
        Model{6, "virtio lsilogic", ControllerType::virtio_scsi}, Model{6, "nonsense", ControllerType::lsilogic}));

// vCenter writes SCSI 3, 2, 1, 0, and the disks in any order.
TEST(Drives, OrderIsTheHardwaresNotTheDescriptors) {
  const auto scsi = [](const char *address, const char *instance) {
    return item(6, "Address", address, "InstanceID", instance, "ResourceSubType", "VirtualSCSI");
  };
  const Hardware hardware = hardware_of(
      disk_on("13", "0", "50") + disk_on("10", "10", "51") + scsi("3", "13") + scsi("1", "11") +
      item(20, "Address", "0", "InstanceID", "20", "ResourceSubType", "vmware.sata.ahci") + disk_on("10", "2", "52") +
      scsi("0", "10") + scsi("2", "12") + item(5, "Address", "0", "InstanceID", "5"));
  std::string order;
  for (const Controller &controller : hardware.controllers) {
    order += controller.name + std::to_string(controller.index);
    for (const Drive &drive : controller.drives) order += ":" + std::to_string(drive.port);
    order += " ";
  }
  EXPECT_EQ(order, "ide00 scsi00:2:10 scsi11 scsi22 scsi33:0 sata00 ");
}

TEST(Drives, OnesWithoutAPlaceStandInOrderToo) {
  const Hardware hardware =
      hardware_of(item(5, "Address", "0", "InstanceID", "5") + disk_on("5", "1", "50") + item(15, "Parent", "5"));
  ASSERT_EQ(hardware.controllers.at(0).drives.size(), 2U);
  EXPECT_EQ(hardware.controllers[0].drives[0].kind, DriveKind::cdrom);
  EXPECT_EQ(hardware.controllers[0].drives[1].device, 1U);
}

TEST(Network, CardsComeByTheirPlace) {
  const Hardware hardware = hardware_of(
      item(10, "AddressOnParent", "9", "Connection", "c") + item(10, "AddressOnParent", "7", "Connection", "a") +
      item(10, "Connection", "last") + item(10, "AddressOnParent", "8", "Connection", "b"));
  std::string order;
  for (const Nic &nic : hardware.nics) order += nic.network + std::to_string(nic.slot);
  EXPECT_EQ(order, "a0b1c2last3");
}

TEST(Tpm, IsToldByItsSubtype) {
  for (const int type : {1, 34}) {
    const Hardware hardware = hardware_of(item(type, "ResourceSubType", "vmware.vtpm", "InstanceID", "14"));
    ASSERT_TRUE(hardware.tpm) << type;
    EXPECT_EQ(hardware.tpm->version, Tpm::Version::v2_0);
  }
}

// Whoever refers to the id means one of the two.
TEST(Media, TwoDisksOfOneIdAreRefusedWithBothNames) {
  const ErrorDetail disks = expect_error(ErrorKind::malformed, [] {
    (void)import_one(
        {.references = R"(<File ovf:id="a" ovf:href="system.vmdk"/><File ovf:id="b" ovf:href="data.vmdk"/>)",
         .disks = R"(<Disk ovf:diskId="d" ovf:fileRef="a"/><Disk ovf:diskId="d" ovf:fileRef="b"/>)",
         .items = kMemory});
  });
  EXPECT_NE(disks.found.find("system.vmdk"), std::string::npos);
  EXPECT_NE(disks.found.find("data.vmdk"), std::string::npos);
  const ErrorDetail blank = expect_error(ErrorKind::malformed, [] {
    (void)import_one({.disks = R"(<Disk ovf:diskId="d" ovf:capacity="10"/><Disk ovf:diskId="d" ovf:capacity="20"/>)",
                      .items = kMemory});
  });
  EXPECT_NE(blank.found.find("of 10 bytes and one without a file, of 20"), std::string::npos) << blank.found;
  const ErrorDetail files = expect_error(ErrorKind::malformed, [] {
    (void)import_one({.references = R"(<File ovf:id="a" ovf:href="one.vmdk"/><File ovf:id="a" ovf:href="two.vmdk"/>)",
                      .items = kMemory});
  });
  EXPECT_NE(files.found.find("two.vmdk"), std::string::npos);
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

// An exporter's estimate, and a file that was packed anew, are no doubt; a file that ends early is.
TEST(Media, OnlyAFileThatEndsEarlyIsTold) {
  const TempFolder folder;
  write_file(folder.path() / "d.vmdk", "0123456789");
  for (const auto &[size, told] : std::vector<std::pair<std::string, bool>>{
           {"0", false}, {"5", false}, {"-1", false}, {"10", false}, {"11", true}}) {
    write_file(folder.path() / "m.ovf",
               descriptor({.references = R"(<File ovf:id="f" ovf:href="d.vmdk" ovf:size=")" + size + R"("/>)",
                           .disks = R"(<Disk ovf:diskId="d" ovf:fileRef="f" ovf:capacity="1"/>)",
                           .items = kMemory + item(6, "InstanceID", "3") + disk_on("3", "0")}));
    EXPECT_EQ(has_finding(import_file(folder.path() / "m.ovf", {}).at(0), "ovf.file-size"), told) << size;
  }
}

TEST(Media, ADiskThatNoDriveHoldsIsTold) {
  const std::string disks = R"(<Disk ovf:diskId="d" ovf:capacity="1"/><Disk ovf:diskId="forgotten" ovf:capacity="1"/>)";
  const ImportedMachine imported =
      import_one({.disks = disks, .items = kMemory + item(6, "InstanceID", "3") + disk_on("3", "0")});
  std::string told;
  for (const Finding &finding : imported.findings) told += finding.id == "ovf.disk-unused" ? finding.message : "";
  EXPECT_NE(told.find("\"forgotten\""), std::string::npos);
  EXPECT_EQ(told.find("\"d\""), std::string::npos);
}

TEST(BootOrder, ADeviceThatIsNamedIsTheOneThatBoots) {
  const auto order =
      import_one({.system =
                      R"(<vmw:BootOrderSection vmw:type="disk" vmw:instanceId="50"><Info/></vmw:BootOrderSection>)"
                      R"(<vmw:BootOrderSection vmw:type="net" vmw:instanceId="9"><Info/></vmw:BootOrderSection>)",
                  .items = kMemory + item(6, "InstanceID", "3", "Address", "1") + disk_on("3", "2", "50") +
                           item(10, "InstanceID", "8") + item(10, "InstanceID", "9")})
          .machine.hardware.boot_order;
  ASSERT_EQ(order.size(), 2U);
  EXPECT_EQ(order[0].detail, "scsi1:2");
  EXPECT_EQ(order[1].detail, "ethernet1");
}

// A VirtualBox package with the machine's own description and a file of EFI variables.
std::string virtualbox_package(const std::string &references, const std::string &items, const std::string &nvram) {
  std::string out = descriptor({.references = references, .items = kMemory + items, .type = "virtualbox-2.2"});
  const std::string machine =
      R"(<vbox:Machine xmlns:vbox="http://www.virtualbox.org/ovf/machine" version="1.19-linux" name="aio" OSType="Debian_64")"
      R"( uuid="{d7e1a1f4-5d1e-4a3c-9f35-7f0d1f2a3b4c}"><Hardware><Memory RAMSize="512"/><Firmware type="EFI"/>)"
      R"(<BIOS><NVRAM path=")" +
      nvram + R"("/></BIOS></Hardware></vbox:Machine>)";
  return out.insert(out.find("</VirtualSystem>"), machine);
}

TEST(VirtualBoxNvram, IsFoundByItemByNameOrAsTheOnlyOne) {
  const TempFolder folder;
  for (const char *name : {"aio.nvram", "other.nvram"}) write_file(folder.path() / name, "variables");
  const auto found = [&](const std::string &references, const std::string &items, const std::string &nvram) {
    write_file(folder.path() / "m.ovf", virtualbox_package(references, items, nvram));
    const ImportedMachine imported = import_file(folder.path() / "m.ovf", {}).at(0);
    const auto &file = imported.machine.hardware.firmware.nvram_file;
    return (file ? file->filename().string() : "") + (has_finding(imported, "vbox.nvram-missing") ? "!" : "");
  };
  const std::string own = R"(<File ovf:id="a" ovf:href="aio.nvram"/>)",
                    other = R"(<File ovf:id="b" ovf:href="other.nvram"/>)";
  const std::string path = "C:/Users/someone/VirtualBox VMs/aio/aio.nvram";
  EXPECT_EQ(found(other + own, item(1, "HostResource", "/file/b"), path), "other.nvram");
  EXPECT_EQ(found(other + own, "", path), "aio.nvram");
  EXPECT_EQ(found(other + own, "", "x\\elsewhere.nvram"), "aio.nvram");  // by the machine's name
  EXPECT_EQ(found(other, "", "elsewhere.nvram"), "other.nvram");
  EXPECT_EQ(found("", "", "aio.nvram"), "aio.nvram");
  EXPECT_EQ(found("", "", "C:/lost/elsewhere.nvram"), "!");
  EXPECT_EQ(found(R"(<File ovf:id="l" ovf:href="lost.nvram"/>)", "", "lost.nvram"), "!");
}

TEST(VirtualBoxNvram, IsReadInPlaceInsideAnArchive) {
  const TempFolder folder;
  write_tar(
      folder.path() / "m.ova",
      {{.name = "m.ovf", .text = virtualbox_package(R"(<File ovf:id="a" ovf:href="aio.nvram"/>)", "", "aio.nvram")},
       {.name = "aio.nvram", .text = "variables"}});
  const ImportedMachine imported = import_file(folder.path() / "m.ova", {}).at(0);
  ASSERT_TRUE(imported.machine.hardware.firmware.nvram_inside);
  EXPECT_EQ(read_range(*imported.machine.hardware.firmware.nvram_inside), "variables");
}

TEST(ExtraConfig, TheBiosOrderOfDisksIsTaken) {
  const auto order =
      import_one({.items = kMemory + R"(<vmw:ExtraConfig vmw:key="bios.hddOrder" vmw:value="scsi0:1,ide0:0"/>)" +
                           R"(<vmw:ExtraConfig vmw:key="bios.bootOrder" vmw:value="cdrom,hdd"/>)"})
          .machine.hardware.boot_order;
  ASSERT_EQ(order.size(), 3U);
  EXPECT_EQ(order[0].kind, BootDevice::Kind::cdrom);
  EXPECT_EQ(order[1].detail, "scsi0:1");
  EXPECT_EQ(order[2].detail, "ide0:0");
}

TEST(Drives, TheAdaptersOwnScsiIdIsLeftFree) {
  const ImportedMachine imported =
      import_one({.disks = R"(<Disk ovf:diskId="d" ovf:capacity="1"/>)",
                  .items = kMemory + item(6, "InstanceID", "1", "ResourceSubType", "lsilogic") + disk_on("1", "7")});
  EXPECT_EQ(imported.machine.hardware.controllers.at(0).drives.at(0).port, 0U);
  EXPECT_TRUE(has_finding(imported, "ovf.address-taken"));
}

TEST(Drives, TwoAtOneAddressDoNotHideEachOther) {
  const ImportedMachine imported =
      import_one({.disks = R"(<Disk ovf:diskId="d" ovf:capacity="1"/>)",
                  .items = kMemory + item(20, "InstanceID", "1", "ResourceSubType", "AHCI") + disk_on("1", "0", "8") +
                           disk_on("1", "0", "9")});
  EXPECT_EQ(imported.machine.hardware.controllers.at(0).drives.at(1).port, 1U);
  EXPECT_TRUE(has_finding(imported, "ovf.address-taken"));
}

TEST(Drives, WithoutControllerGetOne) {
  const ImportedMachine imported = import_one(
      {.disks = R"(<Disk ovf:diskId="d" ovf:capacity="1"/>)", .items = kMemory + item(17, "HostResource", "/disk/d")});
  EXPECT_EQ(imported.machine.hardware.controllers.at(0).type, ControllerType::ahci);
  EXPECT_TRUE(has_finding(imported, "ovf.parent-missing"));
}

TEST(Drives, VirtualBox3MeansTheOtherChannel) {
  const Hardware hardware = hardware_of(item(5, "InstanceID", "1", "Address", "1", "ResourceSubType", "PIIX4") +
                                            item(15, "InstanceID", "2", "Parent", "1", "AddressOnParent", "0") +
                                            item(16, "InstanceID", "3", "Parent", "1", "AddressOnParent", "0"),
                                        "virtualbox-2.2");
  EXPECT_EQ(hardware.controllers.at(0).drives.at(0).port, 0U);
  EXPECT_EQ(hardware.controllers.at(0).drives.at(1).port, 1U);
}

TEST(Drives, AThirdFloppyIsDropped) {
  const std::string floppy = item(14, "AddressOnParent", "0");
  const ImportedMachine imported = import_one({.items = kMemory + floppy + floppy + floppy});
  EXPECT_EQ(imported.machine.hardware.controllers.at(0).drives.size(), 2U);
  EXPECT_TRUE(has_finding(imported, "ovf.device-dropped"));
}

TEST(Media, EveryFormOfHostResource) {
  for (const char *form : {"ovf:/disk/d", "/disk/d", "ovf://disk/d", "d", " ovf:/disk/d\n"}) {
    const ImportedMachine imported = import_one(
        {.disks = R"(<Disk ovf:diskId="d" ovf:capacity="4096"/>)", .items = kMemory + item(17, "HostResource", form)});
    const ImageFile &image = imported.machine.hardware.controllers.at(0).drives.at(0).medium->chain.at(0);
    EXPECT_EQ(image.declared_capacity, 4096U) << form;
    EXPECT_TRUE(image.blank);
  }
}

TEST(Media, AnUndeclaredDiskIsAFinding) {
  const ImportedMachine imported = import_one({.items = kMemory + item(17, "HostResource", "ovf:/disk/lost")});
  const ImageFile &image = imported.machine.hardware.controllers.at(0).drives.at(0).medium->chain.at(0);
  EXPECT_TRUE(image.pieces.empty());
  EXPECT_FALSE(image.blank);
  EXPECT_TRUE(has_finding(imported, "ovf.reference-broken"));
}

TEST(Media, ALoopOfParentsIsRefused) {
  (void)expect_error(ErrorKind::malformed, [] {
    (void)import_one({.disks = R"(<Disk ovf:diskId="a" ovf:parentRef="b"/><Disk ovf:diskId="b" ovf:parentRef="a"/>)",
                      .items = kMemory + item(17, "HostResource", "ovf:/disk/a")});
  });
}

TEST(Media, AnUnusedFileOutsideIsNobodysBusiness) {
  const ImportedMachine imported =
      import_one({.references = R"(<File ovf:id="f" ovf:href="../../x"/>)", .items = kMemory});
  EXPECT_EQ(entry(imported, "/File/@href").disposition, Disposition::irrelevant);
}

TEST(Media, AUsedFileOutsideIsLookedForAndJudgedBeforeItIsOpened) {
  const Parts parts{.references = R"(<File ovf:id="f" ovf:href="../x"/>)",
                    .items = kMemory + item(15, "HostResource", "ovf:/file/f")};
  EXPECT_TRUE(has_finding(import_one(parts), "ovf.file-missing"));
}

TEST(Media, UnknownCompressionIsRefused) {
  (void)expect_error(ErrorKind::unsupported, [] {
    (void)import_one({.references = R"(<File ovf:id="f" ovf:href="x" ovf:compression="bzip2"/>)",
                      .items = kMemory + item(15, "HostResource", "ovf:/file/f")});
  });
}

TEST(Media, TooManyChunksAreRefused) {
  (void)expect_error(ErrorKind::malformed, [] {
    (void)import_one(
        {.references = R"(<File ovf:id="f" ovf:href="x" ovf:size="18446744073709551615" ovf:chunkSize="1"/>)",
         .items = kMemory + item(15, "HostResource", "ovf:/file/f")});
  });
}

TEST(Memory, UnitsThatMakeNoSenseAreGuessed) {
  const ImportedMachine imported = import_one({.items = item(4, "VirtualQuantity", "768")});
  EXPECT_EQ(imported.machine.hardware.memory.bytes, std::uint64_t{768} << 20U);
  EXPECT_TRUE(has_finding(imported, "ovf.units-guessed"));
  EXPECT_EQ(import_one({.items = item(4, "VirtualQuantity", "536870912")}).machine.hardware.memory.bytes, 536870912U);
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

TEST(Configuration, IsChosenOrRefused) {
  const auto with = [](const std::string &wanted) {
    ImportOptions options;
    options.ovf_configuration = wanted;
    return import_fixture("deployment-options/sizes.ovf", options);
  };
  EXPECT_EQ(with("").machine.hardware.cpu.count, 4U);
  EXPECT_EQ(with("small").machine.hardware.cpu.count, 1U);
  EXPECT_TRUE(with("small").machine.hardware.nics.empty());
  EXPECT_EQ(with("large").machine.hardware.nics.size(), 1U);
  EXPECT_NE(expect_error(ErrorKind::usage, [&] { (void)with("huge"); }).expected.find("small"), std::string::npos);
  ImportOptions options;
  options.ovf_configuration = "x";
  (void)expect_error(ErrorKind::usage, [&] { (void)import_one({.items = kMemory}, options); });
}

TEST(Ledger, PasswordsAreHidden) {
  const ImportedMachine imported = import_fixture("everything/everything.ovf");
  for (const LedgerEntry &entry : imported.ledger.entries()) EXPECT_EQ(entry.value.find("hunter2"), std::string::npos);
}

TEST(Ledger, AnUnknownKeyStaysUnknown) {
  const ImportedMachine imported = import_one(
      {.items =
           kMemory + R"(<vmw:Config vmw:key="someday" vmw:value="1"/><vmw:ExtraConfig vmw:key="zz" vmw:value="1"/>)"});
  EXPECT_EQ(entry(imported, "/Config/@value").disposition, Disposition::unknown);
  EXPECT_EQ(entry(imported, "/ExtraConfig/@value").disposition, Disposition::unknown);
}

TEST(Ledger, AnUnknownElementOfADeviceIsTold) {
  const ImportedMachine imported = import_one({.items = kMemory + item(10, "Colour", "blue")});
  EXPECT_TRUE(has_finding(imported, "ovf.element-unknown"));
  EXPECT_EQ(count_unknown(imported), 0U);
}

TEST(Extensions, BetweenTheDevicesAreToldAsTheyAskFor) {
  const auto imported = import_one(
      {.items = kMemory + R"(<x:Vital xmlns:x="urn:x">1</x:Vital><x:Idle xmlns:x="urn:x" ovf:required="false" a="b"/>)"
                          R"(<x:VirtualSystemOtherConfigurationData xmlns:x="urn:x"><x:Name>HVM_boot_policy</x:Name>)"
                          R"(</x:VirtualSystemOtherConfigurationData>)"});
  EXPECT_EQ(count_unknown(imported), 0U);
  EXPECT_TRUE(has_finding(imported, "ovf.element-unknown"));
  EXPECT_TRUE(has_finding(imported, "ovf.section-optional"));
}

TEST(ExtraConfig, WhatTheGuestCanSeeIsMapped) {
  const auto imported = import_one(
      {.items = kMemory + R"(<vmw:ExtraConfig vmw:key="hypervisor.cpuid.v0" vmw:value="FALSE"/>)"
                          R"(<vmw:ExtraConfig vmw:key="rtc.diffFromUTC" vmw:value="-3600"/>)"
                          R"(<vmw:ExtraConfig vmw:key="SMBIOS.assetTag" vmw:value="K7"/>)"
                          R"(<vmw:ExtraConfig vmw:key="disk.EnableUUID" vmw:value="TRUE" vmw:note="by hand"/>)"});
  const Hardware &hardware = imported.machine.hardware;
  ASSERT_EQ(hardware.cpu.features.size(), 1U);
  EXPECT_EQ(hardware.cpu.features.at(0).name, "hypervisor");
  EXPECT_FALSE(hardware.cpu.features.at(0).enabled);
  EXPECT_EQ(hardware.clock.offset_ms, -3600000);
  EXPECT_EQ(hardware.smbios.strings.at("chassis.asset"), "K7");
  EXPECT_EQ(imported.machine.extra.at("disk.enable_uuid"), "true");
  EXPECT_EQ(count_unknown(imported), 0U);
}

TEST(Encryption, OfPartsOfThePackageIsRefused) {
  const std::string section = "<EncryptionSection><Info>keys</Info>";
  EXPECT_NO_THROW((void)import_one({.sections = section + "</EncryptionSection>", .items = kMemory}));
  (void)expect_error(ErrorKind::encrypted, [&] {
    (void)import_one(
        {.sections = section + R"(<EncryptedKey xmlns="http://www.w3.org/2001/04/xmlenc#"/>)" + "</EncryptionSection>",
         .items = kMemory});
  });
}

// The name and the content decide whose defaults hold; a package of nobody we know has none.
TEST(Defaults, AreThoseOfThePlatformThatThePackageNames) {
  const std::string items = kMemory + item(3, "VirtualQuantity", "4") + item(10, "ResourceSubType", "E1000") +
                            item(35, "ResourceSubType", "ac97");
  const auto from = [&](const std::string &type, const std::string &system = {}, const std::string &more = {}) {
    return import_one({.system = system, .items = items + more, .type = type}).machine.hardware;
  };
  const Hardware virtualbox = from("virtualbox-2.2");
  EXPECT_EQ(virtualbox.platform.nic_names, NicNames::by_path);
  EXPECT_EQ(virtualbox.nics.at(0).pci_slot, 3U);
  EXPECT_EQ(virtualbox.nics.at(0).nat_cidr, "10.0.2.0/24");
  EXPECT_EQ(virtualbox.sound->pci_slot, 5U);
  EXPECT_EQ(virtualbox.cpu.cores_per_socket, 4U);
  EXPECT_EQ(virtualbox.boot_order.at(1).kind, BootDevice::Kind::cdrom);
  const Hardware vmware = from("vmx-19");
  EXPECT_EQ(vmware.platform.nic_names, NicNames::by_slot);
  EXPECT_FALSE(vmware.nics.at(0).pci_slot);
  EXPECT_EQ(vmware.cpu.cores_per_socket, 1U);
  EXPECT_EQ(vmware.boot_order.size(), 4U);
  for (const char *type : {"xen-3.0-x86_64", "hvm-3.0-unknown", "kvm", "DMTF:ovf:something", ""}) {
    const Hardware other = from(type);
    EXPECT_EQ(other.platform.nic_names, NicNames::unknown) << type;
    EXPECT_TRUE(other.platform.smbios_strings.empty() && other.platform.drive_models.empty()) << type;
    EXPECT_FALSE(other.nics.at(0).pci_slot || other.nics.at(0).nat_cidr || other.sound->pci_slot) << type;
    EXPECT_FALSE(other.cpu.cores_per_socket) << type;
    EXPECT_TRUE(other.boot_order.empty()) << type;
  }
}

TEST(Defaults, WithoutANameTheExtensionsDecide) {
  const auto names = [](const std::string &type, const std::string &system, const std::string &item = {}) {
    return import_one({.system = system, .items = kMemory + item, .type = type}).machine.hardware.platform.nic_names;
  };
  const std::string vmware =
      R"(<OperatingSystemSection ovf:id="101" vmw:osType="otherLinux64Guest"><Info/></OperatingSystemSection>)";
  const std::string virtualbox =
      R"(<OperatingSystemSection ovf:id="101"><Info/><vbox:OSType ovf:required="false">Linux_64</vbox:OSType></OperatingSystemSection>)";
  EXPECT_EQ(names("", vmware), NicNames::by_slot);
  EXPECT_EQ(names("", virtualbox), NicNames::by_path);
  EXPECT_EQ(names("", "", R"(<vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="bios"/>)"),
            NicNames::by_slot);
  EXPECT_EQ(names("hvm-3.0-unknown", vmware), NicNames::unknown);  // a name is a name
}

TEST(Architecture, BesideTheGuestSystemCounts) {
  const auto with = [](const std::string &name) {
    return Parts{.system = "<OperatingSystemSection ovf:id=\"80\"><Info/><a:architecture xmlns:a=\"ibmpvc\">" + name +
                           "</a:architecture></OperatingSystemSection>",
                 .items = kMemory};
  };
  EXPECT_NO_THROW((void)import_one(with("x86_64")));
  (void)expect_error(ErrorKind::unsupported, [&] { (void)import_one(with("ppc64le")); });
}

TEST(ExtraConfig, FirmwareVariablesByTheirFilesIdGoToTheirOwnField) {
  const auto imported =
      import_one({.references = R"(<File ovf:id="nv" ovf:href="m.nvram"/>)",
                  .items = kMemory + R"(<vmw:ExtraConfig vmw:key="nvram" vmw:value="ovf:/file/nv"/>)"});
  EXPECT_TRUE(has_finding(imported, "ovf.file-missing"));
  EXPECT_EQ(entry(imported, "/File/@href").field, "hardware.firmware.nvram_file");
}

TEST(ExtraConfig, FirmwareVariablesWithoutANameAreNone) {
  const auto imported = import_one({.items = kMemory + R"(<vmw:ExtraConfig ovf:required="false" vmw:key="nvram"/>)" +
                                             R"(<vmw:ExtraConfig vmw:key="vmware.pbm://x/y" vmw:value="{}"/>)"});
  EXPECT_FALSE(imported.machine.hardware.firmware.nvram_file);
  EXPECT_EQ(count_unknown(imported), 0U);
}

}  // namespace
}  // namespace ferry::ovf::test
