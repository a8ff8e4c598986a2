// SPDX-License-Identifier: Apache-2.0
// A gzip stream as a file. It is inflated forwards into blocks that are kept for a while: threads that work next to
// each other in it have one of them inflate for all, and what was inflated on the way is not inflated again. What is
// read of the file for a jump ahead is kept too, until whoever goes forwards comes by.
#include <algorithm>
#include <cstring>
#include <list>
#include <map>
#include <mutex>
#include <utility>

#include "converters/images/format.hpp"
#include "converters/images/source_file.hpp"

namespace ferry::image {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20U;  // plain bytes
constexpr std::size_t kMostBlocks = 32;
constexpr std::size_t kMostIdleReaders = 8;             // about 200 KiB each
constexpr std::size_t kPart = std::size_t{128} << 10U;  // compressed bytes
constexpr std::size_t kMostAhead = 192;                 // parts
// Parts: a jump begins at the restart point before its goal, which whoever goes forwards may have passed. The points
// of a package of up to 2 GiB lie 2 MiB apart at most; of what hardly deflates that is as much on the file.
constexpr std::size_t kMostRecent = 48;
constexpr std::size_t kScratchSize = std::size_t{64} << 10U;  // plain bytes that only are passed

using Block = std::shared_ptr<const std::vector<std::uint8_t>>;

// The compressed bytes, of which those for jumps ahead (an image's directory and tables lie behind its data) are read
// from the file once.
class Compressed {
 public:
  explicit Compressed(std::shared_ptr<const SourceFile> file) : file_(std::move(file)) {}

  [[nodiscard]] const SourceFile &file() const { return *file_; }
  void read(std::uint64_t offset, void *into, std::size_t length, bool ahead) {
    auto *to = static_cast<std::uint8_t *>(into);
    while (length > 0) {
      const Bytes part = part_at(offset / kPart, ahead);
      const std::size_t skip = offset % kPart;
      require(skip < part->size(), place_in(*file_, offset, "gzip stream"), "the file changed while it was read",
              file_->size(), "the size that it had");
      const std::size_t now = std::min(length, part->size() - skip);
      std::memcpy(to, part->data() + skip, now);
      to += now;
      offset += now;
      length -= now;
    }
  }

 private:
  using Bytes = std::shared_ptr<const std::vector<std::uint8_t>>;
  struct Part {
    std::uint64_t number = 0;
    Bytes bytes;
  };
  using Parts = std::list<Part>;  // the longest unused first

  static void keep(Parts &parts, Part part, std::size_t most) {
    parts.push_back(std::move(part));
    if (parts.size() > most) parts.pop_front();
  }

  Bytes part_at(std::uint64_t number, bool ahead) {
    for (Parts *parts : {&recent_, &ahead_}) {
      const auto known = std::ranges::find(*parts, number, &Part::number);
      if (known == parts->end()) continue;
      Part part = std::move(*known);
      parts->erase(known);
      Bytes bytes = part.bytes;
      // Whoever goes forwards is at it now, and needs it no more in a while.
      if (ahead && parts == &ahead_) {
        keep(ahead_, std::move(part), kMostAhead);
      } else {
        keep(recent_, std::move(part), kMostRecent);
      }
      return bytes;
    }
    const std::uint64_t begin = number * kPart;
    const std::uint64_t size = file_->size();
    Part part{number, std::make_shared<const std::vector<std::uint8_t>>(read_bytes(
                          *file_, std::min(begin, size),
                          static_cast<std::size_t>(std::min<std::uint64_t>(kPart, size - std::min(begin, size)))))};
    Bytes bytes = part.bytes;
    keep(ahead ? ahead_ : recent_, std::move(part), ahead ? kMostAhead : kMostRecent);
    return bytes;
  }

  std::shared_ptr<const SourceFile> file_;
  Parts ahead_, recent_;
};

// One that inflates, and whether it is on its jump from a restart point to where it is wanted.
class Reader final : private gzip::Input {
 public:
  Reader(Compressed &compressed, const gzip::RestartPoint &from) : compressed_(compressed), inflater_(*this, from) {}
  [[nodiscard]] gzip::Inflater &inflater() { return inflater_; }
  [[nodiscard]] std::uint64_t plain() const { return inflater_.plain(); }
  void arrived() { jumps_ = false; }

 private:
  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    compressed_.read(offset, into, length, jumps_);
  }
  [[nodiscard]] std::uint64_t size() const override { return compressed_.file().size(); }
  [[nodiscard]] const std::filesystem::path &path() const override { return compressed_.file().path(); }

  Compressed &compressed_;
  bool jumps_ = true;
  gzip::Inflater inflater_;
};

