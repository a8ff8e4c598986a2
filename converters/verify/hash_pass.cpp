// SPDX-License-Identifier: Apache-2.0
#include "converters/verify/hash_pass.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "support/digest.hpp"
#include "support/error.hpp"

namespace ferry::verify {

namespace {

constexpr std::size_t kStep = 256U << 10U;  // bytes: stays in the core's cache between reading and hashing

std::string hash(Digest &digest, int fd, std::uint64_t offset, std::uint64_t length, const std::stop_token &stop) {
  std::vector<char> buffer(kStep);
  while (length > 0 && !stop.stop_requested()) {
    const ssize_t got = pread(fd, buffer.data(), std::min<std::uint64_t>(length, kStep), static_cast<off_t>(offset));
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

HashPass::HashPass(std::string_view algorithm, image::SourceFile::Descriptor source, std::uint64_t offset,
                   std::uint64_t length)
    : source_(std::move(source)) {
  start(algorithm, source_.fd, offset, length);
}

HashPass::HashPass(std::string_view algorithm, const FileRange &range)
    : own_fd_(open(range.file.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat status {};
  if (own_fd_ < 0 || fstat(own_fd_, &status) != 0) {
    const int error = errno;
    if (own_fd_ >= 0) close(own_fd_);
    throw Error(ErrorKind::io, {.where = {.file = range.file},
                                .message = "the source cannot be read for its digest",
                                .found = std::generic_category().message(error)});
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  start(algorithm, own_fd_, range.offset, range.length.value_or(size - std::min(size, range.offset)));
}

HashPass::~HashPass() {
  thread_ = {};  // stops and joins; it uses what goes next
  if (own_fd_ >= 0) close(own_fd_);
}

void HashPass::start(std::string_view algorithm, int fd, std::uint64_t offset, std::uint64_t length) {
  // Here, not in the thread: an unknown algorithm is the caller's to hear of.
  auto digest = std::make_shared<Digest>(algorithm);
  thread_ = std::jthread([this, digest, fd, offset, length](const std::stop_token &stop) {
    try {
      result_ = hash(*digest, fd, offset, length, stop);
    } catch (...) {
      failed_ = std::current_exception();
    }
  });
}

std::string HashPass::finish() {
  thread_.join();
  if (failed_) std::rethrow_exception(failed_);
  return result_;
}

}  // namespace ferry::verify
