// SPDX-License-Identifier: Apache-2.0
// An SFTP server on pipes, as ssh would start it, and one that says what a test wants.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

#include "hosts/sftp_packets.hpp"
#include "hosts/ssh_host.hpp"

namespace ferry::test {

// OpenSSH's; empty: there is none here.
[[nodiscard]] std::filesystem::path sftp_server();

// Processes that are ended with the object.
class Servers {
 public:
  Servers() = default;
  ~Servers();
  Servers(const Servers &) = delete;
  Servers &operator=(const Servers &) = delete;
  [[nodiscard]] hosts::Streams start();
  // Ends the last one, as a lost connection does.
  void kill_last();
  [[nodiscard]] std::size_t count() const { return started_.size(); }

 private:
  std::vector<pid_t> started_;
};

// Answers each question with what `say` gives (bytes as they are), from a thread; closes when that is empty.
class FakeServer {
 public:
  using Say = std::function<std::vector<std::uint8_t>(std::span<const std::uint8_t> question)>;
  // The streams of the client.
  FakeServer(hosts::Streams &streams, Say say);
  ~FakeServer();
  FakeServer(const FakeServer &) = delete;
  FakeServer &operator=(const FakeServer &) = delete;

 private:
  file::Descriptor in_, out_;
  Say say_;
  std::thread thread_;
};

// Answers of a sound server.
[[nodiscard]] std::vector<std::uint8_t> version_packet();
[[nodiscard]] std::vector<std::uint8_t> status_packet(std::uint32_t id, std::uint32_t code);
[[nodiscard]] std::vector<std::uint8_t> attributes_packet(std::uint32_t id, std::uint64_t size, std::uint32_t mode);
[[nodiscard]] std::vector<std::uint8_t> names_packet(std::uint32_t id, const std::vector<std::string> &names);
// The type, and the id after it.
[[nodiscard]] sftp::Type type_of(std::span<const std::uint8_t> question);
[[nodiscard]] std::uint32_t id_of(std::span<const std::uint8_t> question);

}  // namespace ferry::test
