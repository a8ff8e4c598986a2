// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a source of one kind give machines or an Error, nothing else. FUZZ_SOURCE names the kind: ova
// (tar, descriptor and manifest), ovf, vbox, vmx, vmsd (the snapshot list beside a fixed .vmx), qemu_script, box
// (Vagrant's: a tar with metadata.json, Vagrantfile and .vmx).
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "importers/ovf/ovf.hpp"
#include "importers/qemu/qemu.hpp"
#include "importers/vagrant/vagrant.hpp"
#include "importers/vbox/vbox.hpp"
#include "importers/vmx/vmx.hpp"
#include "model/json.hpp"
#include "tests/fuzz/check_chain.hpp"
#include "tests/fuzz/work_folder.hpp"

namespace {

using namespace ferry;
using namespace ferry::fuzz;

#define FUZZ_NAME_OF(source) #source
#define FUZZ_NAME(source) FUZZ_NAME_OF(source)
constexpr std::string_view source = FUZZ_NAME(FUZZ_SOURCE);

// Right header checksums from member to member, or the fuzzer would never come past the first one.
void repair_tar(std::vector<std::uint8_t> &bytes) {
  constexpr std::size_t block = 512, size_at = 124, checksum_at = 148, field = 8;
  for (std::size_t at = 0; at + block <= bytes.size();) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < block; ++i) {
      sum += i >= checksum_at && i < checksum_at + field ? std::uint32_t{' '} : bytes[at + i];
    }
    if (sum == field * ' ') return;  // a block of zeros ends the tar
    for (std::size_t i = 0; i < 6; ++i) {
      bytes[at + checksum_at + i] = static_cast<std::uint8_t>('0' + (sum >> (3 * (5 - i)) & 7U));
    }
    bytes[at + checksum_at + 6] = 0;
    bytes[at + checksum_at + 7] = ' ';
    std::size_t size = 0;
    for (std::size_t i = 0; i < 11; ++i) {
      const std::uint8_t digit = bytes[at + size_at + i];
      if (digit >= '0' && digit <= '7') size = size * 8 + (digit - '0');
    }
    if (size > bytes.size()) return;
    at += block + (size + block - 1) / block * block;
  }
}

void check(const ImportedMachine &imported) {
  // What an importer gives is printed, planned and reported: text must be UTF-8, or this throws.
  demand(!to_json(imported.machine).dump().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  static WorkFolder folder;
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  ImportOptions options;
  options.use_host_registry = false;
  try {
    if (source == "vbox") check(vbox::import_file(folder.put("m.vbox", text), options));
    if (source == "vmx") check(vmx::import_file(folder.put("m.vmx", text), options));
    if (source == "qemu_script") {
      for (const auto &machine : qemu::import_file(folder.put("m.sh", text), options)) check(machine);
    }
    if (source == "vmsd") {
      static const auto kVmx =
          folder.put("m.vmx", std::string_view("config.version = \"8\"\nguestOS = \"debian12-64\"\n"
                                               "scsi0.present = \"TRUE\"\nscsi0:0.present = "
                                               "\"TRUE\"\nscsi0:0.fileName = \"m-000002.vmdk\"\n"));
      folder.put("m.vmsd", text);
      check(vmx::import_file(kVmx, options));
    }
    if (source == "ovf") {
      for (const auto &machine : ovf::import_file(folder.put("m.ovf", text), options)) check(machine);
    }
    if (source == "box") {
      std::vector<std::uint8_t> bytes(data, data + size);
      repair_tar(bytes);
      const auto file = folder.put("m.box", bytes);
      static_cast<void>(vagrant::looks_like_box(file));
      for (const auto &machine : vagrant::import_file(file, options)) check(machine);
    }
    if (source == "ova") {
      std::vector<std::uint8_t> bytes(data, data + size);
      repair_tar(bytes);
      const auto file = folder.put("m.ova", bytes);
      static_cast<void>(ovf::looks_like_ova(file));
      for (const auto &machine : ovf::import_file(file, options)) {
        check(machine);
        const ovf::Package &package = ovf::package_of(machine);
        ovf::verify_members(package, ovf::manifest(package));
      }
    }
  } catch (const Error &error) {
    demand(error.kind() != ErrorKind::internal);
  }
  return 0;
}
