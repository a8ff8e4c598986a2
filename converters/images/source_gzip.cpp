// SPDX-License-Identifier: Apache-2.0
// A gzip stream as a file. Deflate can be entered only at a block's start, with the 32 KiB before it at hand; the
// index keeps such places. Its spacing doubles whenever it is full, so its size is bounded and its use is not.
#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <utility>
#include <zlib.h>

#include "converters/images/format.hpp"
#include "converters/images/source_file.hpp"

namespace ferry::image {
namespace {

constexpr std::size_t kMostPoints = 256;                          // of 32 KiB each
constexpr std::uint64_t kFirstSpacing = std::uint64_t{4} << 20U;  // bytes of plain data between points
constexpr std::size_t kBufferSize = std::size_t{128} << 10U;      // compressed bytes per read
constexpr std::size_t kScratchSize = std::size_t{64} << 10U;      // plain bytes that only are passed
constexpr std::size_t kMostIdleReaders = 8;                       // about 200 KiB each
constexpr int kWindowGzip = 15 + 16, kWindowRaw = -15;            // what inflateInit2 takes for "gzip" and "no wrapper"

struct RestartPoint {
  std::uint64_t plain = 0;       // offset in the inflated data
  std::uint64_t compressed = 0;  // offset of the next byte to read
  int bits = 0;                  // of the byte before it that belong to the next block
  bool member = false;           // a gzip member begins here: no window is needed
  std::vector<std::uint8_t> window;
};

// Goes forward through the stream from a restart point.
class Inflater {
 public:
  Inflater(const SourceFile &source, const RestartPoint &from)
      : source_(source), next_(from.compressed), plain_(from.plain) {
    if (::inflateInit2(&stream_, from.member ? kWindowGzip : kWindowRaw) != Z_OK) throw std::bad_alloc();
    raw_ = !from.member;
    if (from.member) return;
    if (from.bits != 0) {
      const auto byte = read_bytes(source_, from.compressed - 1, 1);
      ::inflatePrime(&stream_, from.bits, byte[0] >> (8 - from.bits));
    }
    ::inflateSetDictionary(&stream_, from.window.data(), static_cast<uInt>(from.window.size()));
  }
  Inflater(const Inflater &) = delete;
  Inflater &operator=(const Inflater &) = delete;
  ~Inflater() { ::inflateEnd(&stream_); }

  [[nodiscard]] std::uint64_t plain() const { return plain_; }
  [[nodiscard]] bool ended() const { return ended_; }

  // Inflates up to `length` bytes, at most to the next block's end when `by_block`; gives how many.
  std::size_t step(std::uint8_t *into, std::size_t length, bool by_block) {
    if (stream_.avail_in == 0) fill();
    stream_.next_out = into;
    stream_.avail_out = static_cast<uInt>(length);
    const int result = ::inflate(&stream_, by_block ? Z_BLOCK : Z_NO_FLUSH);
    const std::size_t got = length - stream_.avail_out;
    plain_ += got;
    at_block_ = result == Z_OK && (stream_.data_type & 128) != 0 && (stream_.data_type & 64) == 0;
    if (result == Z_STREAM_END) {
      next_member();
    } else if (result != Z_OK && !(result == Z_BUF_ERROR && stream_.avail_in == 0 && next_ < source_.size())) {
      damaged(result == Z_BUF_ERROR ? "the gzip stream ends early" : "the gzip stream is damaged");
    }
    return got;
  }

  // Where one could restart now; nullopt inside a block.
  [[nodiscard]] std::optional<RestartPoint> restart_point() {
    RestartPoint point{
        .plain = plain_, .compressed = next_ - stream_.avail_in, .bits = 0, .member = at_member_, .window = {}};
    if (at_member_) return point;
    if (!at_block_) return std::nullopt;
    point.bits = stream_.data_type & 7;
    std::array<std::uint8_t, 32768> window{};
    uInt size = window.size();
    ::inflateGetDictionary(&stream_, window.data(), &size);
    point.window.assign(window.begin(), window.begin() + size);
    return point;
  }

 private:
  void fill() {
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(kBufferSize, source_.size() - next_));
    if (buffer_.size() < now) buffer_.resize(now);  // a small file wants no more
    if (now != 0) source_.read(next_, buffer_.data(), now);
    next_ += now;
    stream_.next_in = buffer_.data();
    stream_.avail_in = static_cast<uInt>(now);
    at_member_ = false;
  }

  [[nodiscard]] std::uint64_t position() const { return next_ - stream_.avail_in; }

