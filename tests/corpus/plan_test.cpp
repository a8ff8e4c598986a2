// SPDX-License-Identifier: Apache-2.0
// Every machine of the corpus, planned for the recorded Debian 12: no setting is lost in silence, the domain and its
// snapshots are valid and a real libvirt takes them; or the refusal is one that was looked at and found right.
#include <cstdlib>
#include <gtest/gtest.h>
#include <iostream>

#include "exporters/libvirt/target.hpp"
#include "migration/survey.hpp"
#include "model/differences.hpp"
#include "model/json.hpp"
#include "tests/corpus/support.hpp"
#include "tests/kit/imagined_survey.hpp"

#include "support/xml.hpp"

namespace ferry::corpus {
namespace {

namespace fs = std::filesystem;

const fs::path kSchemas = "/usr/share/libvirt/schemas";

struct Refusal {
  ErrorKind kind;
  std::string part;  // of the message
};
using Refusals = std::map<std::string, Refusal>;

struct Count {
  std::size_t files = 0, planned = 0, refused = 0;
  LedgerCounts settings;
};

std::ostream &operator<<(std::ostream &out, const Count &count) {
  const LedgerCounts &s = count.settings;
  return out << count.files << " files: " << count.planned << " machines planned, " << count.refused
             << " refused; settings: " << s.total << " total, " << s.kept << " kept, " << s.translated
             << " translated, " << s.dropped << " dropped, " << s.irrelevant << " irrelevant, " << s.unknown
             << " unknown, " << s.unsettled << " unsettled";
}

class Corpus : public testing::Test {
 protected:
  enum class Media { real, imagined };

  void SetUp() override {
    if (test::corpus().empty()) GTEST_SKIP() << "no corpus";
  }

  // Plans all files below `root`. Files of `refusals`, which are named relative to it, must be refused so.
  void plan_all(const fs::path &root, Media media, const Refusals &refusals) {
    for (const fs::path &file : machine_files(root)) {
      SCOPED_TRACE(file.lexically_relative(root).string());
      if (std::getenv("SHOW") != nullptr) std::cout << file.lexically_relative(root).string() << std::endl;
      ++count_.files;
      try {
        for (const ImportedMachine &imported :
             migration::import_source(migration::find_source(file.string()), import_options(file, root))) {
          plan_machine(imported, media);
        }
        EXPECT_FALSE(refusals.contains(file.lexically_relative(root).string())) << "a refusal was expected";
      } catch (const Error &error) {
        ++count_.refused;
        check_refusal(file.lexically_relative(root).string(), error, refusals);
      }
    }
    std::cout << count_ << "\n";
    EXPECT_EQ(count_.settings.unknown, 0U);
    EXPECT_EQ(count_.settings.unsettled, 0U);
  }

  Count count_;
  Scratch scratch_;

  void plan_machine(const ImportedMachine &imported, Media media) {
    migration::Options options;
    options.dest = scratch_.path() / "images";
    options.discard_saved_state = true;
    const migration::Survey survey = media == Media::real ? migration::survey(imported, options, *options.dest)
                                                          : tests::imagined_survey(imported.machine);
    const migration::MachinePlan plan = migration::make_plan(imported, survey, options, libvirt::Target(host()));
    ++count_.planned;
    add(plan.imported.ledger);
    EXPECT_EQ(plan.imported.ledger.misspelt(), std::vector<std::string>{});
    EXPECT_EQ(differences(from_exact_json(to_exact_json(imported)), imported), std::vector<std::string>{});
    if (std::getenv("SHOW") != nullptr) {
      for (const Finding &f : plan.findings) std::cout << "  " << f.id << " " << f.message << "\n";
    }
    expect_valid(plan);
    expect_defined(plan);
  }

 private:
  void add(const Ledger &ledger) {
    const LedgerCounts counts = ledger.counts();
    for (const auto member :
         {&LedgerCounts::total, &LedgerCounts::kept, &LedgerCounts::translated, &LedgerCounts::dropped,
          &LedgerCounts::irrelevant, &LedgerCounts::unknown, &LedgerCounts::unsettled}) {
      count_.settings.*member += counts.*member;
    }
    for (const LedgerEntry &entry : ledger.entries()) {
      EXPECT_NE(entry.disposition, Disposition::unknown) << entry.where.text() << " = " << entry.value;
      EXPECT_NE(entry.disposition, Disposition::unsettled) << entry.where.text() << " in " << entry.field;
      if (entry.disposition == Disposition::dropped) {
        EXPECT_FALSE(entry.note.empty()) << entry.where.text() << " is dropped without a reason";
      }
    }
  }

  static void expect_valid(const migration::MachinePlan &plan) {
    if (!fs::exists(kSchemas)) return;
    for (const std::string &message : xml::validate_relaxng(plan.domain_xml, kSchemas / "domain.rng"))
      ADD_FAILURE() << message << "\n" << plan.domain_xml;
    for (const auto &snapshot : plan.snapshots) {
      for (const std::string &message : xml::validate_relaxng(snapshot.xml, kSchemas / "domainsnapshot.rng"))
        ADD_FAILURE() << message << "\n" << snapshot.xml;
    }
  }

  static void expect_defined(const migration::MachinePlan &plan) {
    libvirt::Connection *const libvirt = real_libvirt();
    if (libvirt == nullptr) return;
    try {
      libvirt->define(plan.domain_xml);
      for (const auto &snapshot : plan.snapshots) libvirt->define_snapshot(plan.name, snapshot.xml, snapshot.current);
    } catch (const Error &error) {
      ADD_FAILURE() << error.what() << "\n" << plan.domain_xml;
    }
    if (libvirt->machine_named(plan.name)) libvirt->undefine(plan.name);
  }

