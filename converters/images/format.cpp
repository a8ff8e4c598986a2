// SPDX-License-Identifier: Apache-2.0
#include "converters/images/format.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "support/on_host.hpp"

namespace ferry::image {

void FormatImage::add_file(std::shared_ptr<const SourceFile> source) {
  if (files_.empty()) info_.file = source->path();
  info_.file_size += source->size();
  files_.push_back(std::move(source));
}

void FormatImage::check_once() {
  if (checked_) return;
  check_tables();
  checked_ = true;
}

void FormatImage::add_finding(Finding finding) {
  if (std::ranges::find(info_.findings, finding) == info_.findings.end()) info_.findings.push_back(std::move(finding));
}

void append(std::vector<Extent> &out, const Extent &extent) {
  if (extent.length == 0) return;
  if (!out.empty()) {
    Extent &last = out.back();
    const bool adjoins = last.kind == extent.kind && last.guest_offset + last.length == extent.guest_offset;
    const bool merges = extent.kind == ExtentKind::zero || extent.kind == ExtentKind::parent ||
                        (extent.kind == ExtentKind::plain && last.file == extent.file &&
                         last.file_offset + last.length == extent.file_offset);
    if (adjoins && merges) {
      last.length += extent.length;
      return;
    }
  }
  out.push_back(extent);
}

void require(bool holds, const Place &where, const char *message, std::uint64_t found, const std::string &expected) {
  if (!holds) require(false, where, message, std::to_string(found), expected);
}

void require(bool holds, const Place &where, const char *message, const std::string &found,
             const std::string &expected) {
  if (holds) return;
  throw Error(ErrorKind::malformed, {.where = where,
                                     .message = message,
                                     .found = found,
                                     .expected = expected,
                                     .advice = std::string(kDamagedAdvice)});
}

Place place_in(const SourceFile &file, std::uint64_t offset, const std::string &what) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "offset 0x%llx", static_cast<unsigned long long>(offset));
  return {.file = file.path(), .line = {}, .path = std::string(buffer.data()) + " (" + what + ")"};
}

OverlapWatch::OverlapWatch(std::uint64_t file_size, std::uint64_t block_size) : block_size_(block_size) {
  constexpr std::uint64_t kMostSlots = std::uint64_t{1} << 28U;
  const std::uint64_t slots = file_size / block_size + 1;
  if (slots <= kMostSlots) taken_.resize(static_cast<std::size_t>(slots));
}

bool OverlapWatch::take(std::uint64_t offset) {
  const auto slot = static_cast<std::size_t>(offset / block_size_);
  if (slot >= taken_.size()) return true;
  if (taken_[slot]) return false;
  taken_[slot] = true;
  return true;
}

std::vector<std::filesystem::path> allowed_roots(const std::filesystem::path &image, const OpenOptions &options) {
  std::vector<std::filesystem::path> roots;
  const auto add = [&](const std::filesystem::path &folder) {
    std::error_code failed;
    auto real = on_host::canonical(folder.empty() ? "." : folder, failed);
    if (!failed && std::ranges::find(roots, real) == roots.end()) roots.push_back(std::move(real));
  };
  const auto own = image.parent_path();
  add(own);
  // VirtualBox keeps differencing images in "Snapshots" below the machine's folder, where the base lies.
  if (own.filename() == "Snapshots") add(own.parent_path());
  for (const auto &folder : options.allowed_folders) add(folder);
  for (const auto &folder : options.limits.allowed) add(folder);
  return roots;
}

reach::Judgement reach_of(const std::filesystem::path &candidate, const std::vector<std::filesystem::path> &roots,
                          const OpenOptions &options) {
  if (auto real = resolve_below(candidate, roots)) return {reach::Verdict::inside, std::move(*real), {}};
  std::error_code failed;
  if (on_host::exists(candidate, failed)) return reach::judge(candidate, options.limits);
  return {reach::Verdict::outside, candidate.lexically_normal(), "a file outside the machine's folder"};
}

std::optional<std::filesystem::path> resolve_below(const std::filesystem::path &candidate,
                                                   const std::vector<std::filesystem::path> &roots) {
  std::error_code failed;
  const auto real = on_host::weakly_canonical(candidate, failed);
  if (failed) return std::nullopt;
  for (const auto &root : roots) {
    const auto difference = std::ranges::mismatch(root, real);
    if (difference.in1 == root.end()) return real;
  }
  return std::nullopt;
}

}  // namespace ferry::image
