// SPDX-License-Identifier: Apache-2.0
// A client of the NBD protocol, as far as reading an export back needs it: fixed newstyle negotiation, structured
// replies (which carry holes as holes), reads. Facts from the published protocol, doc/proto.md of the NBD project.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

namespace ferry::verify {

// One connection, used by one thread.
class NbdClient {
 public:
  // Connects to the unix socket and asks for the default export. Throws Error subprocess when the server does not
  // keep to the protocol, io when the connection breaks, missing when nobody listens (yet).
  explicit NbdClient(const std::filesystem::path &socket);
  ~NbdClient();
  NbdClient(const NbdClient &) = delete;
  NbdClient &operator=(const NbdClient &) = delete;

  [[nodiscard]] std::uint64_t size() const { return size_; }  // bytes

  // A part of an answer: data, or nullptr for zeros that the server did not send. Parts come in any order.
  using Part = std::function<void(std::uint64_t offset, const std::uint8_t *data, std::uint64_t length)>;
  static constexpr std::uint32_t kLargestRead = 32U << 20U;   // bytes; what servers must accept
  static constexpr std::uint64_t kLargestPart = 256U << 10U;  // bytes; data come in pieces of this
  // Reads `length` bytes (at most largest_read) and gives them to `part`. Throws io or subprocess.
  void read(std::uint64_t offset, std::uint32_t length, const Part &part);

 private:
  void send(const std::vector<std::uint8_t> &bytes) const;
  void receive(void *into, std::size_t length) const;
  template <class Integer>
  Integer receive_integer();
  void negotiate();
  void send_option(std::uint32_t option, const std::vector<std::uint8_t> &data);
  struct Reply {
    std::uint32_t type = 0;
    std::vector<std::uint8_t> data;
  };
  Reply receive_reply(std::uint32_t option);
  [[nodiscard]] bool receive_chunk(std::uint64_t begin, std::uint64_t end, std::uint64_t &covered, const Part &part);
  void drop_connection();

  std::filesystem::path socket_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t handle_ = 0;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace ferry::verify
