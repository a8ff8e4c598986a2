// SPDX-License-Identifier: Apache-2.0
#include "converters/firmware/carry.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "converters/firmware/edk2_store.hpp"
#include "converters/firmware/findings.hpp"
#include "tests/firmware/builder.hpp"
#include "tests/kit/corpus.hpp"
#include "tests/kit/disk_images.hpp"

namespace ferry::firmware {
namespace {

using namespace testing;  // NOLINT: the builder's
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char16_t *kGrub = u"\\EFI\\debian\\grubx64.efi";

NvramSource source_of(const std::filesystem::path &file) {
  return {{.file = file, .offset = 0, .length = std::nullopt}, false};
}
NvramContents contents_of(const Bytes &content) {
  const Folder folder;
  return read_nvram(source_of(folder.write("machine.nvram", content)));
}
template <class Thing>
std::vector<std::string> ids(const Thing &thing) {
  std::vector<std::string> out;
  for (const Finding &finding : thing.findings) out.push_back(finding.id);
  return out;
}
std::vector<unsigned> numbers(const std::vector<KeptEntry> &entries) {
  std::vector<unsigned> out;
  for (const KeptEntry &entry : entries) out.push_back(entry.number);
  return out;
}
StoredVariable boot(const char16_t *name, const char16_t *file = kGrub) {
  return {name, kGlobalGuid, load_option(u"debian", full_path(file))};
}
StoredVariable order(const std::vector<unsigned> &list) { return {u"BootOrder", kGlobalGuid, boot_order(list)}; }
std::vector<StoredVariable> enrolled(std::optional<std::uint8_t> enable = std::nullopt) {
  std::vector<StoredVariable> out = {{u"PK", kGlobalGuid, Bytes(1035, 1), 0x27, 0x3F, 5},
                                     {u"KEK", kGlobalGuid, Bytes(1560, 2), 0x27},
                                     {u"db", kImageSecurityGuid, Bytes(3143, 3), 0x27},
                                     {u"MokList", kShimGuid, Bytes(809, 4), 0x23}};
  if (enable) out.push_back({u"SecureBootEnable", kSecureBootEnableGuid, {*enable}, 7});
  return out;
}
std::vector<StoredVariable> operator+(std::vector<StoredVariable> a, const std::vector<StoredVariable> &b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// ---- reading ----

TEST(ReadNvram, KnowsEachKindByItsContent) {
  EXPECT_EQ(contents_of(store({boot(u"Boot0000")})).kind, NvramKind::virtualbox);
  EXPECT_EQ(contents_of(tar_member("efi/nvram", store())).kind, NvramKind::virtualbox);
  EXPECT_EQ(contents_of(vmware_nvram({boot(u"Boot0000")})).kind, NvramKind::vmware);
}

TEST(ReadNvram, WhatIsUnknownIsAFinding) {
  for (const Bytes &content : {Bytes{}, Bytes(4096, 0), bytes("hello")}) {
    const NvramContents found = contents_of(content);
    EXPECT_EQ(found.kind, NvramKind::unreadable);
    EXPECT_THAT(ids(found), ElementsAre("firmware.variables-unreadable"));
  }
}

TEST(ReadNvram, DamageIsAFindingThatNamesThePlace) {
  Bytes damaged = store({boot(u"Boot0000")});
  damaged[0x2C] ^= 1;
  const NvramContents found = contents_of(damaged);
  EXPECT_THAT(found.variables, IsEmpty());
  ASSERT_THAT(ids(found), ElementsAre("firmware.variables-unreadable"));
  EXPECT_THAT(found.findings[0].where.path, HasSubstr("checksum"));
  EXPECT_THAT(found.findings[0].message, HasSubstr("checksum is wrong"));
}

TEST(ReadNvram, AFileThatIsGoneOrTooLargeIsAFinding) {
  EXPECT_THAT(ids(read_nvram(source_of("/nonexistent/x.nvram"))), ElementsAre("firmware.variables-unreadable"));
  EXPECT_THAT(ids(read_nvram(source_of("/dev/zero"))), ElementsAre("firmware.variables-unreadable"));
  const Folder folder;
  const auto file = folder.write("x", {});
  std::filesystem::resize_file(file, (4U << 20U) + 1);
  EXPECT_THAT(ids(read_nvram(source_of(file))), ElementsAre("firmware.variables-unreadable"));
}

TEST(ReadNvram, EncryptedStoresAreSaidToBe) {
  Bytes vmware(65536, 0x5A);
  set(vmware, 0, 0x8943DD9E, 4);
  EXPECT_THAT(ids(contents_of(vmware)), ElementsAre("firmware.variables-encrypted"));
  const Folder folder;
  NvramSource declared = source_of(folder.write("x.nvram", store({boot(u"Boot0000")})));
  declared.encrypted = true;
  EXPECT_THAT(ids(read_nvram(declared)), ElementsAre("firmware.variables-encrypted"));
}

TEST(ReadNvram, APartOfALargerFileIsEnough) {
  const Folder folder;
  Bytes ova(512, 7);
  const Bytes volume = store({boot(u"Boot0003")});
  put(ova, volume);
  put(ova, Bytes(100, 9));
  Firmware firmware;
  EXPECT_FALSE(nvram_source(firmware));
  firmware.nvram_inside = FileRange{.file = folder.write("x.ova", ova), .offset = 512, .length = volume.size()};
  const NvramContents found = read_nvram(*nvram_source(firmware));
  EXPECT_EQ(found.kind, NvramKind::virtualbox);
  EXPECT_THAT(found.variables, SizeIs(1));
  firmware.nvram_inside->file = folder.write("x.box", test::make_gzip(ova, 200));
  firmware.nvram_gzip = true;
  EXPECT_THAT(read_nvram(*nvram_source(firmware)).variables, SizeIs(1));
  image::Cache cache;
  EXPECT_THAT(read_nvram(*nvram_source(firmware), &cache).variables, SizeIs(1));
  firmware.nvram_inside->length = ova.size();
  EXPECT_THAT(ids(read_nvram(*nvram_source(firmware))), ElementsAre("firmware.variables-unreadable"));
  firmware.nvram_inside->file = folder.write("x.ova", ova);
  firmware.nvram_gzip = false;
  EXPECT_THAT(ids(read_nvram(*nvram_source(firmware))), ElementsAre("firmware.variables-unreadable"));
}

TEST(ReadNvram, TheTpmsStateComesWithIt) {
  Bytes blob = {0, 3, 0xAB, 0x36, 0x47, 0x23};
  blob.resize(1346, 1);
  Bytes tar = tar_member("TpmEmuTpms/permall", blob);
  put(tar, tar_member("efi/nvram", store()));
  EXPECT_EQ(contents_of(tar).tpm.state, blob);
  const NvramContents old = contents_of(tar_member("TpmEmuTpms/permall", Bytes(1346, 1)));
  EXPECT_THAT(old.tpm.state, IsEmpty());
  EXPECT_THAT(old.tpm.problem, HasSubstr("TPM 2.0"));
}

// ---- Secure Boot ----

TEST(SecureBoot, IsOnWithAPlatformKeyUnlessSwitchedOff) {
  EXPECT_EQ(secure_boot_of(contents_of(store())), false);
  EXPECT_EQ(secure_boot_of(contents_of(store(enrolled()))), true);
  EXPECT_EQ(secure_boot_of(contents_of(store(enrolled(1)))), true);
  EXPECT_EQ(secure_boot_of(contents_of(store(enrolled(0)))), false);
  std::vector<StoredVariable> dead = enrolled();
  dead[0].state = 0x3D;
  EXPECT_EQ(secure_boot_of(contents_of(store(dead))), false);
}

TEST(SecureBoot, VmwaresStoreDoesNotSay) {
  EXPECT_EQ(secure_boot_of(contents_of(vmware_nvram(enrolled()))), std::nullopt);
  EXPECT_EQ(secure_boot_of(contents_of({})), std::nullopt);
}

// ---- selecting ----

TEST(Select, KeepsEntriesInTheSourcesOrder) {
  const Selection found = select_variables(
      contents_of(store({boot(u"Boot0000"), boot(u"Boot0001"), boot(u"Boot0002"), order({2, 0, 9, 2})})), false);
  EXPECT_THAT(found.order, ElementsAre(2, 0));
  EXPECT_THAT(numbers(found.kept), ElementsAre(2, 0, 1));
  EXPECT_EQ(found.kept[0].description, "debian");
  EXPECT_EQ(found.kept[0].file, "\\EFI\\debian\\grubx64.efi");
  EXPECT_THAT(ids(found), ElementsAre("firmware.boot-entries-carried"));
}

TEST(Select, WithoutAnOrderTheKeptEntriesMakeOne) {
  const Selection found = select_variables(contents_of(store({boot(u"Boot0007"), boot(u"Boot0003")})), false);
  EXPECT_THAT(found.order, ElementsAre(3, 7));
}

TEST(Select, DropsWhatOtherFirmwareCannotFindAndSaysWhy) {
  const StoredVariable drive{u"Boot0001", kGlobalGuid, load_option(u"UEFI VBOX CD-ROM", drive_path())};
  const Selection found = select_variables(contents_of(store({boot(u"Boot0000"), drive, order({1, 0})})), false);
  EXPECT_THAT(found.order, ElementsAre(0));
  ASSERT_THAT(found.dropped, SizeIs(1));
  EXPECT_EQ(found.dropped[0].number, 1);
  EXPECT_THAT(found.dropped[0].reason, HasSubstr("no partition"));
  EXPECT_THAT(ids(found), ElementsAre("firmware.boot-entries-carried", "firmware.boot-entry-dropped"));
  EXPECT_THAT(found.findings[1].message, HasSubstr("Boot0001 \"UEFI VBOX CD-ROM\""));
}

TEST(Select, NothingToKeepIsAWarning) {
  const Selection found = select_variables(contents_of(store()), false);
  EXPECT_THAT(ids(found), ElementsAre("firmware.no-boot-entry"));
  EXPECT_EQ(found.findings[0].severity, Severity::warning);
}

TEST(Select, EntriesUnderAnotherGuidAreNotBootEntries) {
  StoredVariable apple = boot(u"Boot0080");
  apple.guid = kShimGuid;
  StoredVariable apple_order = order({0x80});
  apple_order.guid = kShimGuid;
  const Selection found =
      select_variables(contents_of(vmware_nvram({apple, apple_order, boot(u"Boot0006"), order({6})})), false);
  EXPECT_THAT(numbers(found.kept), ElementsAre(6));
  EXPECT_THAT(found.order, ElementsAre(6));
}

TEST(Select, TheOldFirmwaresOwnVariablesStayBehind) {
  std::vector<StoredVariable> own;
  for (const char16_t *name :
       {u"Timeout", u"ConOut", u"ConIn", u"Lang", u"PlatformLang", u"MTC", u"Key0000", u"BootNext", u"Boot000a",
        u"MemoryTypeInformation", u"certdb", u"VendorKeysNv", u"VarErrorFlag"}) {
    own.push_back({name, kGlobalGuid, {1, 0}});
  }
  const Selection found = select_variables(contents_of(store(own)), false);
  EXPECT_THAT(found.boot_entries, IsEmpty());
  EXPECT_THAT(found.keys, IsEmpty());
}

TEST(Select, KeysComeWithSecureBootAndKeepTheirTimes) {
  const Selection found = select_variables(contents_of(store(enrolled(1))), true);
  ASSERT_THAT(found.keys, SizeIs(5));
  const Variable *platform = find(found.keys, u"PK", kGlobalGuid);
  ASSERT_NE(platform, nullptr);
  EXPECT_EQ(platform->timestamp[0], 5);
  EXPECT_EQ(platform->attributes, 0x27U);
  EXPECT_EQ(find(found.keys, u"MokList", kShimGuid)->attributes, 3U);
  EXPECT_EQ(find(found.keys, u"SecureBootEnable", kSecureBootEnableGuid)->attributes, 3U);
  EXPECT_THAT(ids(found), Contains("firmware.no-revocation-list"));
  const StoredVariable revoked{u"dbx", kImageSecurityGuid, Bytes(76, 1), 0x27};
  EXPECT_THAT(ids(select_variables(contents_of(store(enrolled(1) + std::vector{revoked})), true)),
              Not(Contains("firmware.no-revocation-list")));
}

TEST(Select, WithoutSecureBootOnTheNewMachineKeysStayBehind) {
  const Selection found = select_variables(contents_of(store(enrolled())), false);
  EXPECT_THAT(found.keys, IsEmpty());
  EXPECT_THAT(ids(found), Contains("firmware.keys-not-carried"));
}

TEST(Select, AGuestThatHadSecureBootOffDoesNotGetItByItsKeys) {
  const Selection found = select_variables(contents_of(store(enrolled(0))), true);
  EXPECT_THAT(found.keys, IsEmpty());
}

TEST(Select, VmwaresKeysAreNotCarried) {
  const Selection found =
      select_variables(contents_of(vmware_nvram(enrolled() + std::vector{boot(u"Boot0000")})), true);
  EXPECT_THAT(found.keys, IsEmpty());
  EXPECT_THAT(ids(found), Contains("firmware.keys-not-carried"));
}

// ---- carrying ----

struct Carried {
  CarryResult result;
  std::vector<Variable> variables;
  Bytes bytes;
};

Carried carry(const Bytes &source, const Bytes &host_template, bool secure_boot = false) {
  const Folder folder;
  const auto file = folder.write("template.fd", host_template);
  const auto target = folder.path() / "web_VARS.fd";
  Carried out;
  out.result = carry_variables(select_variables(contents_of(source), secure_boot), file, target);
  struct stat status {};
  EXPECT_EQ(stat(target.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(folder.files(), 2U);
  EXPECT_EQ(read(file), host_template);
  out.bytes = read(target);
  out.variables = Edk2Store(out.bytes, {}).variables();
  return out;
}

TEST(Carry, AppendsEntriesInShortFormAndTheirOrder) {
  const Carried found = carry(store({boot(u"Boot0004"), order({4})}), store());
  EXPECT_EQ(found.bytes, store({{u"Boot0004", kGlobalGuid, load_option(u"debian", short_path(kGrub))}, order({4})}));
}

TEST(Carry, TakesTheLayoutFromTheTemplate) {
  const Carried found = carry(store({boot(u"Boot0000")}, kLayout4m), store({}, kLayout2m));
  EXPECT_EQ(found.bytes.size(), 0x20000U);
  EXPECT_NE(find(found.variables, u"Boot0000", kGlobalGuid), nullptr);
}

TEST(Carry, VmwaresEntriesLandInTheSameForm) {
  const Carried found = carry(vmware_nvram({boot(u"Boot0006"), order({6})}), store());
  EXPECT_EQ(found.bytes, store({{u"Boot0006", kGlobalGuid, load_option(u"debian", short_path(kGrub))}, order({6})}));
}

TEST(Carry, TheTemplatesEntriesStayBehindTheGuests) {
  const StoredVariable own{u"Boot0001", kGlobalGuid, load_option(u"UiApp", drive_path())};
  const StoredVariable taken{u"Boot0000", kGlobalGuid, load_option(u"old", drive_path())};
  const Carried found = carry(store({boot(u"Boot0000"), order({0})}), store({taken, own, order({0, 1, 5})}));
  EXPECT_EQ(find(found.variables, u"BootOrder", kGlobalGuid)->data, boot_order({0, 1}));
  EXPECT_EQ(find(found.variables, u"Boot0000", kGlobalGuid)->data, load_option(u"debian", short_path(kGrub)));
  EXPECT_EQ(find(found.variables, u"Boot0001", kGlobalGuid)->data, own.data);
}

TEST(Carry, ATemplatesNumberThatTheGuestHasOutOfOrderStaysOutOfOrder) {
  const StoredVariable own{u"Boot0001", kGlobalGuid, load_option(u"old", drive_path())};
  const Carried found = carry(store({boot(u"Boot0000"), boot(u"Boot0001"), order({0})}), store({own, order({1})}));
  EXPECT_EQ(find(found.variables, u"BootOrder", kGlobalGuid)->data, boot_order({0}));
}

TEST(Carry, WithNothingToCarryTheStoreIsTheTemplate) {
  const Bytes host = store({order({1})});
  EXPECT_EQ(carry(store(), host).bytes, host);
  EXPECT_EQ(carry({}, host).bytes, host);
}

TEST(Carry, KeysGoIntoABlankStoreOnly) {
  const Bytes source = store(enrolled(1) + std::vector{boot(u"Boot0000"), order({0})});
  const Carried blank = carry(source, store(), true);
  EXPECT_TRUE(blank.result.keys_carried);
  EXPECT_EQ(find(blank.variables, u"db", kImageSecurityGuid)->data, Bytes(3143, 3));
  const Carried owned = carry(source, store({{u"PK", kGlobalGuid, Bytes(5, 5), 0x27}}), true);
  EXPECT_FALSE(owned.result.keys_carried);
  EXPECT_EQ(find(owned.variables, u"PK", kGlobalGuid)->data, Bytes(5, 5));
  EXPECT_EQ(find(owned.variables, u"db", kImageSecurityGuid), nullptr);
  EXPECT_NE(find(owned.variables, u"Boot0000", kGlobalGuid), nullptr);
  EXPECT_THAT(ids(owned.result), Contains("firmware.keys-not-carried"));
}

TEST(Carry, KeysThatDoNotFitAreLeftOutTogether) {
  std::vector<StoredVariable> large = enrolled(1);
  large[2].data.resize(0x8400);
  const Carried found = carry(store(large), store(), true);
  EXPECT_FALSE(found.result.keys_carried);
  EXPECT_THAT(found.variables, IsEmpty());
  EXPECT_THAT(ids(found.result), Contains("firmware.keys-not-carried"));
}

TEST(Carry, AnEntryThatDoesNotFitIsDroppedAndTheOthersStay) {
  StoredVariable large = boot(u"Boot0000");
  large.data.resize(0x8400);
  const Carried found = carry(store({large, boot(u"Boot0001"), order({0, 1})}), store());
  EXPECT_EQ(find(found.variables, u"BootOrder", kGlobalGuid)->data, boot_order({1}));
  EXPECT_THAT(numbers(found.result.kept), ElementsAre(1));
  EXPECT_THAT(found.result.dropped, ElementsAre(Field(&DroppedEntry::number, 0)));
  EXPECT_THAT(ids(found.result), Contains("firmware.variable-too-large"));
}

TEST(Carry, HalfOfTheStoreStaysFree) {
  std::vector<StoredVariable> many;
  std::vector<std::u16string> names;
  for (unsigned i = 0; i < 10; ++i) {
    many.push_back(boot(u"Boot0000"));
    many.back().name.back() = static_cast<char16_t>(u'0' + i);
    many.back().data.resize(0x6000);
  }
  const Carried found = carry(store(many), store());
  EXPECT_THAT(numbers(found.result.kept), SizeIs(5));
  EXPECT_GE(Edk2Store(found.bytes, {}).free_bytes(), 262044U / 2);
}

std::string carry_error(const Bytes &host_template, ErrorKind kind) {
  const Folder folder;
  const auto file = folder.write("template.fd", host_template);
  try {
    carry_variables({}, file, folder.path() / "new");
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_EQ(folder.files(), 1U);
    return error.what();
  }
  return "no error";
}

TEST(CarryError, ATemplateThatIsNoStoreIsRefused) {
  EXPECT_THAT(carry_error(Bytes(1U << 20U, 0), ErrorKind::malformed), HasSubstr("file system GUID"));
  Bytes used = store();
  used[0x3FFFF] = 1;
  EXPECT_THAT(carry_error(used, ErrorKind::malformed), HasSubstr("free space"));
  EXPECT_THROW(carry_variables({}, "/nonexistent/VARS.fd", "/nonexistent/target"), Error);
}

TEST(CarryError, AnExistingTargetIsNeverReplaced) {
  const Folder folder;
  const auto file = folder.write("template.fd", store());
  const auto target = folder.write("web_VARS.fd", {1, 2, 3});
  try {
    carry_variables({}, file, target);
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
  }
  EXPECT_EQ(read(target), (Bytes{1, 2, 3}));
  EXPECT_EQ(folder.files(), 2U);
}

TEST(CarryError, AFolderThatIsNotThereIsAnIoError) {
  const Folder folder;
  const auto file = folder.write("template.fd", store());
  try {
    carry_variables({}, file, folder.path() / "none" / "x");
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
  }
}

TEST(Findings, HaveUniqueIdsOfThisArea) {
  std::set<std::string_view> seen;
  for (const FindingKind *kind : finding_list.kinds()) {
    EXPECT_TRUE(kind->id.starts_with("firmware.")) << kind->id;
    EXPECT_TRUE(seen.insert(kind->id).second) << kind->id;
  }
  EXPECT_EQ(seen.size(), 11U);
}

// ---- real files ----

TEST(RealFiles, VirtualBoxsStoreWithEnrolledKeys) {
  const auto tarball = ferry::test::corpus() / "virtualbox-7.0.tar.xz";
  if (!std::filesystem::exists(tarball)) GTEST_SKIP() << "no " << tarball;
  const Folder unpacked;
  const std::string command = "tar -xJf '" + tarball.string() + "' -C '" + unpacked.path().string() +
                              "' --strip-components=4 virtualbox-7.0/05-devices/lab/devices/devices.nvram";
  ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT: our own command
  const std::filesystem::path file = unpacked.path() / "devices.nvram";
  const NvramContents contents = read_nvram(source_of(file));
  EXPECT_THAT(contents.findings, IsEmpty());
  ASSERT_THAT(contents.variables, SizeIs(3));
  EXPECT_EQ(find(contents.variables, u"KEK", kGlobalGuid)->data.size(), 1560U);
  EXPECT_EQ(find(contents.variables, u"db", kImageSecurityGuid)->data.size(), 3143U);
  EXPECT_EQ(find(contents.variables, u"PK", kGlobalGuid)->data.size(), 1035U);
  EXPECT_EQ(secure_boot_of(contents), true);
  const std::filesystem::path host = "/usr/share/OVMF/OVMF_VARS_4M.fd";
  if (!std::filesystem::exists(host)) GTEST_SKIP() << "no " << host;
  const Folder folder;
  const CarryResult result = carry_variables(select_variables(contents, true), host, folder.path() / "VARS.fd");
  EXPECT_TRUE(result.keys_carried);
  // Both are the same virgin store but for the fault-tolerant-write header and the tail that VirtualBox leaves zero;
  // ours takes those from the template.
  const Bytes ours = read(folder.path() / "VARS.fd");
  const Bytes theirs = read(file);
  ASSERT_EQ(ours.size(), theirs.size());
  EXPECT_TRUE(std::equal(ours.begin(), ours.begin() + 0x64, theirs.begin()));
  EXPECT_TRUE(std::equal(ours.begin() + 0x40000, ours.end(), read(host).begin() + 0x40000));
}

}  // namespace
}  // namespace ferry::firmware
