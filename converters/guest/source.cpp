// SPDX-License-Identifier: Apache-2.0
#include "converters/guest/source.hpp"

#include <algorithm>
#include <cstring>

#include "support/error.hpp"
#include "support/text.hpp"

namespace ferry::guest {
namespace {

constexpr std::uint64_t kBlock = 65536;   // bytes: what one read of a chain is worth
constexpr std::size_t kMostBlocks = 512;  // kept: 32 MiB

[[noreturn]] void beyond(std::uint64_t offset, std::size_t length, std::uint64_t size) {
  malformed("something lies beyond the end", std::to_string(length) + " bytes at offset " + std::to_string(offset),
            "at most " + std::to_string(size) + " bytes");
}

void check_inside(std::uint64_t offset, std::size_t length, std::uint64_t size) {
  if (offset > size || length > size - offset) beyond(offset, length, size);
}

}  // namespace

void malformed(const std::string &message, std::string found, std::string expected) {
  throw Error(ErrorKind::malformed, {.message = message, .found = std::move(found), .expected = std::move(expected)});
}

Bytes read_up_to(const Source &source, std::uint64_t offset, std::size_t length) {
  if (offset >= source.size()) return {};
  return read_exactly(source, offset,
                      static_cast<std::size_t>(std::min<std::uint64_t>(length, source.size() - offset)));
}

Bytes read_exactly(const Source &source, std::uint64_t offset, std::size_t length) {
  check_inside(offset, length, source.size());
  Bytes out(length);
  source.read(offset, out);
  return out;
}

std::string read_text(const Source &source, std::size_t most) {
  const Bytes bytes = read_up_to(source, 0, most);
  return {bytes.begin(), bytes.end()};
}

// ---- limits ----

void Budget::take(std::uint64_t bytes) {
  check_time();
  taken_ += bytes;
  if (taken_ > limits_.bytes) {
    throw Error(ErrorKind::unsupported, {.message = "the look into the guest was ended: it would read too much",
                                         .found = text::human_bytes(taken_),
                                         .expected = "at most " + text::human_bytes(limits_.bytes)});
  }
}

void Budget::check_time() const {
  if (Clock::now() - begun_ <= limits_.time) return;
  throw Error(ErrorKind::unsupported, {.message = "the look into the guest was ended: it takes too long",
                                       .expected = "at most " + std::to_string(limits_.time.count()) + " ms"});
}

// ---- disks ----

const Bytes &Disk::block(std::uint64_t number) const {
  if (const auto known = by_number_.find(number); known != by_number_.end()) {
    blocks_.splice(blocks_.begin(), blocks_, known->second);
    return blocks_.front().second;
  }
  const std::uint64_t begin = number * kBlock;
  Bytes bytes(static_cast<std::size_t>(std::min(kBlock, size_ - begin)));
  budget_.take(bytes.size());
  chain_.read(begin, bytes.data(), bytes.size());
  if (blocks_.size() >= kMostBlocks) {
    by_number_.erase(blocks_.back().first);
    blocks_.pop_back();
  }
  blocks_.emplace_front(number, std::move(bytes));
  by_number_[number] = blocks_.begin();
  return blocks_.front().second;
}

void Disk::read(std::uint64_t offset, std::span<std::uint8_t> into) const {
  check_inside(offset, into.size(), size_);
  while (!into.empty()) {
    const Bytes &from = block(offset / kBlock);
    const auto skip = static_cast<std::size_t>(offset % kBlock);
    const std::size_t part = std::min(into.size(), from.size() - skip);
    std::memcpy(into.data(), from.data() + skip, part);
    into = into.subspan(part);
    offset += part;
  }
}

// ---- parts ----

Part::Part(SourcePtr whole, std::uint64_t start, std::uint64_t length)
    : whole_(std::move(whole)), start_(start), length_(length) {
  if (start_ > whole_->size()) start_ = whole_->size();
  length_ = std::min(length_, whole_->size() - start_);
}

void Part::read(std::uint64_t offset, std::span<std::uint8_t> into) const {
  check_inside(offset, into.size(), length_);
  whole_->read(start_ + offset, into);
}

std::optional<std::uint64_t> Part::place(std::uint64_t offset) const {
  return offset < length_ ? whole_->place(start_ + offset) : std::nullopt;
}

// ---- files ----

RunFile::RunFile(SourcePtr volume, std::vector<Run> runs, std::uint64_t size, std::uint64_t initialized)
    : volume_(std::move(volume)), runs_(std::move(runs)), size_(size), initialized_(std::min(initialized, size)) {}

std::vector<Run>::const_iterator RunFile::run_at(std::uint64_t offset) const {
  auto run = std::upper_bound(runs_.begin(), runs_.end(), offset,
                              [](std::uint64_t at, const Run &one) { return at < one.offset; });
  if (run == runs_.begin()) return runs_.end();
  --run;
  return offset - run->offset < run->length ? run : runs_.end();
}

void RunFile::read(std::uint64_t offset, std::span<std::uint8_t> into) const {
  check_inside(offset, into.size(), size_);
  while (!into.empty()) {
    const auto run = run_at(offset);
    std::uint64_t part = into.size();
    std::optional<std::uint64_t> at;
    if (run != runs_.end()) {
      part = std::min(part, run->length - (offset - run->offset));
      if (run->at) at = *run->at + (offset - run->offset);
    } else {
      const auto next = std::upper_bound(runs_.begin(), runs_.end(), offset,
                                         [](std::uint64_t where, const Run &one) { return where < one.offset; });
      if (next != runs_.end()) part = std::min(part, next->offset - offset);
    }
    if (offset >= initialized_) {
      at.reset();
    } else {
      part = std::min(part, initialized_ - offset);
    }
    const auto piece = into.first(static_cast<std::size_t>(part));
    if (at) {
      volume_->read(*at, piece);
    } else {
      std::fill(piece.begin(), piece.end(), std::uint8_t{0});
    }
    into = into.subspan(piece.size());
    offset += part;
  }
}

std::optional<std::uint64_t> RunFile::place(std::uint64_t offset) const {
  const auto run = run_at(offset);
  if (run == runs_.end() || !run->at || offset >= initialized_) return std::nullopt;
  return volume_->place(*run->at + (offset - run->offset));
}

void MemoryFile::read(std::uint64_t offset, std::span<std::uint8_t> into) const {
  check_inside(offset, into.size(), bytes_.size());
  std::memcpy(into.data(), bytes_.data() + offset, into.size());
}

}  // namespace ferry::guest
