// SPDX-License-Identifier: Apache-2.0
// Reads an export of the NBD protocol, holes as holes. The one wrapper of libnbd.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "support/file.hpp"

struct nbd_handle;

namespace ferry::verify {

// One connection, used by one thread.
class NbdClient {
 public:
  // Over a connected socket, asks for the default export. Throws Error io.
  explicit NbdClient(file::Descriptor socket);

  [[nodiscard]] std::uint64_t size() const { return size_; }  // bytes

  // A part of an answer: data, or nullptr for zeros that the server did not send. Parts come in any order.
  using Part = std::function<void(std::uint64_t offset, const std::uint8_t *data, std::uint64_t length)>;
  static constexpr std::uint32_t kLargestRead = 32U << 20U;  // bytes
  static constexpr std::uint32_t kWindow = 1U << 20U;        // bytes that are in memory at a time
  // Reads `length` bytes (at most kLargestRead) and gives them to `part`, whose exceptions are thrown on. Of more than
  // a window the server is asked first where there are data at all. Throws io.
  void read(std::uint64_t offset, std::uint32_t length, const Part &part);

 private:
  struct Extent {
    std::uint64_t length = 0;
    bool zero = false;
  };
  // From `offset`, at least one.
  [[nodiscard]] std::vector<Extent> extents(std::uint64_t offset, std::uint32_t length);
  void read_window(std::uint64_t offset, std::uint32_t length, const Part &part);

  std::unique_ptr<nbd_handle, void (*)(nbd_handle *)> handle_;
  std::uint64_t size_ = 0;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace ferry::verify
