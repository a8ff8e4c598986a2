// SPDX-License-Identifier: Apache-2.0
// A load option: what is kept of it must be its own short form.
#include <cstdint>
#include <cstdlib>

#include "converters/firmware/boot_option.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  using namespace ferry::firmware;  // NOLINT: a program of its own
  const ParsedOption parsed = parse_boot_option({data, size});
  const auto *option = std::get_if<BootOption>(&parsed.outcome);
  if (option == nullptr) return 0;
  const auto first = serialise(*option);
  const ParsedOption again = parse_boot_option(first);
  const auto *same = std::get_if<BootOption>(&again.outcome);
  if (same == nullptr || serialise(*same) != first || same->file != option->file) std::abort();
  return 0;
}
