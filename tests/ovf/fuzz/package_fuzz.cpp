// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any bytes as an .ovf or .ova give machines or an Error, nothing else.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <unistd.h>

#include "importers/ovf/ovf.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  static const std::string folder = [] {
    std::string name = "/tmp/ferry-ovf-fuzz-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    return name;
  }();
  const std::string file = folder + "/m.ova";
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char *>(data), static_cast<std::streamsize>(size));
  try {
    (void)ferry::ovf::looks_like_ova(file);
    (void)ferry::ovf::import_file(file, {});
    ferry::ovf::verify_manifest(file);
  } catch (const ferry::Error &error) {
    if (error.kind() == ferry::ErrorKind::internal) std::abort();
  }
  return 0;
}