  // After a member: another one, padding with zeros, or the end.
  void next_member() {
    // Without the wrapper zlib leaves the member's checksum and length, 8 bytes, unread.
    std::uint64_t at = position() + (raw_ ? 8 : 0);
    std::array<std::uint8_t, 2> start{};
    if (inside(at, 2, source_.size())) source_.read(at, start.data(), 2);
    if (start[0] != 0x1f || start[1] != 0x8b) {
      if (start[0] != 0 || start[1] != 0) damaged("the gzip stream is followed by something else");
      ended_ = true;
      return;
    }
    ::inflateReset2(&stream_, kWindowGzip);
    raw_ = false;
    next_ = at;
    stream_.avail_in = 0;
    at_member_ = true;
    at_block_ = false;
  }

  [[noreturn]] void damaged(const char *message) const {
    throw Error(ErrorKind::malformed, {.where = place_in(source_, position(), "gzip stream"),
                                       .message = message,
                                       .found = stream_.msg != nullptr ? stream_.msg : "",
                                       .expected = "a complete gzip stream",
                                       .advice = "The file is truncated or damaged; download or export it again."});
  }

  const SourceFile &source_;
  std::uint64_t next_;   // offset of the first compressed byte that is not in buffer_
  std::uint64_t plain_;  // offset of the next inflated byte
  z_stream stream_{};
  std::vector<std::uint8_t> buffer_;
  bool raw_ = false, ended_ = false, at_block_ = false, at_member_ = false;
};

class GzipFile final : public SourceFile {
 public:
  explicit GzipFile(std::shared_ptr<const SourceFile> compressed) : compressed_(std::move(compressed)) {
    points_.push_back({.plain = 0, .compressed = 0, .bits = 0, .member = true, .window = {}});
    Inflater inflater(*compressed_, points_.front());
    std::vector<std::uint8_t> ignored(kScratchSize);
    std::uint64_t spacing = kFirstSpacing;
    while (!inflater.ended()) {
      inflater.step(ignored.data(), ignored.size(), true);
      if (inflater.plain() - points_.back().plain < spacing) continue;
      auto point = inflater.restart_point();
      if (!point) continue;
      points_.push_back(std::move(*point));
      if (points_.size() == kMostPoints) {
        thin_out();
        spacing *= 2;
      }
    }
    size_ = inflater.plain();
  }

  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    require(inside(offset, length, size_), place_in(*compressed_, offset, "inside the gzip stream"),
            "a read reaches beyond the end of the inflated data", offset + length,
            "at most " + std::to_string(size_) + " bytes");
    auto reader = reader_for(offset);
    std::vector<std::uint8_t> skipped;
    while (reader->plain() < offset) {
      skipped.resize(kScratchSize);
      reader->step(skipped.data(),
                   static_cast<std::size_t>(std::min<std::uint64_t>(kScratchSize, offset - reader->plain())), false);
    }
    auto *to = static_cast<std::uint8_t *>(into);
    while (length > 0) {
      const std::size_t got = reader->step(to, std::min<std::size_t>(length, 1U << 30U), false);
      to += got;
      length -= got;
      require(length == 0 || !reader->ended(), place_in(*compressed_, 0, "gzip stream"),
              "the file changed while it was read", reader->plain(), std::to_string(size_) + " inflated bytes");
    }
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(reader));
    if (idle_.size() > kMostIdleReaders) idle_.erase(idle_.begin());
  }

  [[nodiscard]] Descriptor descriptor() const override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::filesystem::path &path() const override { return compressed_->path(); }

 private:
  void thin_out() {
    std::vector<RestartPoint> kept;
    for (std::size_t i = 0; i < points_.size(); i += 2) kept.push_back(std::move(points_[i]));
    points_ = std::move(kept);
  }

  // An idle reader that is nearer than the restart point, or a new one.
  [[nodiscard]] std::unique_ptr<Inflater> reader_for(std::uint64_t offset) const {
    const RestartPoint &point = *std::prev(std::ranges::upper_bound(points_, offset, {}, &RestartPoint::plain));
    {
      const std::scoped_lock lock(mutex_);
      auto best = idle_.end();
      for (auto reader = idle_.begin(); reader != idle_.end(); ++reader) {
        const std::uint64_t at = (*reader)->plain();
        if (at <= offset && at >= point.plain && (best == idle_.end() || at > (*best)->plain())) best = reader;
      }
      if (best != idle_.end()) {
        auto reader = std::move(*best);
        idle_.erase(best);
        return reader;
      }
    }
    return std::make_unique<Inflater>(*compressed_, point);
  }

  std::shared_ptr<const SourceFile> compressed_;
  std::vector<RestartPoint> points_;  // by offset
  std::uint64_t size_ = 0;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Inflater>> idle_;  // the longest unused first
};

}  // namespace

std::shared_ptr<const SourceFile> open_gzip(std::shared_ptr<const SourceFile> compressed) {
  return std::make_shared<GzipFile>(std::move(compressed));
}

}  // namespace ferry::image
