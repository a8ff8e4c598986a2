// SPDX-License-Identifier: Apache-2.0
// Up to three files as a chain of images: formats by content, parents by registry, name and identity. The input's first
// byte says which files are listed as the chain and which are known besides; then each file's length (16 bits) and
// bytes.
#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "converters/images/foreign.hpp"
#include "tests/fuzz/check_chain.hpp"
#include "tests/fuzz/work_folder.hpp"

namespace {

using namespace ferry;
using namespace ferry::fuzz;

ImageFile file_at(const std::filesystem::path &path) {
  ImageFile file;
  file.declared_location = path.string();
  file.pieces.push_back({path, 0, std::nullopt});
  return file;
}

// Headers that name other files for qemu-img to open: a backing file never gets through.
void check_foreign(const ImageFile &file) {
  try {
    static_cast<void>(image::check_qcow2_header(file, {}));
  } catch (const Error &error) {
    demand(error.kind() != ErrorKind::internal);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  static WorkFolder folder;
  static const std::array<std::string, 3> kNames{"a.vdi", "b.vmdk", "c.vhd"};
  std::span<const std::uint8_t> rest(data, size);
  if (rest.empty()) return -1;
  const unsigned choice = rest[0];
  rest = rest.subspan(1);
  Medium medium;
  image::OpenOptions options;
  options.allow_modified_parent = (choice & 64U) != 0;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    std::span<const std::uint8_t> content;
    if (rest.size() >= 2) {
      const std::size_t length = std::min<std::size_t>(rest[0] | std::size_t{rest[1]} << 8U, rest.size() - 2);
      content = rest.subspan(2, length);
      rest = rest.subspan(2 + length);
    }
    const ImageFile file = file_at(folder.put(kNames[i], content));
    if ((choice >> i & 1U) != 0 || (i == 2 && medium.chain.empty())) medium.chain.push_back(file);
    if ((choice >> i & 8U) != 0) options.known_images.push_back(file);
    if (i == 0 && image::needs_qemu_img(image::detect_format(file))) check_foreign(file);
  }
  try {
    const auto chain = image::open_chain(medium, options);
    check_chain(chain, size * 0x9e3779b97f4a7c15U + choice);
  } catch (const Error &error) {
    demand(error.kind() != ErrorKind::internal);
  }
  return 0;
}
