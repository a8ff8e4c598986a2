// SPDX-License-Identifier: Apache-2.0
#include "migration/identity.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace ferry::migration {
namespace {

constexpr std::string_view kWritten = "00112233-4455-6677-8899-aabbccddeeff";
constexpr std::string_view kSwapped = "33221100-5544-7766-8899-aabbccddeeff";

bool has(const target::Account &account, std::string_view id) {
  return std::any_of(account.findings.begin(), account.findings.end(),
                     [&](const Finding &finding) { return finding.id == id; });
}

struct IdentityTest : testing::Test {
  Machine machine;
  IdentityOptions options;
  target::Taken taken;

  IdentityTest() {  // VirtualBox's: plain bytes, SMBIOS 2.5
    machine.name = "box";
    machine.guest_os.family = OsFamily::linux;
    Smbios &smbios = machine.hardware.smbios;
    smbios.uuid = Uuid::parse(kWritten);
    smbios.uuid_little_endian = false;
    smbios.older_than_2_6 = true;
    machine.hardware.nics.resize(2);
    machine.hardware.nics[0].mac = MacAddress::parse("08:00:27:11:22:33");
    options.seed = 1;
  }

  [[nodiscard]] IdentityContext context() const { return {options, taken, machine, "box"}; }
  [[nodiscard]] DecidedUuid uuid() const { return decide_uuid(machine, context()); }
  [[nodiscard]] std::vector<target::Identity::Card> cards() const {
    return decide_cards(machine.hardware, "hardware", context());
  }
};

// ---- the UUID ----

TEST_F(IdentityTest, LinuxOnOldSmbiosPrintsTheSameText) {
  EXPECT_EQ(uuid().uuid.text(), kWritten);
  EXPECT_TRUE(has(uuid().account, "smbios.uuid"));
  EXPECT_EQ(uuid().account.settlements.at(0).field, "hardware.smbios.uuid");
  EXPECT_EQ(uuid().account.settlements.at(0).disposition, Disposition::kept);
}

TEST_F(IdentityTest, WindowsAndUnknownGuestsKeepTheSameBytes) {
  for (const OsFamily family : {OsFamily::windows, OsFamily::unknown}) {
    machine.guest_os.family = family;
    EXPECT_EQ(uuid().uuid.text(), kSwapped);
  }
}

TEST_F(IdentityTest, LittleEndianSourcesAreKeptAsWritten) {
  machine.guest_os.family = OsFamily::windows;
  machine.hardware.smbios.uuid_little_endian = true;
  EXPECT_EQ(uuid().uuid.text(), kWritten);
  // A Linux guest of SMBIOS 2.5 reads those bytes plainly.
  machine.guest_os.family = OsFamily::linux;
  EXPECT_EQ(uuid().uuid.text(), kSwapped);
}

TEST_F(IdentityTest, PlainBytesOfNewSmbiosAreSwappedForEveryGuest) {  // VMware's
  machine.hardware.smbios.older_than_2_6 = false;
  for (const OsFamily family : {OsFamily::windows, OsFamily::linux}) {
    machine.guest_os.family = family;
    EXPECT_EQ(uuid().uuid.text(), kSwapped);
  }
}

TEST_F(IdentityTest, NewUuidsAreRandomButRepeatable) {
  options.uuid_policy = UuidPolicy::regenerate;
  const std::string first = uuid().uuid.text();
  EXPECT_EQ(uuid().uuid.text(), first);
  EXPECT_NE(first, kWritten);
  EXPECT_EQ(first[14], '4');
  options.seed = 2;
  EXPECT_NE(uuid().uuid.text(), first);
}

TEST_F(IdentityTest, WithoutASeedItComesFromTheSourceAndTheName) {
  options.uuid_policy = UuidPolicy::regenerate;
  options.seed = 0;
  const Uuid first = uuid().uuid;
  EXPECT_EQ(uuid().uuid, first);
  EXPECT_NE(decide_uuid(machine, {options, taken, machine, "other"}).uuid, first);
  machine.source.file = "/elsewhere/box.vbox";
  EXPECT_NE(uuid().uuid, first);
}

TEST_F(IdentityTest, AGivenUuidIsTaken) {
  options.uuid_policy = UuidPolicy::given;
  options.uuid = *Uuid::parse(kSwapped);
  EXPECT_EQ(uuid().uuid.text(), kSwapped);
  EXPECT_FALSE(has(uuid().account, "smbios.uuid"));
}

TEST_F(IdentityTest, WithoutAUsableUuidTheGuestGetsANewOne) {
  for (const char *useless : {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"}) {
    machine.hardware.smbios.uuid = Uuid::parse(useless);
    EXPECT_TRUE(has(uuid().account, "smbios.uuid-generated"));
    EXPECT_TRUE(is_usable(uuid().uuid));
  }
}

TEST_F(IdentityTest, AUuidThatIsTakenNamesTheOption) {
  taken.uuids[std::string(kWritten)] = "other";
  try {
    (void)uuid();
    FAIL() << "two machines with one UUID";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_NE(error.detail().advice.find("--uuid new"), std::string::npos);
  }
  taken.uuids[std::string(kWritten)] = "box";  // the machine that is replaced
  EXPECT_EQ(uuid().uuid.text(), kWritten);
}

// Copies of one machine's folder: the same UUID, the same addresses.
TEST_F(IdentityTest, ACopyInTheSameBatchGetsAUuidAndAddressesOfItsOwn) {
  taken.uuids[std::string(kWritten)] = "first";
  taken.macs["08:00:27:11:22:33"] = "first";
  taken.planned_names.insert("first");
  const DecidedUuid decided = uuid();
  EXPECT_NE(decided.uuid.text(), kWritten);
  EXPECT_EQ(decided.uuid.text()[14], '4');
  EXPECT_TRUE(has(decided.account, "smbios.uuid-shared"));
  EXPECT_EQ(decided.account.settlements.at(0).disposition, Disposition::translated);
  EXPECT_EQ(uuid().uuid, decided.uuid);
  const auto card = cards().at(0);
  EXPECT_TRUE(card.mac.text().starts_with("52:54:00:"));
  EXPECT_TRUE(has(card.account, "nic.mac-shared"));
  EXPECT_FALSE(has(cards().at(1).account, "nic.mac-shared"));
  // What the user names is not changed, nor what a machine has that is there already.
  options.uuid_policy = UuidPolicy::given;
  options.uuid = *Uuid::parse(kWritten);
  EXPECT_THROW((void)uuid(), Error);
  options.macs[0] = *MacAddress::parse("08:00:27:11:22:33");
  EXPECT_THROW((void)cards(), Error);
  options = {.seed = 1};
  taken.planned_names = {"another"};
  EXPECT_THROW((void)uuid(), Error);
  EXPECT_THROW((void)cards(), Error);
}

TEST_F(IdentityTest, ASnapshotHasItsMachinesUuid) {
  const DecidedUuid snapshot = snapshot_uuid(uuid().uuid, "snapshots.0.hardware");
  EXPECT_EQ(snapshot.uuid.text(), kWritten);
  EXPECT_EQ(snapshot.account.settlements.at(0).field, "snapshots.0.hardware.smbios.uuid");
}

// ---- addresses of cards ----

TEST_F(IdentityTest, AddressesAreKeptAndMissingOnesMade) {
  const auto first = cards();
  EXPECT_EQ(first.at(0).mac.text(), "08:00:27:11:22:33");
  EXPECT_EQ(first.at(0).account.settlements.at(0).disposition, Disposition::kept);
  EXPECT_TRUE(first.at(1).mac.text().starts_with("52:54:00:"));
}

TEST_F(IdentityTest, NewAddressesAreLocalUniqueAndRepeatable) {
  options.mac_policy = MacPolicy::regenerate;
  const auto first = cards();
  EXPECT_TRUE(first[0].mac.text().starts_with("52:54:00:"));
  EXPECT_NE(first[0].mac, first[1].mac);
  EXPECT_EQ(cards()[0].mac, first[0].mac);
  taken.macs[first[0].mac.text()] = "other";
  EXPECT_NE(cards()[0].mac, first[0].mac);
}

TEST_F(IdentityTest, AGivenAddressIsTaken) {
  options.macs[0] = *MacAddress::parse("52:54:00:00:00:09");
  EXPECT_EQ(cards()[0].mac.text(), "52:54:00:00:00:09");
}

TEST_F(IdentityTest, AMulticastAddressIsReplaced) {
  machine.hardware.nics[0].mac = MacAddress::parse("01:00:5e:00:00:01");
  EXPECT_TRUE(has(cards()[0].account, "nic.mac-invalid"));
  EXPECT_TRUE(cards()[0].mac.text().starts_with("52:54:00:"));
}

TEST_F(IdentityTest, AnAddressThatIsTakenNamesTheOption) {
  taken.macs["08:00:27:11:22:33"] = "other";
  try {
    (void)cards();
    FAIL() << "two cards with one address";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_NE(error.detail().advice.find("--mac new"), std::string::npos);
  }
  taken.macs["08:00:27:11:22:33"] = "box";
  EXPECT_EQ(cards()[0].mac.text(), "08:00:27:11:22:33");
}

}  // namespace
}  // namespace ferry::migration
