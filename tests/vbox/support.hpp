// SPDX-License-Identifier: Apache-2.0
// Machines imported from text, each in a folder of its own.
#pragma once

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

#include "importers/vbox/findings.hpp"
#include "importers/vbox/vbox.hpp"
#include "tests/kit/corpus.hpp"
#include "tests/kit/folder.hpp"

namespace ferry::vbox::test {

using ferry::test::corpus;
using Folder = ferry::test::TempFolder;

// Never looks at the host's own VirtualBox.
inline ImportOptions closed() {
  ImportOptions options;
  options.use_host_registry = false;
  return options;
}

struct Text {
  std::string version = "1.16-linux";
  std::string machine_attributes;
  std::string before_hardware;      // children of <Machine>: <MediaRegistry>, <ExtraData>, ...
  std::string hardware_attributes;  // of <Hardware>
  std::string hardware;             // children of <Hardware>
  std::string after_hardware;       // <StorageControllers>, <Snapshot>
  std::string os_type = "Debian_64";
  std::string memory = "<Memory RAMSize=\"512\"/>";

  [[nodiscard]] std::string xml() const {
    return "<?xml version=\"1.0\"?>\n<VirtualBox xmlns=\"http://www.virtualbox.org/\" version=\"" + version + "\">\n" +
           "<Machine uuid=\"{aabbccdd-0011-2233-4455-66778899aabb}\" name=\"m\" OSType=\"" + os_type + "\" " +
           machine_attributes + ">\n" + before_hardware + "\n<Hardware " + hardware_attributes + ">" + memory +
           hardware + "</Hardware>\n" + after_hardware + "\n</Machine></VirtualBox>\n";
  }
};

inline ImportedMachine import_in(const Folder &folder, const Text &text, const ImportOptions &options = closed()) {
  ImportedMachine imported = import_file(folder.write("m.vbox", text.xml()), options);
  EXPECT_EQ(imported.ledger.misspelt(), std::vector<std::string>{});
  return imported;
}
inline ImportedMachine import_text(const Text &text) {
  const Folder folder;
  return import_in(folder, text);
}
// The hardware of a machine with nothing but `hardware` in it.
inline Hardware hardware_of(std::string hardware, std::string version = "1.16-linux") {
  Text text;
  text.hardware = std::move(hardware);
  text.version = std::move(version);
  return import_text(text).machine.hardware;
}

// The same for a guest of the type `os`.
inline Hardware guest_with(const std::string &hardware, const std::string &os,
                           const std::string &version = "1.16-linux") {
  Text text;
  text.hardware = hardware;
  text.os_type = os;
  text.version = version;
  return import_text(text).machine.hardware;
}

inline std::size_t count_findings(const ImportedMachine &machine, const FindingKind &kind) {
  return static_cast<std::size_t>(std::count_if(machine.findings.begin(), machine.findings.end(),
                                                [&](const Finding &finding) { return finding.id == kind.id; }));
}

// The first entry whose path ends in `path`.
inline const LedgerEntry *entry_of(const ImportedMachine &machine, std::string_view path) {
  for (const LedgerEntry &entry : machine.ledger.entries()) {
    if (std::string_view(entry.where.path).ends_with(path)) return &entry;
  }
  return nullptr;
}

inline std::vector<std::string> unknown_settings(const ImportedMachine &machine) {
  std::vector<std::string> out;
  for (const LedgerEntry &entry : machine.ledger.entries()) {
    if (entry.disposition == Disposition::unknown) out.push_back(entry.where.text());
  }
  return out;
}

// What import_file throws for `text`.
inline Error error_of(const Text &text) {
  try {
    (void)import_text(text);
  } catch (const Error &error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorKind::internal, {});
}

}  // namespace ferry::vbox::test
