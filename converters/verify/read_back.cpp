// SPDX-License-Identifier: Apache-2.0
#include "converters/verify/read_back.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <vector>

#include "converters/copy/parallel.hpp"
#include "converters/copy/piece_reader.hpp"
#include "converters/copy/unit_map.hpp"

#include "support/digest.hpp"
#include "support/error.hpp"

namespace ferry::verify {

namespace {

constexpr std::uint32_t kWindow = 1U << 20U;  // bytes read and compared at a time
// Where the source has nothing but zeros, this much is asked for at once; a server answers with a hole.
constexpr std::uint64_t kZeroWindow = NbdClient::kLargestRead;

bool all_zero(const std::uint8_t *bytes, std::uint64_t length) {
  return length == 0 || (bytes[0] == 0 && std::memcmp(bytes, bytes + 1, length - 1) == 0);
}

[[noreturn]] void differs(const Request &request, std::uint64_t offset) {
  throw Error(ErrorKind::verify, {.where = {.file = request.target, .path = "guest offset " + std::to_string(offset)},
                                  .message = request.snapshot ? "what QEMU reads of snapshot '" + *request.snapshot +
                                                                    "' differs from the source"
                                                              : "what QEMU reads differs from the source",
                                  .advice = "Keep the source, and report this as a bug in virt-ferry."});
}

// The digest over windows that threads finish in any order: each waits for its turn.
class OrderedDigest {
 public:
  // Calls `feed` with the digest when everything before `begin` is in it.
  template <class Feed>
  void add(std::uint64_t begin, std::uint64_t end, const Feed &feed) {
    std::unique_lock lock(guard_);
    turn_.wait(lock, [&] { return next_ == begin || broken_; });
    if (broken_) return;
    feed(digest_);
    next_ = end;
    turn_.notify_all();
  }
  // A window failed: nobody need wait for it.
  void abandon() {
    const std::lock_guard lock(guard_);
    broken_ = true;
    turn_.notify_all();
  }
  [[nodiscard]] std::string finish() { return digest_.finish(); }

 private:
  std::mutex guard_;
  std::condition_variable turn_;
  std::uint64_t next_ = 0;
  bool broken_ = false;
  Digest digest_{"sha256"};
};

// One thread's part: reads windows on both sides.
class Comparer {
 public:
  Comparer(const Request &request, Connections &server, const copy::Sources &sources, OrderedDigest *digest)
      : request_(request),
        client_(server.next()),
        map_(sources.states(), kWindow),
        reader_(sources),
        digest_(digest),
        source_(kWindow),
        target_(digest != nullptr ? kWindow : 0) {}

  void run(std::uint64_t begin, std::uint64_t end) {
    try {
      while (begin < end) {
        copy::throw_if_stopped(request_.stop);
        const std::uint64_t next = std::min(end, begin + kWindow);
        compare(begin, next);
        if (request_.progress != nullptr) request_.progress->advance(next - begin);
        begin = next;
      }
    } catch (...) {
      if (digest_ != nullptr) digest_->abandon();
      throw;
    }
  }

  // A window in which the source is known to be zero, of any size.
  void run_zero(std::uint64_t begin, std::uint64_t end) {
    client_->read(begin, static_cast<std::uint32_t>(end - begin),
                  [&](std::uint64_t at, const std::uint8_t *data, std::uint64_t length) {
                    if (data != nullptr && !all_zero(data, length)) differs(request_, at);
                  });
    if (request_.progress != nullptr) request_.progress->advance(end - begin);
  }

 private:
  void compare(std::uint64_t begin, std::uint64_t end) {
    const bool source_zero = !load_source(begin, end);
    bool target_zero = true;
    client_->read(begin, static_cast<std::uint32_t>(end - begin),
                  [&](std::uint64_t at, const std::uint8_t *data, std::uint64_t length) {
                    const std::uint64_t from = at - begin;
                    if (request_.expected != nullptr) check(at, source_.data() + from, data, length, source_zero);
                    if (digest_ == nullptr) return;
                    if (data != nullptr) {
                      if (target_zero) std::ranges::fill(target_, std::uint8_t{0});
                      std::memcpy(target_.data() + from, data, length);
                      target_zero = false;
                    } else if (!target_zero) {
                      std::memset(target_.data() + from, 0, length);
                    }
                  });
    if (digest_ == nullptr) return;
    if (target_zero) std::ranges::fill(target_, std::uint8_t{0});
    digest_->add(begin, end, [&](Digest &digest) { digest.update(target_.data(), end - begin); });
  }

