// SPDX-License-Identifier: Apache-2.0
// Requests and their answers.
#include <algorithm>
#include <vector>

#include "converters/serve/disk_view.hpp"
#include "converters/serve/nbd_protocol.hpp"
#include "converters/serve/nbd_server.hpp"

#include "support/error.hpp"

namespace ferry::serve {
namespace {

using namespace nbd;

constexpr std::size_t kMostRuns = 1024;                     // of one answer about what is where
constexpr std::size_t kKeptBuffer = std::size_t{2} << 20U;  // bytes; larger ones go after the read

struct Request {
  std::uint16_t flags = 0;
  Command command{};
  std::uint64_t cookie = 0, offset = 0;
  std::uint32_t length = 0;
};

class Transmission {
 public:
  Transmission(Wire &wire, const Agreed &agreed, Account &account)
      : wire_(wire), agreed_(agreed), account_(account), disk_(agreed.disk->disk) {}

  void run() {
    Request request;
    while (next(request) && request.command != Command::disconnect && answer(request)) {
    }
  }

 private:
  bool next(Request &request) {
    std::uint32_t magic = 0;
    return wire_.read_number(magic) && magic == kRequest && wire_.read_number(request.flags) &&
           wire_.read_number(request.command) && wire_.read_number(request.cookie) &&
           wire_.read_number(request.offset) && wire_.read_number(request.length);
  }

  bool answer(const Request &request) {
    switch (request.command) {
      case Command::read:
        if (request.length > kLargestRead) return fail(request, Failure::overflow, "the read is too long");
        break;
      case Command::block_status:
        if (!agreed_.allocation) return fail(request, Failure::invalid, "no context was agreed on");
        break;
      case Command::write: return pass_over(request.length) && fail(request, Failure::not_permitted, "read-only");
      default: return fail(request, Failure::invalid, "this server has no such command");
    }
    if (request.length == 0 || request.offset > disk_.size() || request.length > disk_.size() - request.offset)
      return fail(request, Failure::invalid, "a range beyond the disk's end, or none");
    try {
      return request.command == Command::read ? read(request) : tell_runs(request);
    } catch (const Error &error) {
      const ErrorDetail &detail = error.detail();
      account_.add_problem(detail.where.file.string() + ": " + detail.message);
      return fail(request, Failure::io, "the source cannot be read");
    }
  }

  // What a client sends with a write.
  bool pass_over(std::uint64_t length) {
    if (length > kLargestWrite) return false;
    std::vector<char> nowhere(std::min<std::uint64_t>(length, 65536));
    for (; length > 0; length -= std::min<std::uint64_t>(length, nowhere.size())) {
      if (!wire_.read(nowhere.data(), std::min<std::uint64_t>(length, nowhere.size()))) return false;
    }
    return true;
  }

  static std::string simple(const Request &request, Failure failure) {
    std::string out;
    append(out, kSimpleReply);
    append(out, failure);
    append(out, request.cookie);
    return out;
  }

  // The head of a structured reply with `length` bytes, and the last one of the request where it is `done`.
  static std::string chunk(const Request &request, Chunk type, std::uint64_t length, bool done) {
    std::string out;
    append(out, kStructuredReply);
    append(out, done ? kDone : std::uint16_t{0});
    append(out, type);
    append(out, request.cookie);
    append(out, static_cast<std::uint32_t>(length));
    return out;
  }

  [[nodiscard]] bool fail(const Request &request, Failure failure, std::string_view message) {
    if (!agreed_.structured) return wire_.write(simple(request, failure));
    std::string out = chunk(request, Chunk::error, 6 + message.size(), true);
    append(out, failure);
    append(out, static_cast<std::uint16_t>(message.size()));
    return wire_.write(out.append(message));
  }

  [[nodiscard]] std::string_view bytes(std::uint64_t begin, std::uint64_t length) const {
    return {reinterpret_cast<const char *>(buffer_.data()) + begin, static_cast<std::size_t>(length)};
  }

  // All is read before anything is sent, so that an error can be said.
  bool read(const Request &request) {
    if (buffer_.size() < request.length) buffer_.resize(request.length);
    const std::vector<Stretch> runs = disk_.read(request.offset, request.length, buffer_.data());
    const bool whole = !agreed_.structured || (request.flags & kDontFragment) != 0;
    const bool sent = whole ? send_whole(request, runs) : send_runs(request, runs);
    account_.add_bytes(request.length);
    if (buffer_.size() > kKeptBuffer) std::vector<std::uint8_t>().swap(buffer_);
    return sent;
  }

  bool send_whole(const Request &request, const std::vector<Stretch> &runs) {
    std::uint64_t at = 0;
    for (const Stretch &run : runs) {
      if (run.zero) std::fill_n(buffer_.begin() + static_cast<std::ptrdiff_t>(at), run.length, std::uint8_t{0});
      at += run.length;
    }
    std::string head = simple(request, Failure::none);
    if (agreed_.structured) {
      head = chunk(request, Chunk::data, request.length + sizeof request.offset, true);
      append(head, request.offset);
    }
    const std::string_view parts[]{head, bytes(0, request.length)};
    return wire_.write(parts);
  }

  bool send_runs(const Request &request, const std::vector<Stretch> &runs) {
    std::vector<std::string> heads;
    heads.reserve(runs.size());  // the views below are of them
    std::vector<std::string_view> parts;
    std::uint64_t at = 0;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const bool done = i + 1 == runs.size();
      const std::uint64_t length = runs[i].zero ? sizeof(std::uint32_t) : runs[i].length;
      std::string &head = heads.emplace_back(
          chunk(request, runs[i].zero ? Chunk::hole : Chunk::data, length + sizeof request.offset, done));
      append(head, request.offset + at);
      if (runs[i].zero) append(head, static_cast<std::uint32_t>(runs[i].length));
      parts.emplace_back(head);
      if (!runs[i].zero) parts.push_back(bytes(at, runs[i].length));
      at += runs[i].length;
    }
    return wire_.write(parts);
  }

  bool tell_runs(const Request &request) {
    const std::size_t most = (request.flags & kOneExtent) != 0 ? 1 : kMostRuns;
    std::string data;
    append(data, kAllocationId);
    for (const Stretch &run : disk_.runs(request.offset, request.length, most)) {
      append(data, static_cast<std::uint32_t>(run.length));
      append(data, run.zero ? kHole | kZero : std::uint32_t{0});
    }
    const std::string head = chunk(request, Chunk::block_status, data.size(), true);
    const std::string_view parts[]{head, data};
    return wire_.write(parts);
  }

  Wire &wire_;
  const Agreed &agreed_;
  Account &account_;
  DiskView disk_;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace

void Account::add_problem(const std::string &what) {
  const std::lock_guard lock(guard_);
  problem_ = what;
}

std::string Account::last_problem() const {
  const std::lock_guard lock(guard_);
  return problem_;
}

void transmit(Wire &wire, const Agreed &agreed, Account &account) { Transmission(wire, agreed, account).run(); }

void serve_client(Wire &wire, std::span<const Export> exports, Account &account) {
  constexpr std::chrono::seconds kHandshake{20};  // of silence
  wire.set_patience(kHandshake);
  const auto agreed = negotiate(wire, exports);
  if (!agreed) return;
  wire.set_patience(std::nullopt);
  transmit(wire, *agreed, account);
}

}  // namespace ferry::serve
