// SPDX-License-Identifier: Apache-2.0
#include "migration/target_names.hpp"

#include "support/text.hpp"

namespace ferry::migration {
namespace {

// libvirt cuts the name of a machine at 20 bytes for its runtime folder; cut inside a character, the start fails
// [tried: 9.0].
constexpr std::size_t kRuntimeNameBytes = 20;
constexpr std::size_t kMaxNameBytes = 200;  // with "-12.qcow2" behind it still below NAME_MAX (255)

// Not in a file's name, or not shown as what it is: controls, and what turns the direction of writing.
bool is_unfit(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == U'/' || text::is_hidden_control(c); }

}  // namespace

std::string safe_name(std::string_view name) {
  std::string out;
  for (const char32_t c : text::decode_utf8_lossy(text::trim(name))) {
    text::append_utf8(out, is_unfit(c) ? U'_' : c);
  }
  out = text::cut_utf8(out, kMaxNameBytes);
  if (!out.empty() && (out.front() == '.' || out.front() == '-')) out.front() = '_';
  return out.empty() ? "machine" : out;
}

std::string domain_name(std::string_view name) {
  std::string out = safe_name(name);
  if (out.size() <= kRuntimeNameBytes) return out;
  // Where the name's 21st byte is inside a character, the character is moved behind the cut.
  const auto continues = [&out](std::size_t at) {
    return at < out.size() && (static_cast<unsigned char>(out[at]) & 0xC0U) == 0x80U;
  };
  std::size_t start = kRuntimeNameBytes;
  while (start > 0 && continues(start)) --start;
  out.insert(start, kRuntimeNameBytes - start, '_');
  return out;
}

std::string unique_snapshot_name(std::string_view name, std::set<std::string> &taken) {
  const std::string base = text::trim(name).empty() ? "snapshot" : safe_name(name);
  std::string out = base;
  for (int n = 2; !taken.insert(out).second; ++n) out = base + " (" + std::to_string(n) + ")";
  return out;
}

std::filesystem::path disk_file(const std::string &name, std::size_t index, std::string_view suffix) {
  return name + (index == 0 ? "" : "-" + std::to_string(index + 1)) + std::string(suffix);
}

std::filesystem::path store_file(const std::string &name, std::size_t index) {
  return disk_file(name + "_VARS", index, ".fd");
}

}  // namespace ferry::migration
