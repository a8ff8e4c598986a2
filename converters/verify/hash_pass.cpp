// SPDX-License-Identifier: Apache-2.0
#include "converters/verify/hash_pass.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "converters/verify/digest.hpp"
#include "model/error.hpp"

namespace ferry::verify {

namespace {

constexpr std::size_t step = 256U << 10U;  // bytes: stays in the core's cache between reading and hashing

std::string hash(Digest digest, int fd, std::uint64_t offset, std::uint64_t length, const std::stop_token &stop) {
  std::vector<char> buffer(step);
  while (length > 0 && !stop.stop_requested()) {
    const ssize_t got = pread(fd, buffer.data(), std::min<std::uint64_t>(length, step), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error(ErrorKind::io, {.message = "the source cannot be read for its digest",
                                  .found = std::generic_category().message(errno)});
    }
    if (got == 0) {
      throw Error(ErrorKind::malformed, {.message = "the source ends before what its digest covers",
                                         .found = "end of file at offset " + std::to_string(offset)});
    }
    digest.update(buffer.data(), static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
    length -= static_cast<std::uint64_t>(got);
  }
  return digest.finish();
}

}  // namespace

HashPass::HashPass(std::string_view algorithm, int fd, std::uint64_t offset, std::uint64_t length)
    : thread_([this, digest = Digest(algorithm), fd, offset, length](const std::stop_token &stop) mutable {
        try {
          result_ = hash(std::move(digest), fd, offset, length, stop);
        } catch (...) {
          failed_ = std::current_exception();
        }
      }) {}

std::string HashPass::finish() {
  thread_.join();
  if (failed_) std::rethrow_exception(failed_);
  return result_;
}

}  // namespace ferry::verify
