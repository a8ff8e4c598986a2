// SPDX-License-Identifier: Apache-2.0
// Every machine of the corpus, where there is one, for three hosts: a domain that the schema accepts, or a refusal
// with a reason; and no entry of the ledger that an importer took stays without a verdict.
#include "tests/kit/corpus.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iostream>
#include <map>

#include "importers/ovf/ovf.hpp"
#include "importers/vbox/vbox.hpp"
#include "importers/vmx/vmx.hpp"
#include "tests/export/builders.hpp"

namespace ferry::test {
namespace {

namespace fs = std::filesystem;

std::vector<ImportedMachine> import(const fs::path &file) {
  ImportOptions options;
  options.use_host_registry = false;
  try {
    if (file.extension() == ".vbox") return {vbox::import_file(file, options)};
    if (file.extension() == ".vmx") return {vmx::import_file(file, options)};
    return ovf::import_file(file, options);
  } catch (const Error &) {
    return {};  // the importers' own tests judge their refusals
  }
}

struct Tally {
  std::size_t domains = 0, refused = 0, unsettled = 0;
  std::map<std::string, std::size_t> reasons, fields;
};

std::string without_numbers(const std::string &field) {
  std::string out;
  for (const char c : field) {
    if (c < '0' || c > '9') out += c;
  }
  return out;
}

void export_one(ImportedMachine &imported, const libvirt::HostProfile &host, bool define, Tally &tally) {
  Fixture fixture(imported.machine);
  fixture.host = host;
  target::Result result;
  try {
    result = define ? fixture.run() : fixture.map();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported) << error.what();
    ++tally.refused;
    ++tally.reasons[error.detail().message];
    return;
  }
  ++tally.domains;
  const auto messages = xml::validate_relaxng(result.document, "/usr/share/libvirt/schemas/domain.rng");
  EXPECT_TRUE(messages.empty()) << messages.front() << "\n" << result.document;
  imported.ledger.settle(result.settlements);
  for (const LedgerEntry &entry : imported.ledger.entries()) {
    if (entry.disposition != Disposition::unsettled) continue;
    // Snapshots are settled by their own export, a saved state by the plan, which refuses or discards it.
    if (entry.field.starts_with("snapshots") || entry.field.starts_with("saved_state")) continue;
    if (entry.field.starts_with("guest_data")) continue;  // and what the guest is told
    ++tally.unsettled;
    ++tally.fields[without_numbers(entry.field)];
  }
}

void run(const std::vector<fs::path> &folders, const libvirt::HostProfile &host, bool define) {
  Tally tally;
  bool any = false;
  for (const fs::path &folder : folders) {
    if (!fs::exists(folder)) continue;
    for (const auto &entry : fs::recursive_directory_iterator(folder)) {
      const std::string suffix = entry.path().extension().string();
      if (suffix != ".vbox" && suffix != ".vmx" && suffix != ".ovf") continue;
      any = true;
      SCOPED_TRACE(entry.path().string());
      for (ImportedMachine &imported : import(entry.path())) export_one(imported, host, define, tally);
    }
  }
  if (!any) GTEST_SKIP() << "no corpus here";
  std::cout << tally.domains << " domains, " << tally.refused << " refused\n";
  for (const auto &[reason, number] : tally.reasons) std::cout << "  refused: " << reason << ": " << number << "\n";
  for (const auto &[field, number] : tally.fields) std::cout << "  unsettled: " << field << ": " << number << "\n";
  EXPECT_EQ(tally.unsettled, 0U);
}

std::vector<fs::path> real_files() {
  return {corpus() / "real" / "vbox", corpus() / "real" / "vmx", corpus() / "real" / "ovf"};
}

TEST(Corpus, LibvirtAcceptsEveryDomain) { run(real_files(), debian12(), true); }
TEST(Corpus, SchemaAcceptsEveryDomainWithoutSpice) { run(real_files(), without_spice(), false); }
TEST(Corpus, SchemaAcceptsEveryDomainWithFewDevices) { run(real_files(), with_few_devices(), false); }
TEST(Corpus, SchemaAcceptsEveryDomainUnderKvm) { run(real_files(), with_kvm(debian12()), false); }

}  // namespace
}  // namespace ferry::test
