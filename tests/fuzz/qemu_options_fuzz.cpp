// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as the words of a QEMU command (one a line): options, a machine, or an Error, nothing else.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "importers/qemu/options.hpp"
#include "importers/qemu/qemu.hpp"
#include "model/json.hpp"
#include "tests/fuzz/check_chain.hpp"
#include "tests/fuzz/work_folder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  using namespace ferry;
  static fuzz::WorkFolder folder;
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  static_cast<void>(qemu::parse_keys(text, "type"));
  static_cast<void>(qemu::parse_json(text));
  std::string words("qemu-system-x86_64");
  words += '\0';
  for (const char c : text) words += c == '\n' ? '\0' : c;
  words += '\0';
  try {
    for (const auto &machine : qemu::import_file(folder.put("cmdline", words), {})) {
      fuzz::demand(!to_json(machine.machine).dump().empty());
    }
  } catch (const Error &error) {
    fuzz::demand(error.kind() != ErrorKind::internal);
  }
  return 0;
}
