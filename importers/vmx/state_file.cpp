// SPDX-License-Identifier: Apache-2.0
// Snapshot and suspend state files (.vmsn, .vmss), read for the configuration text inside.
//
// Layout, little-endian, as memory forensics tools document it: u32 magic (bed2bed0, bad1bad1, bed2bed2,
// bed3bed3; its low four bits are the version), u32 unknown, u32 group count; per group 80 bytes: name[64],
// u64 offset of its tags, u64 size. A tag: u8 flags, u8 name length, name, (flags >> 6) u32 indices, data of
// (flags & 63) bytes; a size of 62 or 63 means a block: size on disk and in memory (u32 each in version 0, else
// u64), u16 padding length, padding, data. Flags and name length both 0 end a group. The group "Snapshot" holds
// "cfgFile", the text of the .vmx; a running machine's file has a group "cpu".
#include <array>
#include <memory>

#include "importers/vmx/snapshots.hpp"

#include "support/on_host.hpp"

namespace ferry::vmx {
namespace {

constexpr std::uint32_t kMaxGroups = 4096;
constexpr std::uint64_t kMaxTags = 100'000;
constexpr std::uint64_t kMaxConfiguration = kDictionaryLimit;

// A bounds-checked cursor over the file. Reads past the end make `ok` false and give zeros.
class Cursor {
 public:
  explicit Cursor(const std::filesystem::path &file) : file_(on_host::open(file)), size_(file_->status().size) {}

  bool ok = true;
  std::uint64_t at = 0;

  [[nodiscard]] std::string bytes(std::uint64_t count) {
    std::string out(static_cast<std::size_t>(count), '\0');
    if (!ok || at > size_ || count > size_ - at) {
      ok = false;
      return out;
    }
    file_->read(at, out.data(), out.size());
    at += count;
    return out;
  }

  [[nodiscard]] std::uint64_t number(unsigned width) {
    const std::string raw = bytes(width);
    std::uint64_t value = 0;
    for (unsigned i = width; i-- > 0;) value = (value << 8U) | static_cast<unsigned char>(raw[i]);
    return value;
  }

  void skip(std::uint64_t count) {
    if (at > size_ || count > size_ - at) {
      ok = false;
      return;
    }
    at += count;
  }

 private:
  std::shared_ptr<const on_host::File> file_;
  std::uint64_t size_;
};

// The data of the tag `wanted` in the group whose tags start at `offset`.
std::string find_tag(Cursor &in, std::uint64_t offset, std::string_view wanted, unsigned size_width) {
  in.at = offset;
  for (std::uint64_t count = 0; in.ok && count < kMaxTags; ++count) {
    const auto flags = static_cast<unsigned>(in.number(1));
    const auto name_length = in.number(1);
    if (!in.ok || (flags == 0 && name_length == 0)) break;
    const std::string name = in.bytes(name_length);
    in.skip(4ULL * (flags >> 6U));
    std::uint64_t length = flags & 63U;
    if (length == 62 || length == 63) {
      length = in.number(size_width);
      static_cast<void>(in.number(size_width));
      in.skip(in.number(2));
    }
    if (in.ok && name == wanted) return length <= kMaxConfiguration ? in.bytes(length) : std::string();
    in.skip(length);
  }
  return {};
}

std::optional<StateFile> read(Cursor in) {
  const std::uint64_t magic = in.number(4);
  if (magic != 0xBED2BED0U && magic != 0xBAD1BAD1U && magic != 0xBED2BED2U && magic != 0xBED3BED3U) return std::nullopt;
  const unsigned size_width = (magic & 15U) == 0 ? 4 : 8;
  in.skip(4);
  const std::uint64_t groups = in.number(4);
  if (!in.ok || groups > kMaxGroups) return std::nullopt;
  StateFile out;
  for (std::uint64_t i = 0; in.ok && i < groups; ++i) {
    in.at = 12 + i * 80;
    const std::string padded = in.bytes(64);
    const std::string name = padded.substr(0, padded.find('\0'));
    const std::uint64_t offset = in.number(8);
    if (name == "cpu") out.running = true;
    if (name == "Snapshot" && out.configuration.empty()) {
      out.configuration = find_tag(in, offset, "cfgFile", size_width);
      if (!in.ok) out.configuration.clear();
      in.ok = true;
    }
  }
  while (!out.configuration.empty() && out.configuration.back() == '\0') out.configuration.pop_back();
  return out;
}

}  // namespace

std::optional<StateFile> read_state_file(const std::filesystem::path &file) {
  std::error_code error;
  if (!on_host::is_regular_file(file, error)) return std::nullopt;
  try {
    return read(Cursor(file));
  } catch (const Error &failed) {
    if (failed.kind() == ErrorKind::unreachable) throw;
    return std::nullopt;
  }
}

}  // namespace ferry::vmx
