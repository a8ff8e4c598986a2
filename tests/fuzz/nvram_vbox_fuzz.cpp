// SPDX-License-Identifier: Apache-2.0
// VirtualBox's nvram: volume or tar, its variables, and what would be carried of them. Whatever is accepted must take
// a further variable and read back the same.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "converters/firmware/carry.hpp"
#include "converters/firmware/edk2_store.hpp"
#include "converters/firmware/vbox_nvram.hpp"

namespace {

using namespace ferry;            // NOLINT: a program of its own
using namespace ferry::firmware;  // NOLINT

void check(bool holds) {
  if (!holds) std::abort();
}

void append_and_reread(Edk2Store &store) {
  try {
    store.require_erased_tail();
    store.put({.name = u"Boot00FF", .guid = kGlobalGuid, .attributes = 7, .timestamp = {}, .data = {1, 2, 3}});
  } catch (const Error &) {
    return;
  }
  Edk2Store again(store.bytes(), {});
  again.require_erased_tail();
  check(again.variables() == store.variables());
  again.remove(u"Boot00FF", kGlobalGuid);
  check(find(Edk2Store(again.bytes(), {}).variables(), u"Boot00FF", kGlobalGuid) == nullptr);
}

// The volume header's checksum, right, or the fuzzer would never come past it.
void repair(std::vector<std::uint8_t> &bytes) {
  constexpr std::size_t header = 0x48, checksum = 0x32;
  if (bytes.size() < header) return;
  bytes[checksum] = bytes[checksum + 1] = 0;
  unsigned sum = 0;
  for (std::size_t i = 0; i < header; i += 2) sum += bytes[i] + 256U * bytes[i + 1];
  bytes[checksum] = static_cast<std::uint8_t>(0U - sum);
  bytes[checksum + 1] = static_cast<std::uint8_t>((0U - sum) >> 8U);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  try {
    std::vector<std::uint8_t> bytes(data, data + size);
    repair(bytes);
    VboxNvram nvram = parse_vbox_nvram(bytes, {});
    if (nvram.volume.empty()) return 0;
    Edk2Store store(std::move(nvram.volume), {});
    NvramContents contents;
    contents.kind = NvramKind::virtualbox;
    contents.variables = store.variables();
    for (const bool secure_boot : {true, false}) {
      const Selection selection = select_variables(contents, secure_boot);
      check(selection.order.size() <= selection.kept.size() && selection.kept.size() == selection.boot_entries.size());
    }
    append_and_reread(store);
  } catch (const Error &) {
    return 0;
  }
  return 0;
}
