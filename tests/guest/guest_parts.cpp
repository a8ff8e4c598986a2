// SPDX-License-Identifier: Apache-2.0
// Writes what shell cannot write well: the guest disk's partition table, and the EFI variables of the source machines
// whose only boot entry is \EFI\debian\grubx64.efi on it.
//
//   guest_parts FOLDER SECTORS     writes gpt.bin, vbox.nvram, vmware.nvram and, for QEMU's own firmware, ovmf.fd there
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "tests/firmware/builder.hpp"
#include "tests/firmware_boot/gpt.hpp"

namespace {

using namespace ferry::firmware;           // NOLINT: the tests' own
using namespace ferry::firmware::testing;  // NOLINT: the builders

// Sectors; make_guest.sh has the same numbers.
constexpr std::uint64_t kCoreStart = 2048, kCoreSize = 4096;
constexpr std::uint64_t kEspStart = 6144, kEspSize = 98304;
constexpr Guid kEspGuid = {0x78, 0xb9, 0xec, 0xeb, 0x02, 0x01, 0x04, 0x43, 0x85, 0x06, 7, 8, 9, 10, 11, 12};

// `hardware`: what leads to the disk on the source platform. OVMF finds its partition without.
StoredVariable entry(const char16_t *name, const Bytes &hardware = hardware_path()) {
  Bytes path = hardware;
  put(path, partition_node(2, kEspStart, kEspSize, kEspGuid));
  put(path, file_node(u"\\EFI\\debian\\grubx64.efi"));
  put(path, end_node());
  return {name, kGlobalGuid, load_option(u"debian", path)};
}

void write(const std::string &file, const Bytes &content) {
  std::ofstream stream(file, std::ios::binary);
  stream.write(reinterpret_cast<const char *>(content.data()), static_cast<std::streamsize>(content.size()));
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 3) {
    std::cerr << "usage: guest_parts FOLDER SECTORS\n";
    return 2;
  }
  const std::string folder = arguments[1];
  write(folder + "/gpt.bin", gpt_start(std::strtoull(arguments[2], nullptr, 10),
                                       {{.start = kCoreStart, .size = kCoreSize, .unique = kSomePartition},
                                        {.start = kEspStart, .size = kEspSize, .unique = kEspGuid}}));
  const Bytes volume = store({entry(u"Boot0004"), {u"BootOrder", kGlobalGuid, boot_order({4})}});
  write(folder + "/vbox.nvram", volume);
  write(folder + "/ovmf.fd", store({entry(u"Boot0007", {}), {u"BootOrder", kGlobalGuid, boot_order({7})}}));
  write(folder + "/vmware.nvram", vmware_nvram({entry(u"Boot0006"), {u"BootOrder", kGlobalGuid, boot_order({6})}}));
  return 0;
}
