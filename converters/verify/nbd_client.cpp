// SPDX-License-Identifier: Apache-2.0
#include "converters/verify/nbd_client.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <libnbd.h>
#include <string>

#include "support/error.hpp"
#include "support/shared_library.hpp"
#include "support/text.hpp"

namespace ferry::verify {

namespace {

// libnbd is opened when an image is read back through QEMU: a host without it can do everything else.
const SharedLibrary kLibnbd("libnbd.so.0",
                            {ErrorKind::missing, "the image cannot be read back: libnbd cannot be opened",
                             "Install it (Debian: apt install libnbd0), or leave out --verify."});
// NOLINTBEGIN(readability-identifier-naming, cppcoreguidelines-macro-usage): libnbd's names
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // that arguments are not null
#define FERRY_LIBNBD(name) const LibraryFunction<decltype(::name)> name(kLibnbd, #name)
FERRY_LIBNBD(nbd_add_meta_context);
FERRY_LIBNBD(nbd_block_status);
FERRY_LIBNBD(nbd_can_meta_context);
FERRY_LIBNBD(nbd_close);
FERRY_LIBNBD(nbd_connect_socket);
FERRY_LIBNBD(nbd_create);
FERRY_LIBNBD(nbd_get_error);
FERRY_LIBNBD(nbd_get_size);
FERRY_LIBNBD(nbd_pread_structured);
#undef FERRY_LIBNBD
#pragma GCC diagnostic pop
// NOLINTEND(readability-identifier-naming, cppcoreguidelines-macro-usage)

std::string reason() {
  const char *said = nbd_get_error();
  return said == nullptr ? "no message" : text::printable(said);
}

[[noreturn]] void broken(std::uint64_t begin, std::uint64_t end) {
  throw Error(ErrorKind::io,
              {.message = "QEMU cannot read the image back",
               .found = reason() + " between offsets " + std::to_string(begin) + " and " + std::to_string(end)});
}

// What libnbd's callbacks, which are C, are given; what `part` threw is thrown when they are through.
struct Call {
  const NbdClient::Part *part = nullptr;
  std::uint64_t covered = 0;
  std::exception_ptr thrown;
};

int take_chunk(void *user, const void *bytes, std::size_t length, std::uint64_t offset, unsigned status, int *error) {
  auto &call = *static_cast<Call *>(user);
  if (status == LIBNBD_READ_ERROR) return -1;
  try {
    const auto *data = status == LIBNBD_READ_HOLE ? nullptr : static_cast<const std::uint8_t *>(bytes);
    (*call.part)(offset, data, length);
    call.covered += length;
    return 0;
  } catch (...) {
    call.thrown = std::current_exception();
    *error = EIO;
    return -1;
  }
}

}  // namespace

NbdClient::NbdClient(file::Descriptor socket)
    : handle_(nbd_create(), [](nbd_handle *handle) { nbd_close(handle); }), buffer_(kWindow) {
  if (!handle_) throw std::bad_alloc();
  // The handle closes it, also where it cannot be used.
  const bool connected = nbd_add_meta_context(handle_.get(), LIBNBD_CONTEXT_BASE_ALLOCATION) == 0 &&
                         nbd_connect_socket(handle_.get(), socket.release()) == 0;
  const std::int64_t size = connected ? nbd_get_size(handle_.get()) : -1;
  if (size < 0) throw Error(ErrorKind::io, {.message = "qemu-nbd cannot be reached", .found = reason()});
  size_ = static_cast<std::uint64_t>(size);
}

void NbdClient::read(std::uint64_t offset, std::uint32_t length, const Part &part) {
  if (length <= kWindow) return read_window(offset, length, part);
  const std::uint64_t end = offset + length;
  while (offset < end) {
    for (const Extent &extent : extents(offset, static_cast<std::uint32_t>(end - offset))) {
      const std::uint64_t stop = std::min(end, offset + extent.length);
      if (extent.zero) part(offset, nullptr, stop - offset);
      while (!extent.zero && offset < stop) {
        const auto now = static_cast<std::uint32_t>(std::min<std::uint64_t>(kWindow, stop - offset));
        read_window(offset, now, part);
        offset += now;
      }
      offset = stop;
    }
  }
}

std::vector<NbdClient::Extent> NbdClient::extents(std::uint64_t offset, std::uint32_t length) {
  std::vector<Extent> out;
  const auto take = [](void *user, const char * /*context*/, std::uint64_t /*at*/, std::uint32_t *entries,
                       std::size_t count, int * /*error*/) -> int {
    auto &list = *static_cast<std::vector<Extent> *>(user);
    for (std::size_t i = 0; i + 1 < count; i += 2) {
      if (entries[i] != 0) list.push_back({.length = entries[i], .zero = (entries[i + 1] & LIBNBD_STATE_ZERO) != 0});
    }
    return 0;
  };
  const bool asked = nbd_can_meta_context(handle_.get(), LIBNBD_CONTEXT_BASE_ALLOCATION) == 1;
  if (asked &&
      nbd_block_status(handle_.get(), length, offset, {.callback = take, .user_data = &out, .free = nullptr}, 0) != 0)
    broken(offset, offset + length);
  if (out.empty()) out.push_back({.length = length});  // a server that does not say: all of it is read
  return out;
}

void NbdClient::read_window(std::uint64_t offset, std::uint32_t length, const Part &part) {
  Call call{.part = &part, .covered = 0, .thrown = {}};
  const int result = nbd_pread_structured(handle_.get(), buffer_.data(), length, offset,
                                          {.callback = take_chunk, .user_data = &call, .free = nullptr}, 0);
  if (call.thrown) std::rethrow_exception(call.thrown);
  if (result != 0) broken(offset, offset + length);
  if (call.covered != length) {
    throw Error(ErrorKind::subprocess,
                {.message = "qemu-nbd's answer makes no sense", .found = "a read was answered in part"});
  }
}

}  // namespace ferry::verify
