// SPDX-License-Identifier: Apache-2.0
// The envelope: what is refused, what is chosen, what is told.
#include "tests/ovf/support.hpp"

namespace ferry::ovf::test {
namespace {

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

TEST(Encryption, OfPartsOfThePackageIsRefused) {
  const std::string section = "<EncryptionSection><Info>keys</Info>";
  EXPECT_NO_THROW((void)import_one({.sections = section + "</EncryptionSection>", .items = kMemory}));
  (void)expect_error(ErrorKind::encrypted, [&] {
    (void)import_one(
        {.sections = section + R"(<EncryptedKey xmlns="http://www.w3.org/2001/04/xmlenc#"/>)" + "</EncryptionSection>",
         .items = kMemory});
  });
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

}  // namespace
}  // namespace ferry::ovf::test
