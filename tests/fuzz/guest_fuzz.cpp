// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a guest's disk, or as a hive of Windows' registry: a look ends, within its limits, and is no
// error.
#include <memory>
#include <string_view>

#include "converters/guest/hive.hpp"
#include "converters/guest/look.hpp"
#include "converters/images/vmdk_parts.hpp"
#include "tests/fuzz/check_chain.hpp"
#include "tests/fuzz/spread_file.hpp"

namespace {

using namespace ferry;
using namespace ferry::fuzz;

#define FUZZ_NAME_OF(part) #part
#define FUZZ_NAME(part) FUZZ_NAME_OF(part)
constexpr std::string_view kPart = FUZZ_NAME(FUZZ_GUEST);

void look_at_disk(std::span<const std::uint8_t> bytes) {
  const auto file = std::make_shared<SpreadFile>(Spread{.windows = {{0, ~std::uint64_t{0}}}, .gap = 1U << 20U}, bytes,
                                                 "/nonexistent/disk");
  const image::Chain chain({image::open_raw(file, ImageFormat::raw)});
  constexpr std::uint64_t kMost = std::uint64_t{64} << 20U;  // bytes
  guest::Look look({.bytes = kMost, .time = std::chrono::seconds(5)});
  look.add(1, chain);
  const Observed seen = look.done();
  demand(seen.disks.size() == 1);
  for (const ObservedVolume &volume : seen.volumes) demand(volume.start <= chain.virtual_size());
}

void look_at_hive(std::span<const std::uint8_t> bytes) {
  try {
    const guest::Hive hive(std::make_shared<guest::MemoryFile>(guest::Bytes(bytes.begin(), bytes.end())));
    for (const auto &[name, key] : hive.children(hive.root())) {
      static_cast<void>(hive.find(key, "Services"));
      static_cast<void>(hive.texts(key, "Current"));
    }
  } catch (const Error &error) {
    demand(error.kind() == ErrorKind::malformed);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::span bytes(data, size);
  kPart == "hive" ? look_at_hive(bytes) : look_at_disk(bytes);
  return 0;
}
