// SPDX-License-Identifier: Apache-2.0
#include "model/guest_os.hpp"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <regex>
#include <set>
#include <vector>

#include "model/guest_os_tables.hpp"
#include "tests/kit/corpus.hpp"
#include "tests/kit/folder.hpp"

namespace ferry {
namespace {

std::set<std::string> installed_osinfo_ids() {
  std::set<std::string> out;
  std::error_code error;
  const std::string mark = "<os id=\"";
  for (const auto &entry : std::filesystem::recursive_directory_iterator("/usr/share/osinfo/os", error)) {
    if (entry.path().extension() != ".xml") continue;
    const std::string text = test::read_text(entry.path());
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
      const std::size_t start = at + mark.size();
      out.insert(text.substr(start, text.find('"', start) - start));
    }
  }
  return out;
}

TEST(GuestOs, EveryOsinfoIdIsOneOfLibosinfo) {
  const std::set<std::string> known = installed_osinfo_ids();
  if (known.empty()) GTEST_SKIP() << "osinfo-db is not installed";
  const bool recent = std::stoul(test::read_text("/usr/share/osinfo/VERSION")) >= kOsinfoNewerRelease;
  const auto check = [&](std::string_view id, std::string_view osinfo) {
    const bool fine = osinfo.empty() || known.count("http://" + std::string(osinfo)) == 1;
    EXPECT_TRUE(fine) << id << " " << osinfo;
  };
  const auto check_rows = [&](const auto &rows, auto name) {
    for (const auto &row : rows) {
      check(row.*name, row.osinfo);
      if (recent) check(row.*name, row.osinfo_newer);
    }
  };
  check_rows(guest_os_tables::virtualbox(), &guest_os_tables::Named::id);
  check_rows(guest_os_tables::vmware(), &guest_os_tables::Named::id);
  check_rows(guest_os_tables::cim(), &guest_os_tables::Numbered::label);
}

TEST(GuestOs, TablesAreSortedWithoutRepeats) {
  for (const auto rows : {guest_os_tables::virtualbox(), guest_os_tables::vmware()}) {
    const auto unordered =
        std::adjacent_find(rows.begin(), rows.end(), [](const auto &a, const auto &b) { return !(a.id < b.id); });
    EXPECT_EQ(unordered, rows.end()) << unordered->id;
  }
  int next = 0;
  for (const auto &row : guest_os_tables::cim()) EXPECT_EQ(row.id, next++);
}

TEST(GuestOs, VirtualBoxSaysBitnessByTheEnding) {
  EXPECT_FALSE(guest_os_from_virtualbox("Debian").is_64bit);
  EXPECT_TRUE(guest_os_from_virtualbox("Debian_64").is_64bit);
  const GuestOs arm = guest_os_from_virtualbox("Ubuntu_arm64");
  EXPECT_TRUE(arm.is_64bit);
  EXPECT_EQ(arm.label, "Ubuntu (ARM 64-bit)");
  EXPECT_EQ(arm.family, OsFamily::linux);
}

TEST(GuestOs, VirtualBoxIdsMapToTheRelease) {
  EXPECT_EQ(guest_os_from_virtualbox("Windows11_64").osinfo_id, "http://microsoft.com/win/11");
  EXPECT_EQ(guest_os_from_virtualbox("Windows11_64").label, "Windows 11 (64-bit)");
  EXPECT_EQ(guest_os_from_virtualbox("Windows2022_64").osinfo_id, "http://microsoft.com/win/2k22");
  EXPECT_EQ(guest_os_from_virtualbox("Debian10_64").osinfo_id, "http://debian.org/debian/10");
  EXPECT_EQ(guest_os_from_virtualbox("Ubuntu18_LTS_64").osinfo_id, "http://ubuntu.com/ubuntu/18.04");
  EXPECT_EQ(guest_os_from_virtualbox("MacOS1013_64").family, OsFamily::macos);
  EXPECT_EQ(guest_os_from_virtualbox("Solaris11_64").osinfo_id, "http://oracle.com/solaris/11");
  EXPECT_EQ(guest_os_from_virtualbox("OS2ArcaOS").family, OsFamily::os2);
}

TEST(GuestOs, VirtualBox1xNamesAreKnown) {
  EXPECT_EQ(guest_os_from_virtualbox("winxp").osinfo_id, guest_os_from_virtualbox("WindowsXP").osinfo_id);
  EXPECT_EQ(guest_os_from_virtualbox("fedoracore").label, "Fedora (32-bit)");
  EXPECT_EQ(guest_os_from_virtualbox("linux26").family, OsFamily::linux);
}

TEST(GuestOs, ReleasesNewerThanTheTableHaveTheNewestIdOfTheirFamily) {
  const GuestOs debian = guest_os_from_virtualbox("Debian15_64");
  EXPECT_EQ(debian.family, OsFamily::linux);
  EXPECT_EQ(debian.osinfo_id, "http://debian.org/debian/11");
  EXPECT_EQ(debian.label, "Debian15_64");
  EXPECT_EQ(guest_os_from_vmware("darwin30-64").family, OsFamily::macos);
  EXPECT_EQ(guest_os_from_virtualbox("Ubuntu28_LTS_64").osinfo_id, guest_os_from_virtualbox("Ubuntu25_64").osinfo_id);
}

TEST(GuestOs, ANearerIdOfANewerOsinfoDbIsBeside) {
  const GuestOs debian = guest_os_from_virtualbox("Debian12_64");
  EXPECT_EQ(debian.osinfo_id, "http://debian.org/debian/11");
  EXPECT_EQ(debian.osinfo_newer, "http://debian.org/debian/12");
  EXPECT_EQ(guest_os_from_virtualbox("Debian15_64").osinfo_newer, "http://debian.org/debian/13");
  EXPECT_EQ(guest_os_from_vmware("windows2022srvNext_64Guest").osinfo_newer, "http://microsoft.com/win/2k25");
  EXPECT_EQ(guest_os_from_cim(96).osinfo_newer, "http://debian.org/debian/13");
  EXPECT_TRUE(guest_os_from_virtualbox("Windows11_64").osinfo_newer.empty());
}

TEST(GuestOs, UnknownIdsAreUnknown) {
  const GuestOs none = guest_os_from_virtualbox("TempleOS");
  EXPECT_EQ(none.family, OsFamily::unknown);
  EXPECT_TRUE(none.osinfo_id.empty());
  EXPECT_EQ(guest_os_from_virtualbox("").family, OsFamily::unknown);
  EXPECT_EQ(guest_os_from_vmware("").family, OsFamily::unknown);
  EXPECT_EQ(guest_os_from_vmware("neverlinux-64").family, OsFamily::linux);
  EXPECT_EQ(guest_os_from_cim(4711).family, OsFamily::unknown);
}

TEST(GuestOs, VmwareFormsOfOneIdAgree) {
  for (const char *id : {"ubuntu-64", "ubuntu64Guest", "Ubuntu-64"}) {
    EXPECT_EQ(guest_os_from_vmware(id).label, "Ubuntu (64-bit)") << id;
    EXPECT_EQ(guest_os_from_vmware(id).source_id, id);
  }
  EXPECT_EQ(guest_os_from_vmware("rhel6_64Guest").osinfo_id, guest_os_from_vmware("rhel6-64").osinfo_id);
  EXPECT_EQ(guest_os_from_vmware("windows2019srv_64Guest").label, "Windows Server 2019 (64-bit)");
  EXPECT_EQ(guest_os_from_vmware("winLonghorn64Guest").osinfo_id, guest_os_from_vmware("longhorn-64").osinfo_id);
  EXPECT_EQ(guest_os_from_vmware("*other26xLinux64Guest").label, guest_os_from_vmware("other26xlinux-64").label);
  EXPECT_EQ(guest_os_from_vmware("*").family, OsFamily::unknown);
  EXPECT_TRUE(guest_os_from_vmware("otherGuest64").is_64bit);
  EXPECT_EQ(guest_os_from_vmware("otherGuest64").label, "Other (64-bit)");
}

TEST(GuestOs, VmwareWindows9IsWindows10) {
  EXPECT_EQ(guest_os_from_vmware("windows9-64").osinfo_id, "http://microsoft.com/win/10");
  EXPECT_EQ(guest_os_from_vmware("windows9srv-64").osinfo_id, "http://microsoft.com/win/2k16");
  EXPECT_EQ(guest_os_from_vmware("winServer2008DatacenterCore-32").osinfo_id, "http://microsoft.com/win/2k8");
  EXPECT_FALSE(guest_os_from_vmware("winServer2008DatacenterCore-32").is_64bit);
  EXPECT_EQ(guest_os_from_vmware("winVistaUltimate-64").label, "Windows Vista (64-bit)");
}

TEST(GuestOs, VmwareArmAndKernelIds) {
  EXPECT_EQ(guest_os_from_vmware("arm-debian12-64").label, "Debian 12 (ARM 64-bit)");
  EXPECT_TRUE(guest_os_from_vmware("vmkernel65").is_64bit);
  EXPECT_EQ(guest_os_from_vmware("arm-windows11-64").osinfo_id, "http://microsoft.com/win/11");
}

TEST(GuestOs, CimNumbers) {
  EXPECT_EQ(guest_os_from_cim(94).osinfo_id, "http://ubuntu.com/ubuntu/22.04");
  EXPECT_TRUE(guest_os_from_cim(94).is_64bit);
  EXPECT_FALSE(guest_os_from_cim(93).is_64bit);
  EXPECT_EQ(guest_os_from_cim(113).label, "Windows Server 2012");
  EXPECT_EQ(guest_os_from_cim(0).family, OsFamily::unknown);
}

// Every OSType of the corpus is in the table, and every guest that its VMware files name.
TEST(GuestOs, CorpusIdsAreKnown) {
  std::error_code error;
  std::set<std::string> vbox;
  std::set<std::string> vmware;
  const std::regex vbox_type("OSType=\"([^\"]*)\"");
  const std::regex vmware_type("guestOS\\s*=\\s*\"([^\"]*)\"", std::regex::icase);
  const std::regex ovf_type("osType=\"([^\"]*Guest(64)?)\"");
  const auto collect = [](const std::string &text, const std::regex &pattern, std::set<std::string> &into) {
    for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at) into.insert((*at)[1]);
  };
  for (const auto &entry : std::filesystem::recursive_directory_iterator(test::corpus() / "real", error)) {
    const std::string suffix = entry.path().extension().string();
    if (suffix == ".vbox" || suffix == ".ovf") collect(test::read_text(entry.path()), vbox_type, vbox);
    if (suffix == ".vmx") collect(test::read_text(entry.path()), vmware_type, vmware);
    if (suffix == ".ovf") collect(test::read_text(entry.path()), ovf_type, vmware);
  }
  if (vbox.empty()) GTEST_SKIP() << "no corpus";
  for (const std::string &id : vbox) EXPECT_NE(guest_os_from_virtualbox(id).label, id);
  for (const std::string &id : vmware) EXPECT_NE(guest_os_from_vmware(id).label, id);
}

TEST(GuestOs, AppleReleasesAreNumberedByTheirKernel) {
  EXPECT_EQ(guest_os_from_vmware("darwin24-64").darwin, 24U);
  EXPECT_EQ(guest_os_from_vmware("darwin22_64Guest").darwin, 22U);
  EXPECT_EQ(guest_os_from_virtualbox("MacOS1013_64").darwin, 17U);
  EXPECT_EQ(guest_os_from_virtualbox("MacOS106").darwin, 10U);
  EXPECT_EQ(guest_os_from_virtualbox("MacOS13_64").darwin, 22U);
  EXPECT_FALSE(guest_os_from_virtualbox("MacOS_64").darwin);
  EXPECT_FALSE(guest_os_from_vmware("ubuntu-64").darwin);
  EXPECT_EQ(darwin_of(10, 15), 19U);
  EXPECT_EQ(darwin_of(26, 0), 25U);
  EXPECT_FALSE(darwin_of(9, 2));
}

}  // namespace
}  // namespace ferry
