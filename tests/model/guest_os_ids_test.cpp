// SPDX-License-Identifier: Apache-2.0
// The tables of model/guest_os_*.cpp against the lists that the vendors publish (guest_os_ids/, each with its source).
#include <filesystem>
#include <gtest/gtest.h>
#include <initializer_list>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/guest_os.hpp"
#include "model/guest_os_tables.hpp"
#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

#include "support/text.hpp"

namespace ferry {
namespace {

using Row = std::vector<std::string>;

// The lines of a list, each split at its tabs; "#" begins a comment.
std::vector<Row> published(const std::string &name) {
  std::vector<Row> out;
  std::istringstream lines(
      test::read_text(std::filesystem::path(FERRY_SOURCE_DIR) / "tests" / "model" / "guest_os_ids" / name));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    Row row;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, '\t');) row.push_back(cell);
    out.push_back(row);
  }
  return out;
}

bool ends_with(const std::string &text, const std::string &end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// An id as the tables have it: lower case, without the first of `ends` that it has.
std::string stem(std::string id, std::initializer_list<const char *> ends) {
  id = text::lower_ascii(id);
  for (const std::string end : ends) {
    if (ends_with(id, end)) return id.substr(0, id.size() - end.size());
  }
  return id;
}

// An id that has no row is shown as it is, one that has is shown by its name.
bool known(const GuestOs &os) { return os.label != os.source_id; }

std::set<std::string> rows_of(std::span<const guest_os_tables::Named> table) {
  std::set<std::string> out;
  for (const auto &row : table) out.emplace(row.id);
  return out;
}

void expect_no_others(std::set<std::string> rows, const std::set<std::string> &listed) {
  for (const std::string &id : listed) rows.erase(id);
  EXPECT_TRUE(rows.empty()) << rows.size() << " rows whose id nobody publishes, the first is " << *rows.begin();
}

TEST(GuestOsIds, EveryVirtualBoxOsTypeIsKnown) {
  const auto rows = published("virtualbox.tsv");
  EXPECT_EQ(rows.size(), 236U);
  for (const Row &row : rows) {
    const GuestOs os = guest_os_from_virtualbox(row.at(0));
    EXPECT_TRUE(known(os)) << row[0];
    EXPECT_EQ(os.is_64bit, ends_with(row[0], "64")) << row[0];
  }
}

TEST(GuestOsIds, VirtualBoxFamiliesAreVirtualBoxs) {
  const auto family_of = [](const std::string &name) {
    if (name == "Windows") return OsFamily::windows;
    if (name == "Linux") return OsFamily::linux;
    if (name == "BSD") return OsFamily::bsd;
    if (name == "Solaris") return OsFamily::solaris;
    if (name == "MacOS") return OsFamily::macos;
    if (name == "OS2") return OsFamily::os2;
    if (name == "Other") return OsFamily::other;
    throw std::runtime_error("no family " + name);
  };
  for (const Row &row : published("virtualbox.tsv")) {
    const OsFamily family = guest_os_from_virtualbox(row.at(0)).family;
    // These two are told apart here, and are "Other" there.
    const bool finer = family == OsFamily::dos || family == OsFamily::netware;
    EXPECT_EQ(finer ? OsFamily::other : family, family_of(row.at(1))) << row[0];
  }
}

TEST(GuestOsIds, VirtualBoxIdsBeforeSettings15AreWhatTheyBecame) {
  const auto rows = published("virtualbox_before_1.5.tsv");
  EXPECT_EQ(rows.size(), 35U);
  for (const Row &row : rows) {
    const GuestOs before = guest_os_from_virtualbox(row.at(0));
    const GuestOs after = guest_os_from_virtualbox(row.at(1));
    EXPECT_TRUE(known(before)) << row[0];
    EXPECT_EQ(before.label, after.label);
    EXPECT_EQ(before.family, after.family) << row[0];
    EXPECT_EQ(before.osinfo_id, after.osinfo_id) << row[0];
    EXPECT_EQ(before.osinfo_newer, after.osinfo_newer) << row[0];
    EXPECT_FALSE(before.is_64bit) << row[0];
  }
}

TEST(GuestOsIds, EveryVirtualBoxRowIsPublished) {
  std::set<std::string> listed;
  for (const Row &row : published("virtualbox.tsv")) listed.insert(stem(row.at(0), {"_arm64", "_64"}));
  for (const Row &row : published("virtualbox_before_1.5.tsv")) listed.insert(row.at(0));
  expect_no_others(rows_of(guest_os_tables::virtualbox()), listed);
}

TEST(GuestOsIds, EveryVmxGuestOsIsKnown) {
  const auto rows = published("vmware_vmx.tsv");
  EXPECT_EQ(rows.size(), 274U);
  for (const Row &row : rows) EXPECT_TRUE(known(guest_os_from_vmware(row.at(0)))) << row[0];
  for (const Row &row : published("vmware_workstation.txt")) {
    EXPECT_TRUE(known(guest_os_from_vmware(row.at(0)))) << row[0];
  }
}

// VMware counts each guestOS value as an identifier of vSphere: both are the same system here.
TEST(GuestOsIds, VmxAndVsphereAgree) {
  for (const Row &row : published("vmware_vmx.tsv")) {
    const GuestOs vmx = guest_os_from_vmware(row.at(0));
    const GuestOs vsphere = guest_os_from_vmware(row.at(1));
    EXPECT_TRUE(known(vsphere)) << row[1];
    EXPECT_EQ(vmx.family, vsphere.family) << row[0] << " " << row[1];
    EXPECT_EQ(vmx.is_64bit, vsphere.is_64bit) << row[0] << " " << row[1];
    // vSphere has no identifier for a 64-bit Mandrake and takes its successor's; open-vm-tools soon took back its
    // identifiers for one release of AlmaLinux.
    if (row[0] == "mandrake-64" || row[0] == "almalinux9-64") continue;
    EXPECT_EQ(vmx.osinfo_id, vsphere.osinfo_id) << row[0] << " " << row[1];
    EXPECT_EQ(vmx.osinfo_newer, vsphere.osinfo_newer) << row[0] << " " << row[1];
  }
}

TEST(GuestOsIds, EveryVsphereIdentifierIsKnown) {
  const auto rows = published("vmware_vsphere.txt");
  EXPECT_EQ(rows.size(), 210U);
  // Named without "64", and there is no other release of them.
  const std::set<std::string> only_64bit{"crxPod1Guest",   "crxSys1Guest",      "vmkernelGuest",  "vmkernel5Guest",
                                         "vmkernel6Guest", "vmkernel65Guest",   "vmkernel7Guest", "vmkernel8Guest",
                                         "vmkernel9Guest", "windowsHyperVGuest"};
  for (const Row &row : rows) {
    const std::string &id = row.at(0);
    const GuestOs os = guest_os_from_vmware(id);
    EXPECT_TRUE(known(os)) << id;
    const bool wide = ends_with(id, "64Guest") || ends_with(id, "Guest64") || only_64bit.count(id) == 1;
    EXPECT_EQ(os.is_64bit, wide) << id;
  }
}

TEST(GuestOsIds, EveryArmGuestOfVmwareIsTheOneOfX86) {
  for (const Row &row : published("vmware_arm.txt")) {
    const GuestOs arm = guest_os_from_vmware(row.at(0));
    const GuestOs x86 = guest_os_from_vmware(row[0].substr(4));
    EXPECT_TRUE(known(arm)) << row[0];
    EXPECT_TRUE(arm.is_64bit) << row[0];
    EXPECT_EQ(arm.family, x86.family) << row[0];
    EXPECT_EQ(arm.osinfo_id, x86.osinfo_id) << row[0];
  }
}

TEST(GuestOsIds, EveryVmwareRowIsPublished) {
  std::set<std::string> listed;
  for (const Row &row : published("vmware_vmx.tsv")) listed.insert(stem(row.at(0), {"-64"}));
  for (const Row &row : published("vmware_vsphere.txt")) {
    listed.insert(stem(row.at(0), {"_64guest", "64guest", "guest64", "guest"}));
  }
  for (const Row &row : published("vmware_workstation.txt")) listed.insert(stem(row.at(0), {"-64"}));
  for (const Row &row : published("vmware_arm.txt")) listed.insert(stem(row.at(0).substr(4), {"-64"}));
  expect_no_others(rows_of(guest_os_tables::vmware()), listed);
}

// The schema's name without what the other columns say.
std::string bare(std::string name) {
  const std::string vendor = "Microsoft ";
  if (name.rfind(vendor, 0) == 0) name.erase(0, vendor.size());
  for (const std::string end : {" 64-Bit", " 64-bit", " 32-bit", " 32-bitx"}) {
    if (ends_with(name, end)) name.resize(name.size() - end.size());
  }
  return name;
}

TEST(GuestOsIds, EveryCimNumberIsTheSystemOfTheSchema) {
  const auto rows = published("cim.tsv");
  EXPECT_EQ(rows.size(), 121U);
  for (const Row &row : rows) {
    const GuestOs os = guest_os_from_cim(std::stoi(row.at(0)));
    EXPECT_EQ(os.label, row.size() > 2 ? row[2] : bare(row.at(1))) << row[0];
    if (text::lower_ascii(row[1]).find("64-bit") != std::string::npos) {
      EXPECT_TRUE(os.is_64bit) << row[0];
    }
    EXPECT_EQ(os.family == OsFamily::windows, os.label.find("Windows") == 0) << row[0];
  }
}

// Where the schema has two numbers for one system, the one that does not say "64-Bit" is the other.
TEST(GuestOsIds, CimNumbersInPairsDifferInBitness) {
  const auto rows = published("cim.tsv");
  int pairs = 0;
  for (const Row &row : rows) {
    for (const Row &other : rows) {
      if (row.at(1) == other.at(1) || bare(row[1]) != bare(other[1])) continue;
      if (text::lower_ascii(row[1]).find("64-bit") == std::string::npos) continue;
      ++pairs;
      EXPECT_TRUE(guest_os_from_cim(std::stoi(row[0])).is_64bit) << row[0];
      EXPECT_FALSE(guest_os_from_cim(std::stoi(other[0])).is_64bit) << other[0];
    }
  }
  EXPECT_EQ(pairs, 21);
}

TEST(GuestOsIds, Cim112IsWhatVmwareAndVirtualBoxMeanByIt) {
  EXPECT_EQ(guest_os_from_cim(112).osinfo_id, "http://microsoft.com/win/2k12");
  std::set<int> listed{112};
  for (const Row &row : published("cim.tsv")) listed.insert(std::stoi(row.at(0)));
  for (const auto &row : guest_os_tables::cim()) EXPECT_EQ(listed.count(row.id), 1U) << row.id;
}

}  // namespace
}  // namespace ferry
