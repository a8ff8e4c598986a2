// SPDX-License-Identifier: Apache-2.0
#include "migration/target_names.hpp"

#include "support/text.hpp"

namespace ferry::migration {
namespace {

// libvirt cuts the name of a machine at 20 bytes for its runtime folder; cut inside a character, the start fails
// [tried: 9.0].
constexpr std::size_t kRuntimeNameBytes = 20;
constexpr std::size_t kMostOfALabel = 50;   // bytes
constexpr std::size_t kMaxNameBytes = 200;  // with "-12.qcow2" behind it still below NAME_MAX (255)

// Not in a file's name, or not shown as what it is: controls, and what turns the direction of writing.
bool is_unfit(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == U'/' || text::is_hidden_control(c); }

// A letter or digit at both ends; shorter than the 63 bytes that there may be, because names of disks and pods begin
// with it.
std::string label(std::string_view name) {
  std::string out;
  for (const char32_t c : text::decode_utf8_lossy(name)) {
    const bool fits = (c >= U'a' && c <= U'z') || (c >= U'0' && c <= U'9');
    const bool capital = c >= U'A' && c <= U'Z';
    if (fits || capital) {
      out += static_cast<char>(capital ? c + (U'a' - U'A') : c);
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
    if (out.size() == kMostOfALabel) break;
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? "machine" : out;
}

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

std::string machine_name(TargetKind target, std::string_view name) {
  return target == TargetKind::kubevirt ? label(name) : domain_name(name);
}

std::string unique_snapshot_name(std::string_view name, std::set<std::string> &taken) {
  const std::string base = text::trim(name).empty() ? "snapshot" : safe_name(name);
  std::string out = base;
  for (int n = 2; !taken.insert(out).second; ++n) out = base + " (" + std::to_string(n) + ")";
  return out;
}

namespace {
constexpr std::string_view kNameOfSource = "{name}";
}

bool is_name_pattern(std::string_view pattern) { return pattern.find(kNameOfSource) != std::string_view::npos; }

std::string name_by_pattern(std::string_view pattern, std::string_view name) {
  std::string out;
  for (std::size_t at = pattern.find(kNameOfSource); at != std::string_view::npos; at = pattern.find(kNameOfSource)) {
    out += std::string(pattern.substr(0, at)) + std::string(name);
    pattern.remove_prefix(at + kNameOfSource.size());
  }
  return out + std::string(pattern);
}

std::string numbered_name(const std::string &base, const std::set<std::string> &taken) {
  std::string out = base;
  for (unsigned n = 2; taken.contains(out); ++n) out = base + "-" + std::to_string(n);
  return out;
}

bool is_numbered_form(std::string_view name, std::string_view base) {
  if (name == base) return true;
  if (!name.starts_with(base) || name.size() < base.size() + 2 || name[base.size()] != '-') return false;
  return text::parse_u64(name.substr(base.size() + 1)).value_or(0) > 1;
}

std::filesystem::path disk_file(const std::string &name, std::size_t index, std::string_view suffix) {
  return name + (index == 0 ? "" : "-" + std::to_string(index + 1)) + std::string(suffix);
}

std::filesystem::path store_file(const std::string &name, std::size_t index) {
  return disk_file(name + "_VARS", index, ".fd");
}

std::filesystem::path seed_file(const std::string &name) { return name + "-seed.iso"; }

}  // namespace ferry::migration
