// SPDX-License-Identifier: Apache-2.0
// Arbitrary text as a VMDK descriptor, beside files that it may name: "flat", and "sparse" of 8 sectors.
#include <string>

#include "converters/images/format.hpp"
#include "converters/images/vmdk_descriptor.hpp"
#include "tests/fuzz/check_chain.hpp"
#include "tests/fuzz/spread_file.hpp"
#include "tests/fuzz/work_folder.hpp"
#include "tests/kit/disk_images.hpp"

namespace {

using namespace ferry;
using namespace ferry::fuzz;

WorkFolder &prepared_folder() {
  static WorkFolder folder;
  folder.put("flat", std::string(65536, 'x'));
  const test::Layer layer{.size = 4096, .block_size = 4096, .blocks = {test::Block::data}, .tag = 1, .order = {}};
  folder.put("sparse", test::make_hosted_sparse(layer, {}));
  folder.put("cowd", test::make_cowd(layer));
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  static const std::filesystem::path kPath = prepared_folder().path() / "disk.vmdk";
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  try {
    const auto descriptor = image::parse_descriptor(text, {.file = kPath});
    demand(descriptor.sectors() <= (std::uint64_t{1} << 54U));
    const auto file =
        std::make_shared<SpreadFile>(spread_of("vmdk_descriptor"), std::span<const std::uint8_t>(data, size), kPath);
    const auto image = image::open_vmdk(file, {});
    image->check_tables();
    demand(image->info().virtual_size == descriptor.sectors() * image::kSectorSize);
    std::uint64_t seed = size;
    for (const char letter : text) seed = seed * 31 + static_cast<unsigned char>(letter);
    check_chain(image::Chain({image}), seed);
  } catch (const Error &error) {
    demand(error.kind() != ErrorKind::internal);
  }
  return 0;
}
