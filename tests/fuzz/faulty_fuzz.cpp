// SPDX-License-Identifier: Apache-2.0
// A target with a fault that no sound input meets, for the test of mutate_main.cpp.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  if (std::find(data, data + size, std::uint8_t{0xFF}) != data + size) std::abort();
  return 0;
}