  static void check_refusal(const std::string &file, const Error &error, const Refusals &refusals) {
    const auto expected = refusals.find(file);
    if (expected == refusals.end()) {
      ADD_FAILURE() << to_string(error.kind()) << ": " << error.what();
      return;
    }
    EXPECT_EQ(to_string(error.kind()), to_string(expected->second.kind));
    EXPECT_NE(std::string(error.what()).find(expected->second.part), std::string::npos) << error.what();
  }
};

constexpr const char *kIscsi = "this disk is not an image file; found iSCSI";
constexpr const char *kEfi32 = "expected 32-bit EFI firmware";  // Debian has it in a package that is rarely installed
constexpr const char *kNoMachine = "the package describes no virtual machine";

Refusals ovf_refusals() {
  return {
      {"vmware__govmomi__external.ovf", {ErrorKind::malformed, kNoMachine}},
      {"vmware__govmomi__invalid_empty_env.ovf", {ErrorKind::malformed, kNoMachine}},
      {"vmware__govmomi__invalid_no_vm~9a919ed.ovf", {ErrorKind::malformed, kNoMachine}},
      {"vmware__govmomi__nvapp005.ovf", {ErrorKind::malformed, kNoMachine}},
      {"vmware__govmomi__tagBasedPlacement005.ovf", {ErrorKind::malformed, kNoMachine}},
      {"vmware__govmomi__tagBasedPlacementGroup001.ovf", {ErrorKind::malformed, kNoMachine}},
      {"vmware__govmomi__dup_diskid~04f7f1c.ovf", {ErrorKind::malformed, "ubuntu_1.vmdk"}},
      {"vmware__govmomi__http_uri_in_file~15efda5.ovf", {ErrorKind::unsupported, "a file on the network"}},
  };
}

const Refusals kVbox{
    {"GNS3__gns3-server__corrupted.vbox", {ErrorKind::malformed, "not well formed"}},  // cut off in the middle
    {"GNS3__gns3-server__test_patch_vm_uuid.vbox", {ErrorKind::malformed, "hardware is missing"}},  // written by hand
    {"Sharki1234__Extra-coding-stuff__Astra.vbox", {ErrorKind::unsupported, "is an ARM machine"}},
    {"Sharki1234__Extra-coding-stuff__Nubes.vbox", {ErrorKind::unsupported, "is an ARM machine"}},
};

TEST_F(Corpus, Virtualbox61) {
  const fs::path root = unpack("virtualbox-6.1", scratch_);
  if (root.empty()) GTEST_SKIP() << "the archive cannot be unpacked";
  plan_all(root, Media::real,
           {{"05-devices/lab/devices/devices.vbox", {ErrorKind::unsupported, kIscsi}},
            {"05-devices/lab/devices/devices.vbox-prev", {ErrorKind::unsupported, kIscsi}}});
  EXPECT_GT(count_.planned, 70U);
}

TEST_F(Corpus, Virtualbox70) {
  const fs::path root = unpack("virtualbox-7.0", scratch_);
  if (root.empty()) GTEST_SKIP() << "the archive cannot be unpacked";
  plan_all(root, Media::real,
           {{"05-devices/lab/devices/devices.vbox", {ErrorKind::unsupported, kIscsi}},
            {"05-devices/lab/devices/devices.vbox-prev", {ErrorKind::unsupported, kIscsi}},
            {"05c-efi-audio-ac97-variants/efi32vm/efi32vm.vbox", {ErrorKind::unsupported, kEfi32}}});
  EXPECT_GT(count_.planned, 40U);
}

TEST_F(Corpus, RealVbox) { plan_all(test::corpus() / "real" / "vbox", Media::imagined, kVbox); }

TEST_F(Corpus, RealVmx) {
  plan_all(test::corpus() / "real" / "vmx", Media::imagined,
           {{"libvirt__libvirt__xml2vmx-xml2vmx-firmware-efi.vmx", {ErrorKind::unsupported, kEfi32}}});
}

TEST_F(Corpus, RealOvf) { plan_all(test::corpus() / "real" / "ovf", Media::imagined, ovf_refusals()); }

// The iSCSI disk apart, these two have every device that VirtualBox offers.
TEST_F(Corpus, MachinesWithEveryDeviceWithoutTheirNetworkDisk) {
  for (const char *version : {"virtualbox-6.1", "virtualbox-7.0"}) {
    SCOPED_TRACE(version);
    const fs::path root = unpack(version, scratch_);
    if (root.empty()) GTEST_SKIP() << "the archive cannot be unpacked";
    const fs::path file = root / "05-devices/lab/devices/devices.vbox";
    std::vector<ImportedMachine> imported =
        migration::import_source(migration::find_source(file.string()), import_options(file, root));
    std::size_t taken_out = 0;
    for (Controller &controller : imported.at(0).machine.hardware.controllers) {
      taken_out += std::erase_if(controller.drives, [](const Drive &drive) {
        return drive.medium && drive.medium->chain.back().declared_format == ImageFormat::iscsi;
      });
    }
    EXPECT_EQ(taken_out, 1U);
    imported[0].ledger = {};  // its fields speak of the drives as they were
    plan_machine(imported[0], Media::real);
  }
}

}  // namespace
}  // namespace ferry::corpus
