// SPDX-License-Identifier: Apache-2.0
// One SFTP connection over two descriptors. Many threads ask at once and many questions are on their way; whoever waits
// first reads for all.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "hosts/sftp_packets.hpp"
#include "support/file.hpp"

namespace ferry::sftp {

// The connection is of no use any more; `what()` is a clause that says why. Another one may be.
class ConnectionLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// How long the far side may say nothing while something is asked.
struct Patience {
  std::chrono::milliseconds greeting = std::chrono::minutes(10);  // somebody may be typing a password
  std::chrono::milliseconds answer = std::chrono::seconds(60);
};

struct Answer {
  Type type{};
  std::vector<std::uint8_t> packet;
  std::size_t begin = 0;  // where, in the packet, what follows the id begins

  [[nodiscard]] std::span<const std::uint8_t> body() const { return std::span(packet).subspan(begin); }
};

class Connection {
 public:
  // `from`: what the server says, `to`: what it is asked; the greeting is done. Throws ConnectionLost.
  Connection(file::Descriptor from, file::Descriptor to, const Patience &patience = {});

  // Sends a question and gives its id. `type` and the content after the id. Throws ConnectionLost.
  class Question {
   public:
    explicit Question(Type type) : type_(type) {}
    Question &number(std::uint32_t value);
    Question &long_number(std::uint64_t value);
    Question &string(std::string_view value);

   private:
    friend class Connection;
    Type type_;
    struct Part {
      enum class Kind { number, long_number, string } kind;
      std::uint64_t value = 0;
      std::string text;
    };
    std::vector<Part> parts_;
  };
  [[nodiscard]] std::uint32_t send(const Question &question);
  // The answer to that question; once. Throws ConnectionLost, also where it is no packet of this protocol.
  [[nodiscard]] Answer wait(std::uint32_t id);
  [[nodiscard]] Answer ask(const Question &question) { return wait(send(question)); }
  // Nobody waits for that one any more; never throws.
  void forget(std::uint32_t id) noexcept;

  // Bytes of a read that the server gives at once.
  [[nodiscard]] std::uint32_t read_size() const { return read_size_; }

 private:
  void greet();
  void ask_for_limits();
  [[noreturn]] void lose(const std::string &why);
  void write_all(const std::vector<std::uint8_t> &bytes);
  void read_exactly(std::uint8_t *into, std::size_t length, std::chrono::milliseconds patience);
  [[nodiscard]] std::vector<std::uint8_t> read_packet(std::chrono::milliseconds patience);
  [[nodiscard]] Answer read_answer(std::uint32_t &id);

  file::Descriptor from_, to_;
  Patience patience_;
  std::uint32_t read_size_ = kPlainRead;
  std::mutex sending_;
  std::mutex guard_;  // of all below
  std::condition_variable changed_;
  std::uint32_t next_ = 1;
  std::set<std::uint32_t> asked_;            // and not answered
  std::set<std::uint32_t> forgotten_;        // of those, whose answer nobody wants
  std::map<std::uint32_t, Answer> answers_;  // that nobody took yet
  bool reading_ = false;                     // somebody does
  std::string lost_;                         // why; empty: it is not
};

}  // namespace ferry::sftp
