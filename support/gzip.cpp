// SPDX-License-Identifier: Apache-2.0
#include "support/gzip.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <utility>
#include <zlib.h>

#include "support/error.hpp"

namespace ferry::gzip {
namespace {

constexpr std::size_t kMostPoints = 1024;                         // of 32 KiB each
constexpr std::uint64_t kFirstSpacing = std::uint64_t{1} << 20U;  // bytes of plain data between points
constexpr std::size_t kBufferSize = std::size_t{128} << 10U;      // compressed bytes per read
constexpr std::size_t kScratchSize = std::size_t{64} << 10U;      // plain bytes that only are passed
// What gzip makes of one byte over and over is a thousandth; of a disk, even an empty one with a file system on it,
// some hundredths. Whoever makes a package of nothing fills this in under a second.
constexpr std::uint64_t kTrusted = std::uint64_t{512} << 20U;  // plain bytes that anything may have
constexpr std::uint64_t kMostRatio = 128;
constexpr int kWindowGzip = 15 + 16, kWindowRaw = -15;  // what inflateInit2 takes for "gzip" and "no wrapper"

}  // namespace

// Goes forward through the stream from a restart point.
class Inflater::Stream {
 public:
  Stream(const Input &source, const RestartPoint &from) : source_(source), next_(from.compressed), plain_(from.plain) {
    if (::inflateInit2(&stream_, from.member ? kWindowGzip : kWindowRaw) != Z_OK) throw std::bad_alloc();
    raw_ = !from.member;
    if (from.member) return;
    if (from.bits != 0) {
      std::uint8_t byte = 0;
      source_.read(from.compressed - 1, &byte, 1);
      ::inflatePrime(&stream_, from.bits, byte >> (8 - from.bits));
    }
    ::inflateSetDictionary(&stream_, from.window.data(), static_cast<uInt>(from.window.size()));
  }
  Stream(const Stream &) = delete;
  Stream &operator=(const Stream &) = delete;
  ~Stream() { ::inflateEnd(&stream_); }

  [[nodiscard]] std::uint64_t plain() const { return plain_; }
  [[nodiscard]] std::uint64_t position() const { return next_ - stream_.avail_in; }  // of the next compressed byte
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

  // After a member: another one, padding with zeros, or the end.
  void next_member() {
    // Without the wrapper zlib leaves the member's checksum and length, 8 bytes, unread.
    std::uint64_t at = position() + (raw_ ? 8 : 0);
    std::array<std::uint8_t, 2> start{};
    if (at <= source_.size() && source_.size() - at >= 2) source_.read(at, start.data(), 2);
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
    throw Error(ErrorKind::malformed, {.where = {.file = source_.path(),
                                                 .line = {},
                                                 .path = "offset " + std::to_string(position()) + " (gzip stream)"},
                                       .message = message,
                                       .found = stream_.msg != nullptr ? stream_.msg : "",
                                       .expected = "a complete gzip stream",
                                       .advice = "Download or export the file again: it is truncated or damaged."});
  }

  const Input &source_;
  std::uint64_t next_;   // offset of the first compressed byte that is not in buffer_
  std::uint64_t plain_;  // offset of the next inflated byte
  z_stream stream_{};
  std::vector<std::uint8_t> buffer_;
  bool raw_ = false, ended_ = false, at_block_ = false, at_member_ = false;
};

Inflater::Inflater(const Input &input, const RestartPoint &from) : stream_(std::make_unique<Stream>(input, from)) {}
Inflater::~Inflater() = default;
std::uint64_t Inflater::plain() const { return stream_->plain(); }
std::uint64_t Inflater::compressed() const { return stream_->position(); }
bool Inflater::ended() const { return stream_->ended(); }
std::size_t Inflater::step(std::uint8_t *into, std::size_t length, bool by_block) {
  return stream_->step(into, length, by_block);
}
std::optional<RestartPoint> Inflater::restart_point() { return stream_->restart_point(); }

Indexer::Indexer(const Input &input)
    : index_{.points = {{.plain = 0, .compressed = 0, .bits = 0, .member = true, .window = {}}}, .size = 0},
      input_(input),
      inflater_(input, index_.points.front()),
      spacing_(kFirstSpacing) {}

std::size_t Indexer::step(std::uint8_t *into, std::size_t length) {
  const std::size_t got = inflater_.step(into, length, true);
  refuse_bomb();
  if (inflater_.ended() || inflater_.plain() - index_.points.back().plain < spacing_) return got;
  if (auto point = inflater_.restart_point()) {
    index_.points.push_back(std::move(*point));
    if (index_.points.size() == kMostPoints) {
      std::vector<RestartPoint> kept;
      for (std::size_t i = 0; i < kMostPoints; i += 2) kept.push_back(std::move(index_.points[i]));
      index_.points = std::move(kept);
      spacing_ *= 2;
    }
  }
  return got;
}

void Indexer::refuse_bomb() const {
  const std::uint64_t plain = inflater_.plain(), compressed = inflater_.compressed();
  if (plain < kTrusted || plain / kMostRatio < compressed) return;
  throw Error(ErrorKind::malformed,
              {.where = {.file = input_.path(), .line = {}, .path = "gzip stream"},
               .message = "the gzip stream holds next to nothing for its length",
               .found = std::to_string(plain) + " bytes out of the first " + std::to_string(compressed),
               .expected = "at most " + std::to_string(kMostRatio) + " bytes out of each",
               .advice = "If you trust the file, decompress it with gunzip and use what comes out."});
}

Index Indexer::finish() {
  std::vector<std::uint8_t> ignored(kScratchSize);
  while (!ended()) step(ignored.data(), ignored.size());
  index_.size = inflater_.plain();
  return std::move(index_);
}

bool is_gzip(const Input &input) {
  std::array<std::uint8_t, 2> start{};
  if (input.size() < start.size()) return false;
  input.read(0, start.data(), start.size());
  return start[0] == 0x1f && start[1] == 0x8b;
}

}  // namespace ferry::gzip
