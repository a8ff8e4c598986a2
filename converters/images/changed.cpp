// SPDX-License-Identifier: Apache-2.0
// A disk with a few bytes changed: an image in memory, laid over the others as a child would be. So whatever copies,
// compares or keeps states of the disk sees the changes, and nothing of the source is written to.
#include <algorithm>
#include <map>

#include "converters/images/format.hpp"
#include "converters/images/memory_source.hpp"

#include "support/text.hpp"

namespace ferry::image {
namespace {

constexpr std::uint64_t kPage = 4096;  // bytes: what a file system shares is not cut into smaller pieces
constexpr std::size_t kMostChanges = 1000;

class ChangedImage final : public Image {
 public:
  ChangedImage(const Chain &below, const std::vector<DiskChange> &changes) : info_(below.images().back()->info()) {
    info_.has_parent = true;
    info_.findings.clear();
    std::map<std::uint64_t, std::vector<std::uint8_t>> pages;
    for (const DiskChange &change : changes) apply(below, change, pages);
    std::vector<std::uint8_t> bytes;
    for (const auto &[number, page] : pages) {
      starts_.emplace_back(number * kPage, page.size());
      bytes.insert(bytes.end(), page.begin(), page.end());
    }
    files_.push_back(std::make_shared<MemorySource>(std::move(bytes), info_.file, "changes"));
  }

  [[nodiscard]] const ImageInfo &info() const override { return info_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const SourceFile>> &files() const override { return files_; }
  void map(std::uint64_t begin, std::uint64_t end, std::vector<Extent> &out) const override {
    end = std::min(end, info_.virtual_size);
    std::uint64_t in_memory = 0;
    for (const auto &[start, length] : starts_) {
      const std::uint64_t from = std::max(begin, start), to = std::min(end, start + length);
      if (from < to) {
        add_parent(begin, from, out);
        out.push_back({.guest_offset = from,
                       .length = to - from,
                       .file_offset = in_memory + (from - start),
                       .kind = ExtentKind::plain});
        begin = to;
      }
      in_memory += length;
    }
    add_parent(begin, end, out);
  }

 private:
  static void add_parent(std::uint64_t begin, std::uint64_t end, std::vector<Extent> &out) {
    if (begin < end) out.push_back({.guest_offset = begin, .length = end - begin, .kind = ExtentKind::parent});
  }

  void apply(const Chain &below, const DiskChange &change,
             std::map<std::uint64_t, std::vector<std::uint8_t>> &pages) const {
    require(
        inside(change.offset, change.after.size(), info_.virtual_size) && change.before.size() == change.after.size(),
        {.file = info_.file}, "a change lies outside of the disk", change.offset,
        "an end of at most " + std::to_string(info_.virtual_size));
    for (std::size_t i = 0; i < change.after.size(); ++i) {
      const std::uint64_t at = change.offset + i, number = at / kPage;
      std::vector<std::uint8_t> &page = pages[number];
      if (page.empty()) {
        page.resize(static_cast<std::size_t>(std::min(kPage, info_.virtual_size - number * kPage)));
        below.read(number * kPage, page.data(), page.size());
      }
      std::uint8_t &byte = page[static_cast<std::size_t>(at % kPage)];
      require(byte == change.before[i], {.file = info_.file},
              "the disk is not as it was when it was decided to change it", text::hex(byte, 2),
              text::hex(change.before[i], 2));
      byte = change.after[i];
    }
  }

  ImageInfo info_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> starts_;  // of pages, and their lengths, bytes
  std::vector<std::shared_ptr<const SourceFile>> files_;
};

}  // namespace

Chain with_changes(const Chain &chain, const std::vector<DiskChange> &changes) {
  if (changes.empty()) return chain;
  require(changes.size() <= kMostChanges, {.file = chain.images().back()->info().file}, "a disk has too many changes",
          changes.size(), "at most " + std::to_string(kMostChanges));
  std::vector<std::shared_ptr<const Image>> images = chain.images();
  images.push_back(std::make_shared<ChangedImage>(chain, changes));
  return Chain(std::move(images));
}

}  // namespace ferry::image