class GzipFile final : public SourceFile {
 public:
  GzipFile(std::shared_ptr<const SourceFile> compressed, std::shared_ptr<const gzip::Index> index)
      : index_(std::move(index)), compressed_(std::move(compressed)) {}

  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    require(inside(offset, length, size()), place_in(compressed_.file(), offset, "inside the gzip stream"),
            "a read reaches beyond the end of the inflated data", offset + length,
            "at most " + std::to_string(size()) + " bytes");
    auto *to = static_cast<std::uint8_t *>(into);
    while (length > 0) {
      const Block block = block_at(offset / kBlock);
      const std::size_t skip = offset % kBlock, now = std::min(length, block->size() - skip);
      std::memcpy(to, block->data() + skip, now);
      to += now;
      offset += now;
      length -= now;
    }
  }

  [[nodiscard]] Descriptor descriptor() const override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return index_->size; }
  [[nodiscard]] const std::filesystem::path &path() const override { return compressed_.file().path(); }

 private:
  [[nodiscard]] Block block_at(std::uint64_t number) const {
    if (Block known = known_block(number)) return known;
    const std::scoped_lock lock(inflating_);
    if (Block known = known_block(number)) return known;  // whoever inflated meanwhile came by it
    auto reader = reader_for(number * kBlock);
    std::vector<std::uint8_t> skipped;
    while (reader->plain() % kBlock != 0 && reader->plain() / kBlock < number) {
      const std::uint64_t left = kBlock - reader->plain() % kBlock;
      skipped.resize(kScratchSize);
      inflate(*reader, skipped.data(), static_cast<std::size_t>(std::min<std::uint64_t>(kScratchSize, left)));
    }
    Block block;
    do {
      block = inflate_block(*reader);
    } while (reader->plain() < std::min((number + 1) * kBlock, size()));
    reader->arrived();
    idle_.push_back(std::move(reader));
    if (idle_.size() > kMostIdleReaders) idle_.erase(idle_.begin());
    return block;
  }

  // The block that the reader stands at the start of.
  Block inflate_block(Reader &reader) const {
    const std::uint64_t begin = reader.plain();
    auto bytes = std::make_shared<std::vector<std::uint8_t>>(std::min<std::uint64_t>(kBlock, size() - begin));
    inflate(reader, bytes->data(), bytes->size());
    const std::scoped_lock lock(guard_);
    order_.push_back(begin / kBlock);
    blocks_[begin / kBlock] = {bytes, std::prev(order_.end())};
    if (blocks_.size() > kMostBlocks) {
      blocks_.erase(order_.front());
      order_.pop_front();
    }
    return bytes;
  }

  void inflate(Reader &reader, std::uint8_t *to, std::size_t length) const {
    while (length > 0) {
      const std::size_t got = reader.inflater().step(to, length, false);
      to += got;
      length -= got;
      require(length == 0 || !reader.inflater().ended(), place_in(compressed_.file(), 0, "gzip stream"),
              "the file changed while it was read", reader.plain(), std::to_string(size()) + " inflated bytes");
    }
  }

  [[nodiscard]] Block known_block(std::uint64_t number) const {
    const std::scoped_lock lock(guard_);
    const auto known = blocks_.find(number);
    if (known == blocks_.end()) return nullptr;
    order_.splice(order_.end(), order_, known->second.second);
    return known->second.first;
  }

  // An idle reader that is nearer than the restart point, or a new one.
  [[nodiscard]] std::unique_ptr<Reader> reader_for(std::uint64_t offset) const {
    const gzip::RestartPoint &point =
        *std::prev(std::ranges::upper_bound(index_->points, offset, {}, &gzip::RestartPoint::plain));
    auto best = idle_.end();
    for (auto reader = idle_.begin(); reader != idle_.end(); ++reader) {
      const std::uint64_t at = (*reader)->plain();
      if (at <= offset && at >= point.plain && (best == idle_.end() || at > (*best)->plain())) best = reader;
    }
    if (best == idle_.end()) return std::make_unique<Reader>(compressed_, point);
    auto reader = std::move(*best);
    idle_.erase(best);
    return reader;
  }

  std::shared_ptr<const gzip::Index> index_;
  mutable std::mutex inflating_;
  mutable Compressed compressed_;                      // with inflating_
  mutable std::vector<std::unique_ptr<Reader>> idle_;  // the longest unused first; with inflating_
  mutable std::mutex guard_;                           // taken after inflating_; of what follows
  mutable std::list<std::uint64_t> order_;             // the longest unused block first
  mutable std::map<std::uint64_t, std::pair<Block, std::list<std::uint64_t>::iterator>> blocks_;
};

}  // namespace

std::shared_ptr<const SourceFile> open_gzip(std::shared_ptr<const SourceFile> compressed) {
  auto index = std::make_shared<const gzip::Index>(gzip::Indexer(*compressed).finish());
  return open_gzip(std::move(compressed), std::move(index));
}

std::shared_ptr<const SourceFile> open_gzip(std::shared_ptr<const SourceFile> compressed,
                                            std::shared_ptr<const gzip::Index> index) {
  return std::make_shared<GzipFile>(std::move(compressed), std::move(index));
}

}  // namespace ferry::image
