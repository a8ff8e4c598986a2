// SPDX-License-Identifier: Apache-2.0
// VMware's nvram and what would be carried of it.
#include <cstdint>
#include <cstdlib>

#include "converters/firmware/carry.hpp"
#include "converters/firmware/vmware_nvram.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  using namespace ferry::firmware;  // NOLINT: a program of its own
  try {
    NvramContents contents;
    contents.kind = NvramKind::vmware;
    contents.variables = parse_vmware_nvram({data, size}, {});
    const Selection selection = select_variables(contents, true);
    if (!selection.keys.empty() || selection.kept.size() < selection.order.size()) std::abort();
  } catch (const ferry::Error &) {
    return 0;
  }
  return 0;
}
