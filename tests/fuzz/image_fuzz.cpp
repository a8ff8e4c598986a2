// SPDX-License-Identifier: Apache-2.0
// Opens arbitrary bytes as one of the image formats, maps it whole and reads its start. Anything but an Error is a
// defect. FUZZ_FORMAT names the format: formats that are parts of a VMDK get a descriptor beside them.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "converters/images/foreign.hpp"
#include "converters/images/image.hpp"
#include "converters/images/vhdx_log.hpp"

namespace {

using namespace ferry;
namespace fs = std::filesystem;

#define FUZZ_NAME_OF(format) #format
#define FUZZ_NAME(format) FUZZ_NAME_OF(format)
constexpr std::string_view format = FUZZ_NAME(FUZZ_FORMAT);

// A folder that holds the input as "disk", and for extents their descriptor "disk.vmdk".
class Workplace {
 public:
  Workplace() {
    std::string name =
        (fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) / "ferry-fuzz-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    if (format == "cowd" || format == "sesparse") {
      std::ofstream(folder_ / "disk.vmdk")
          << "# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\ncreateType=\"vmfsSparse\"\nRW 8 VMFSSPARSE \"disk\"\n";
    }
    if (format == "vmdk_descriptor") std::ofstream(folder_ / "flat") << std::string(65536, 'x');
  }
  Workplace(const Workplace &) = delete;
  Workplace &operator=(const Workplace &) = delete;
  ~Workplace() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  [[nodiscard]] ImageFile put(const std::uint8_t *data, std::size_t size) const {
    std::ofstream out(folder_ / "disk", std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char *>(data), static_cast<std::streamsize>(size));
    out.close();
    ImageFile file;
    const bool extent = format == "cowd" || format == "sesparse";
    file.pieces.push_back({folder_ / (extent ? "disk.vmdk" : "disk"), 0, std::nullopt});
    file.gzip = format == "gzip";
    if (format == "gzip") file.declared_format = ImageFormat::raw;
    return file;
  }

 private:
  fs::path folder_;
};

// What the target's format begins with, so that no run is wasted on other formats.
bool is_of_format(const std::uint8_t *data, std::size_t size) {
  const std::string_view start(reinterpret_cast<const char *>(data), size);
  if (format == "vdi") return size > 68 && start.substr(64, 4) == "\x7f\x10\xda\xbe";
  if (format == "vmdk_sparse" || format == "vmdk_stream") return start.starts_with("KDMV");
  if (format == "cowd") return start.starts_with("COWD");
  if (format == "vhdx") return start.starts_with("vhdxfile");
  return true;
}

void put_big(std::vector<std::uint8_t> &bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

// VHD's checksum: the complement of the sum of a structure's bytes.
void repair_sum(std::vector<std::uint8_t> &bytes, std::size_t at, std::size_t length, std::size_t checksum) {
  if (at > bytes.size() || length > bytes.size() - at) return;
  put_big(bytes, at + checksum, 0);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < length; ++i) sum += bytes[at + i];
  put_big(bytes, at + checksum, ~sum);
}

void repair_crc(std::vector<std::uint8_t> &bytes, std::size_t at, std::size_t length) {
  if (at > bytes.size() || length > bytes.size() - at || length < 8) return;
  const std::uint32_t crc = image::crc32c({bytes.data() + at, length}, 4);
  for (std::size_t i = 0; i < 4; ++i) bytes[at + 4 + i] = static_cast<std::uint8_t>(crc >> (8 * i));
}

// Right checksums, or the fuzzer would never come past them.
void repair(std::vector<std::uint8_t> &bytes) {
  if (format == "vhd") {
    repair_sum(bytes, 512, 1024, 36);
    repair_sum(bytes, 0, 512, 64);
    if (bytes.size() >= 512) repair_sum(bytes, bytes.size() - 512, 512, 64);
  }
  if (format == "vhdx") {
    for (const std::size_t at : {std::size_t{65536}, std::size_t{131072}}) repair_crc(bytes, at, 4096);
    for (const std::size_t at : {std::size_t{196608}, std::size_t{262144}}) repair_crc(bytes, at, 65536);
    for (std::size_t at = 1U << 20U; at + 4096 <= bytes.size() && at < 2U << 20U; at += 4096) {
      if (bytes[at] == 'l' && bytes[at + 1] == 'o') {
        const std::size_t length =
            bytes[at + 8] | std::size_t{bytes[at + 9]} << 8U | std::size_t{bytes[at + 10]} << 16U;
        repair_crc(bytes, at, length);
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  static const Workplace workplace;
  if (!is_of_format(data, size)) return -1;
  std::vector<std::uint8_t> bytes(data, data + size);
  repair(bytes);
  const ImageFile file = workplace.put(bytes.data(), bytes.size());
  try {
    if (format == "foreign") {
      static_cast<void>(image::check_qcow2_header(file, {}));
      return 0;
    }
    Medium medium;
    medium.chain.push_back(file);
    const auto chain = image::open_chain(medium, {});
    const std::uint64_t disk = chain.virtual_size();
    std::vector<image::Chain::VisibleExtent> extents;
    chain.map(0, std::min<std::uint64_t>(disk, 1U << 28U), extents);
    std::uint64_t at = 0;
    for (const auto &visible : extents) {
      if (visible.visible_begin != at || visible.visible_end <= at) std::abort();
      at = visible.visible_end;
    }
    if (at != std::min<std::uint64_t>(disk, 1U << 28U)) std::abort();
    std::vector<std::uint8_t> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(disk, 1U << 17U)));
    chain.read(0, buffer.data(), buffer.size());
    chain.read(disk - buffer.size(), buffer.data(), buffer.size());
  } catch (const Error &error) {
    if (error.kind() == ErrorKind::internal) std::abort();
  }
  return 0;
}
