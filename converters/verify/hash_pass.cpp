// SPDX-License-Identifier: Apache-2.0
#include "converters/verify/hash_pass.hpp"

#include <algorithm>
#include <utility>

#include "support/digest.hpp"

namespace ferry::verify {

namespace {

constexpr std::uint64_t kMost = 48U << 20U;           // bytes that wait to be hashed
constexpr std::uint64_t kFarAhead = 32U << 20U;       // so many wait: what is missing before them is not being read now
constexpr std::uint64_t kSmallGap = 4096;             // markers and padding, which no reader asks for
constexpr std::size_t kStep = std::size_t{1} << 20U;  // bytes that are read at a time

}  // namespace

HashPass::HashPass(std::string_view algorithm, std::shared_ptr<const image::SourceFile> file)
    : file_(std::move(file)), end_(file_->size()) {
  // Here, not in the thread: an unknown algorithm is the caller's to hear of.
  auto digest = std::make_shared<Digest>(algorithm);
  thread_ = std::jthread([this, digest](const std::stop_token &stop) { hash(*digest, stop); });
}

HashPass::~HashPass() {
  thread_.request_stop();
  const std::scoped_lock lock(guard_);
  position_ = end_;  // whoever waits for room goes on
  room_.notify_all();
}

void HashPass::saw(std::uint64_t offset, const std::uint8_t *bytes, std::size_t length) {
  std::vector<std::uint8_t> copy(bytes, bytes + length);  // without the lock
  Lock lock(guard_);
  room_.wait(lock, [&] { return seen_bytes_ < kMost || offset + length <= position_ || failed_; });
  if (offset + length <= position_ || failed_) return;
  const auto [known, fresh] = seen_.try_emplace(offset);
  if (!fresh && known->second.size() >= length) return;
  seen_bytes_ += length - known->second.size();
  known->second = std::move(copy);
  work_.notify_one();
}

bool HashPass::ready() const {
  if (all_seen_ || seen_bytes_ >= kFarAhead) return true;
  return !seen_.empty() && seen_.begin()->first <= position_ + kSmallGap;
}

std::vector<std::uint8_t> HashPass::next(Lock &lock) {
  while (!seen_.empty() && seen_.begin()->first <= position_) {
    auto taken = seen_.extract(seen_.begin());
    std::vector<std::uint8_t> bytes = std::move(taken.mapped());
    seen_bytes_ -= bytes.size();
    room_.notify_all();
    const std::uint64_t known = position_ - taken.key();  // hashed already: read by somebody before
    if (known >= bytes.size()) continue;
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(known));
    return bytes;
  }
  if (!ready()) return {};
  const std::uint64_t gap = (seen_.empty() ? end_ : seen_.begin()->first) - position_;
  const std::uint64_t from = position_;
  lock.unlock();
  std::vector<std::uint8_t> bytes(std::min<std::uint64_t>(gap, kStep));
  file_->read(from, bytes.data(), bytes.size());
  lock.lock();
  return bytes;
}

void HashPass::hash(Digest &digest, const std::stop_token &stop) {
  Lock lock(guard_);
  try {
    while (position_ < end_ && !stop.stop_requested()) {
      const std::vector<std::uint8_t> bytes = next(lock);
      if (bytes.empty()) {
        work_.wait(lock, stop, [&] { return ready(); });
        continue;
      }
      position_ += std::min<std::uint64_t>(bytes.size(), end_ - position_);
      lock.unlock();
      digest.update(bytes.data(), bytes.size());
      lock.lock();
    }
    result_ = digest.finish();
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    failed_ = std::current_exception();
    room_.notify_all();
  }
}

std::string HashPass::finish() {
  {
    const std::scoped_lock lock(guard_);
    all_seen_ = true;
    work_.notify_one();
  }
  thread_.join();
  if (failed_) std::rethrow_exception(failed_);
  return result_;
}

}  // namespace ferry::verify
