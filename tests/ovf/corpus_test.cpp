// SPDX-License-Identifier: Apache-2.0
// Every OVF file and OVA of the corpus: imported without an unknown setting, or refused for a reason listed here.
#include <algorithm>
#include <iostream>
#include <map>
#include <set>

#include "tests/ovf/support.hpp"

namespace ferry::ovf::test {
namespace {
namespace fs = std::filesystem;

std::vector<fs::path> files(const fs::path &folder, const std::string &suffix) {
  std::vector<fs::path> out;
  for (const auto &entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == suffix) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Refusals that were looked at one by one.
const std::map<std::string, ErrorKind> kRefusals{
    {"vmware__govmomi__external.ovf", ErrorKind::malformed},                    // a collection without a machine
    {"vmware__govmomi__invalid_empty_env.ovf", ErrorKind::malformed},           // nothing in the envelope
    {"vmware__govmomi__invalid_no_vm~9a919ed.ovf", ErrorKind::malformed},       // disks, and no machine
    {"vmware__govmomi__nvapp005.ovf", ErrorKind::malformed},                    // a collection without a machine
    {"vmware__govmomi__tagBasedPlacement005.ovf", ErrorKind::malformed},        // a collection without a machine
    {"vmware__govmomi__tagBasedPlacementGroup001.ovf", ErrorKind::malformed},   // an envelope without a machine
    {"vmware__govmomi__dup_diskid~04f7f1c.ovf", ErrorKind::malformed},          // one id for two disks
    {"vmware__govmomi__http_uri_in_file~15efda5.ovf", ErrorKind::unsupported},  // its disk is on a web server
};

bool expected_refusal(const fs::path &file, const Error &error) {
  const auto listed = kRefusals.find(file.filename().string());
  return listed != kRefusals.end() && listed->second == error.kind();
}

TEST(Corpus, EveryDescriptorIsReadOrRefusedForAReason) {
  const fs::path folder = corpus();
  if (folder.empty()) GTEST_SKIP() << "no corpus";
  std::size_t packages = 0, machines = 0, refused = 0;
  for (const fs::path &file : files(folder / "real" / "ovf", ".ovf")) {
    SCOPED_TRACE(file.filename().string());
    ++packages;
    EXPECT_TRUE(looks_like_ovf(read_text(file).substr(0, 65536)));
    try {
      for (const ImportedMachine &imported : import_file(file, {})) {
        ++machines;
        EXPECT_FALSE(imported.machine.name.empty());
        EXPECT_EQ(count_unknown(imported), 0U);
        for (const Controller &controller : imported.machine.hardware.controllers) {
          for (const Drive &drive : controller.drives) EXPECT_FALSE(drive.medium && drive.medium->chain.empty());
        }
      }
      EXPECT_FALSE(kRefusals.contains(file.filename().string()));
    } catch (const Error &error) {
      ++refused;
      EXPECT_TRUE(expected_refusal(file, error)) << error.what();
      EXPECT_TRUE(error.detail().where.line);
    }
  }
  std::cout << packages << " packages: " << machines << " machines, " << refused << " refused\n";
  EXPECT_GT(machines, 150U);
}

// Unpacks the corpus' archive with the system's tar, and gives the folder of its OVAs.
fs::path unpacked_ovas(const TempFolder &folder) {
  const fs::path archive = corpus() / "virtualbox-6.1.tar.xz";
  const std::string command = "tar -C '" + folder.path().string() + "' -xJf '" + archive.string() +
                              "' --wildcards '*/07-ova/*.ova' 2>/dev/null";
  if (std::system(command.c_str()) != 0) return {};
  for (const auto &entry : fs::recursive_directory_iterator(folder.path())) {
    if (entry.path().filename() == "07-ova") return entry.path();
  }
  return {};
}

void check_drives(const ImportedMachine &imported, const fs::path &ova) {
  std::size_t disks = 0;
  for (const Controller &controller : imported.machine.hardware.controllers) {
    for (const Drive &drive : controller.drives) {
      if (!drive.medium) continue;
      ++disks;
      ASSERT_EQ(drive.medium->chain.size(), 1U);
      const ImageFile &image = drive.medium->chain[0];
      ASSERT_EQ(image.pieces.size(), 1U);
      EXPECT_EQ(image.pieces[0].file, ova);
      const std::string bytes = read_range(image.pieces[0]);
      const bool disk = drive.kind == DriveKind::disk;
      EXPECT_EQ(disk ? bytes.substr(0, 4) : bytes.substr(0x8001, 5), disk ? "KDMV" : "CD001");
    }
  }
  EXPECT_GE(disks, 2U);
}

TEST(Corpus, VirtualBoxArchivesAreReadInPlace) {
  if (corpus().empty()) GTEST_SKIP() << "no corpus";
  const TempFolder folder;
  const fs::path ovas = unpacked_ovas(folder);
  if (ovas.empty()) GTEST_SKIP() << "the archive cannot be unpacked";
  std::size_t machines = 0, digests = 0;
  for (const fs::path &ova : files(ovas, ".ova")) {
    SCOPED_TRACE(ova.filename().string());
    EXPECT_TRUE(looks_like_ova(ova));
    for (const ImportedMachine &imported : import_file(ova, {})) {
      ++machines;
      EXPECT_EQ(count_unknown(imported), 0U);
      EXPECT_EQ(imported.machine.name.substr(0, 5), "ovavm");
      EXPECT_FALSE(has_finding(imported, "ovf.virtualbox-fallback"));
      EXPECT_TRUE(imported.machine.hardware.nics.at(0).mac);
      check_drives(imported, ova);
    }
    digests += manifest(Package::open(ova)).size();
    EXPECT_NO_THROW(verify_manifest(ova));
  }
  std::cout << machines << " machines, " << digests << " digests\n";
  EXPECT_GE(machines, 9U);
  EXPECT_GE(digests, 12U);
}

TEST(Corpus, AChangedArchiveFailsItsManifest) {
  if (corpus().empty()) GTEST_SKIP() << "no corpus";
  const TempFolder folder;
  const fs::path ovas = unpacked_ovas(folder);
  if (ovas.empty()) GTEST_SKIP() << "the archive cannot be unpacked";
  std::string bytes = read_text(ovas / "ovf20-mf.ova");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(folder / "changed.ova", bytes);
  (void)expect_error(ErrorKind::malformed, [&] { verify_manifest(folder / "changed.ova"); });
}

}  // namespace
}  // namespace ferry::ovf::test