  void check(std::uint64_t at, const std::uint8_t *source, const std::uint8_t *data, std::uint64_t length,
             bool source_zero) const {
    const bool equal = data == nullptr ? source_zero || all_zero(source, length)
                       : source_zero   ? all_zero(data, length)
                                       : std::memcmp(source, data, length) == 0;
    if (equal) return;
    static constexpr std::uint8_t kNothing = 0;
    for (std::uint64_t i = 0; i < length; ++i) {
      const std::uint8_t a = source_zero ? kNothing : source[i], b = data == nullptr ? kNothing : data[i];
      if (a != b) differs(request_, at + i);
    }
  }

  // False when the source reads as zeros there; source_ is not filled then.
  bool load_source(std::uint64_t begin, std::uint64_t end) {
    if (request_.expected == nullptr) return false;
    map_.load(begin, end);
    if (map_.contents().empty()) return false;
    reader_.add(map_.parts(map_.contents().front()), source_.data(), kWindow);
    reader_.read();
    return true;
  }

  const Request &request_;
  std::unique_ptr<NbdClient> client_;
  copy::UnitMap map_;
  copy::PieceReader reader_;
  OrderedDigest *digest_;
  std::vector<std::uint8_t> source_, target_;
};

}  // namespace

std::size_t Connections::wanted(unsigned threads) { return copy::thread_count(threads) + 2; }

std::unique_ptr<NbdClient> Connections::next() {
  const std::lock_guard lock(guard_);
  if (sockets_.empty())
    throw Error(ErrorKind::internal, {.message = "there are too few connections to read back over"});
  file::Descriptor socket = std::move(sockets_.back());
  sockets_.pop_back();
  return std::make_unique<NbdClient>(std::move(socket));
}

std::string read_back(const Request &request, Connections &server) {
  const std::uint64_t target_size = server.next()->size();
  const bool fits = target_size >= request.virtual_size && target_size - request.virtual_size < 512;
  if (!fits && !(request.size_may_differ && target_size >= request.virtual_size)) {
    throw Error(ErrorKind::verify, {.where = {.file = request.target},
                                    .message = "the written image has another size than the source",
                                    .found = std::to_string(target_size) + " bytes",
                                    .expected = std::to_string(request.virtual_size) + " bytes"});
  }
  copy::Sources sources;
  if (request.expected != nullptr) sources = copy::Sources(std::array{request.expected});
  OrderedDigest digest;
  OrderedDigest *wanted = request.digest ? &digest : nullptr;
  // With a digest every thread goes window by window, so that none is far ahead and waits.
  const std::uint64_t step = request.digest ? kWindow : kZeroWindow;
  copy::for_each_window(
      copy::thread_count(request.threads), request.virtual_size, step, request.stop, [&]() -> copy::WindowWork {
        auto comparer = std::make_shared<Comparer>(request, server, sources, wanted);
        auto zeros = std::make_shared<copy::UnitMap>(sources.states(), static_cast<std::uint32_t>(kZeroWindow));
        return [&, comparer, zeros](std::uint64_t begin, std::uint64_t end) {
          if (!request.digest && request.expected != nullptr) {
            zeros->load(begin, end);
            if (zeros->contents().empty()) return comparer->run_zero(begin, end);
          }
          comparer->run(begin, end);
        };
      });
  if (fits && target_size > request.virtual_size) {
    const std::uint64_t begin = request.virtual_size / 512 * 512;
    server.next()->read(begin, static_cast<std::uint32_t>(target_size - begin),
                        [&](std::uint64_t at, const std::uint8_t *data, std::uint64_t length) {
                          for (std::uint64_t i = 0; data != nullptr && i < length; ++i) {
                            if (at + i >= request.virtual_size && data[i] != 0) differs(request, at + i);
                          }
                        });
  }
  return request.digest ? digest.finish() : std::string();
}

}  // namespace ferry::verify
