// SPDX-License-Identifier: Apache-2.0
// What the OVF tests share: archives made to measure, descriptors from a few parts.
#pragma once

#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

#include "importers/ovf/ovf.hpp"
#include "importers/ovf/package.hpp"
#include "tests/kit/corpus.hpp"
#include "tests/kit/folder.hpp"

namespace ferry::ovf::test {

using ferry::test::corpus;
using ferry::test::read_text;
using ferry::test::TempFolder;

void write_file(const std::filesystem::path &file, std::string_view text);
// The bytes of a range, cut out of its file.
[[nodiscard]] std::string read_range(const FileRange &range);
[[nodiscard]] std::string gzip(std::string_view text);
[[nodiscard]] std::string hex_digest(std::string_view algorithm, std::string_view text);

struct TarMember {
  std::string name;
  std::string text;
  enum class Kind { file, directory, symlink, hardlink, device, sparse } kind = Kind::file;
};
enum class TarFormat { ustar, pax, gnu };
void write_tar(const std::filesystem::path &file, const std::vector<TarMember> &members,
               TarFormat format = TarFormat::ustar, bool gzipped = false);

// An OVF 1.x descriptor with one machine.
struct Parts {
  std::string references, disks, sections, system, items, type = "vmx-13", hardware_attributes;
};
[[nodiscard]] std::string descriptor(const Parts &parts);
// An Item of the ResourceType with the given children: item(17, "Parent", "3", "AddressOnParent", "0").
template <class... Child>
std::string item(int type, Child... children) {
  std::string out = "<Item><rasd:ResourceType>" + std::to_string(type) + "</rasd:ResourceType>";
  const std::vector<std::string> parts{std::string(children)...};
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2) {
    out += "<rasd:" + parts[i] + ">" + parts[i + 1] + "</rasd:" + parts[i] + ">";
  }
  return out + "</Item>";
}
inline const std::string kMemory = item(4, "VirtualQuantity", "512", "AllocationUnits", "MB");
// A drive of the disk "d".
[[nodiscard]] inline std::string disk_on(const char *parent, const char *unit, const char *instance = "9") {
  return item(17, "InstanceID", instance, "Parent", parent, "AddressOnParent", unit, "HostResource", "ovf:/disk/d");
}

// Writes the descriptor into a folder of its own and imports it; the machines outlive the folder.
[[nodiscard]] std::vector<ImportedMachine> import_all(const std::string &text, const ImportOptions &options = {});
[[nodiscard]] ImportedMachine import_one(const Parts &parts, const ImportOptions &options = {});
// A machine with memory and these Items.
[[nodiscard]] Hardware hardware_of(const std::string &items, const std::string &type = "vmx-13");
[[nodiscard]] ImportedMachine import_fixture(const std::string &name, const ImportOptions &options = {});

// Compares all that the package's manifest names.
void verify_manifest(const std::filesystem::path &file);

[[nodiscard]] bool has_finding(const ImportedMachine &imported, std::string_view id);
[[nodiscard]] std::size_t count_unknown(const ImportedMachine &imported);
// The entry whose path ends so; a failure and an empty entry when there is none.
[[nodiscard]] LedgerEntry entry(const ImportedMachine &imported, std::string_view path_end);

// The Error that `action` throws; the test fails when it throws none.
template <class Action>
ErrorDetail expect_error(ErrorKind kind, Action action) {
  try {
    action();
  } catch (const Error &error) {
    EXPECT_EQ(to_string(error.kind()), to_string(kind)) << error.what();
    EXPECT_FALSE(error.detail().message.empty());
    return error.detail();
  }
  ADD_FAILURE() << "no error";
  return {};
}

}  // namespace ferry::ovf::test
