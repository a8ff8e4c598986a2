// SPDX-License-Identifier: Apache-2.0
#include "hosts/remote_file.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <optional>
#include <vector>

#include "hosts/zero_map.hpp"
#include "support/text.hpp"

namespace ferry::hosts {
namespace {

namespace fs = std::filesystem;
using sftp::Connection;
using Question = sftp::Connection::Question;

constexpr std::uint64_t kPage = 4096;  // bytes: blocks begin where the pages of a disk do
constexpr std::uint64_t kWorthAsking = 16UL
                                       << 20U;  // bytes that are still to be read: a program there has to be started
constexpr std::uint64_t kFirstAhead = 2;        // blocks; twice as many each time that reading went on where it was

std::string refused_with(const sftp::Answer &answer) {
  if (answer.type != sftp::Type::status) throw sftp::BadPacket("an answer of another kind than was asked for");
  sftp::PacketReader said(answer.body());
  const std::uint32_t code = said.number();
  const std::string text = said.at_end() ? std::string() : text::excerpt(said.text(sftp::kMostPacket), 200);
  return text.empty() ? "status " + std::to_string(code) : text + " (status " + std::to_string(code) + ")";
}

[[noreturn]] void cannot_be_read(const fs::path &file, const std::string &why) {
  throw Error(ErrorKind::io, {.where = {.file = file},
                              .message = "the file cannot be read: the other host refuses it",
                              .found = why,
                              .advice = "Check its permissions there, for the user that you connect as."});
}

[[noreturn]] void became_another(const fs::path &file) {
  throw Error(ErrorKind::malformed, {.where = {.file = file},
                                     .message = "the file was changed or replaced while it was read",
                                     .found = "another size or time",
                                     .expected = "the file as it was at the start",
                                     .advice = "Make sure that nothing changes the source, and try again."});
}

bool is_zero(const std::uint8_t *bytes, std::size_t length) {
  return length == 0 || (bytes[0] == 0 && std::memcmp(bytes, bytes + 1, length - 1) == 0);
}

// A part of a file that was asked for.
class Block {
 public:
  Block(std::shared_ptr<Connection> connection, std::string handle, std::uint64_t offset, std::uint32_t length)
      : connection_(std::move(connection)), handle_(std::move(handle)), offset_(offset), length_(length) {
    id_ = connection_->send(Question(sftp::Type::read).string(handle_).long_number(offset_).number(length_));
  }
  ~Block() {
    if (!taken_) connection_->forget(id_);
  }
  Block(const Block &) = delete;
  Block &operator=(const Block &) = delete;

  // Copies `count` bytes from `from` in it. Waits until it is there.
  void copy(std::size_t from, std::uint8_t *into, std::size_t count, const fs::path &file) {
    const std::lock_guard lock(guard_);
    if (!taken_) {
      taken_ = true;  // its answer, whatever comes
      try {
        take(file);
      } catch (...) {
        failed_ = std::current_exception();
      }
    }
    if (failed_) std::rethrow_exception(failed_);
    while (count > 0) {
      const auto &[at, answer] = *std::prev(parts_.upper_bound(from));
      const auto bytes = std::span(answer.packet).subspan(answer.begin + 4);  // after its length
      const std::size_t now = std::min(count, bytes.size() - (from - at));
      std::memcpy(into, bytes.data() + (from - at), now);
      from += now;
      into += now;
      count -= now;
    }
  }
  [[nodiscard]] bool is_of(const std::shared_ptr<Connection> &connection) const { return connection_ == connection; }

 private:
  void take(const fs::path &file) {
    std::map<std::size_t, sftp::Answer> parts;
    std::uint32_t have = 0;
    sftp::Answer answer = connection_->wait(id_);
    for (;;) {
      if (answer.type == sftp::Type::status) {
        if (sftp::PacketReader(answer.body()).number() == static_cast<std::uint32_t>(sftp::Code::end))
          became_another(file);
        cannot_be_read(file, refused_with(answer));
      }
      if (answer.type != sftp::Type::data) throw sftp::BadPacket("an answer of another kind than was asked for");
      const std::size_t got = sftp::PacketReader(answer.body()).string(length_ - have).size();
      if (got == 0) throw sftp::BadPacket("a part of a file with nothing in it");
      parts.emplace(have, std::move(answer));
      have += static_cast<std::uint32_t>(got);
      if (have == length_) break;
      // A server may give less than it was asked for.
      answer = connection_->ask(
          Question(sftp::Type::read).string(handle_).long_number(offset_ + have).number(length_ - have));
    }
    parts_ = std::move(parts);
  }

  std::shared_ptr<Connection> connection_;
  std::string handle_;
  std::uint64_t offset_;
  std::uint32_t length_;
  std::uint32_t id_ = 0;
  std::mutex guard_;
  bool taken_ = false;
  std::exception_ptr failed_;
  std::map<std::size_t, sftp::Answer> parts_;  // by where they begin in it
};

class RemoteFile final : public on_host::File, public BlockCache::Owner {
 public:
  RemoteFile(std::shared_ptr<SshLink> link, std::shared_ptr<BlockCache> cache, fs::path path,
             const file::Status &status)
      : link_(std::move(link)), cache_(std::move(cache)), path_(std::move(path)), status_(status) {}
  ~RemoteFile() override {
    if (!opened_by_) return;
    try {
      opened_by_->forget(opened_by_->send(Question(sftp::Type::close).string(handle_)));
    } catch (...) {  // the connection is gone, and the handle with it
    }
  }
  RemoteFile(const RemoteFile &) = delete;
  RemoteFile &operator=(const RemoteFile &) = delete;

  void begin(const std::weak_ptr<Owner> &self) {
    self_ = self;
    link_->with(path_, [&](const auto &connection) {
      const std::lock_guard lock(guard_);
      reopen(connection);
      return true;
    });
  }

  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    if (offset > status_.size || length > status_.size - offset) {
      throw Error(ErrorKind::malformed,
                  {.where = {.file = path_},
                   .message = "the file ends before the end of its data",
                   .found = std::to_string(status_.size) + " bytes",
                   .expected = std::to_string(length) + " bytes from offset " + std::to_string(offset)});
    }
    if (length == 0) return;
    const auto done = link_->with(path_, [&](const auto &connection) {
      read_by(connection, offset, static_cast<std::uint8_t *>(into), length);
      return true;
    });
    if (!done) became_another(path_);  // it was opened, so this host may be spoken with
  }
  [[nodiscard]] const file::Status &status() const override { return status_; }

  void let_go(std::uint64_t block) override {
    std::shared_ptr<Block> gone;  // ends without the lock
    const std::lock_guard lock(guard_);
    if (const auto found = blocks_.find(block); found != blocks_.end()) {
      gone = std::move(found->second);
      blocks_.erase(found);
    }
  }

 private:
  using Wanted = std::vector<std::shared_ptr<Block>>;  // nullptr: zeros

  // guard_ is held.
  void reopen(const std::shared_ptr<Connection> &connection) const {
    if (opened_by_ == connection) return;
    blocks_.clear();
    opened_by_.reset();
    constexpr std::uint32_t kRead = 1;  // SSH_FXF_READ
    const sftp::Answer answer =
        connection->ask(Question(sftp::Type::open).string(name_there(path_)).number(kRead).number(0));
    if (answer.type != sftp::Type::handle) cannot_be_read(path_, refused_with(answer));
    handle_ = sftp::PacketReader(answer.body()).text(sftp::kMostHandle);
    const sftp::Answer looked = connection->ask(Question(sftp::Type::fstat).string(handle_));
    if (looked.type != sftp::Type::attributes) cannot_be_read(path_, refused_with(looked));
    sftp::PacketReader said(looked.body());
    const sftp::Attributes now = sftp::read_attributes(said);
    const std::int64_t modified = std::int64_t{now.modified.value_or(0)} * 1'000'000'000;
    if (now.size.value_or(0) != status_.size || modified != status_.modified) became_another(path_);
    opened_by_ = connection;
    block_size_ = connection->read_size() / kPage * kPage;
  }

  // guard_ is held. True when it is a new one.
  bool ask_for(const std::shared_ptr<Connection> &connection, std::uint64_t number, std::shared_ptr<Block> *out) const {
    auto &block = blocks_[number];
    const bool fresh = !block;
    if (fresh) {
      const std::uint64_t offset = number * block_size_;
      block = std::make_shared<Block>(
          connection, handle_, offset,
          static_cast<std::uint32_t>(std::min<std::uint64_t>(block_size_, status_.size - offset)));
    }
    if (out != nullptr) *out = block;
    return fresh;
  }

  // guard_ is held. The first block after `number` that is not known to be zeros; `number` itself when that is not.
  [[nodiscard]] std::uint64_t after_zeros(std::uint64_t number) const {
    if (!zeros_) return number;
    const std::uint64_t until = zeros_->zeros_until(number * block_size_);
    return until == status_.size ? (until - 1) / block_size_ + 1 : std::max(number, until / block_size_);
  }

  // That was read, one part after the other, and is zeros: there may be more of them.
  void ask_for_zeros(std::uint64_t offset) const {
    if (status_.size - offset < kWorthAsking) return;
    {
      const std::lock_guard lock(guard_);
      if (std::exchange(asked_for_zeros_, true)) return;
    }
    file::Descriptor said = link_->zeros_of(path_);
    const std::lock_guard lock(guard_);
    if (said) zeros_.emplace(std::move(said), status_.size);
  }

  void read_by(const std::shared_ptr<Connection> &connection, std::uint64_t offset, std::uint8_t *into,
               std::size_t length) const {
    Wanted wanted;
    std::vector<std::uint64_t> fresh;
    std::uint64_t first = 0;
    std::uint64_t size = 0;
    bool goes_on = false;
    {
      const std::lock_guard lock(guard_);
      reopen(connection);
      size = block_size_;
      first = offset / size;
      const std::uint64_t last = (offset + length - 1) / size, end = (status_.size - 1) / size + 1;
      if (zeros_) zeros_->update();
      const auto was_read = [this](std::uint64_t number) {
        return blocks_.contains(number) || after_zeros(number) > number;
      };
      goes_on = was_read(first) || (first > 0 && was_read(first - 1));
      for (std::uint64_t number = first; number <= last; ++number) {
        std::shared_ptr<Block> block;
        if (after_zeros(number) == number && ask_for(connection, number, &block)) fresh.push_back(number);
        wanted.push_back(std::move(block));
      }
      const std::uint64_t most = std::max<std::uint64_t>(1, link_->settings().most_ahead / size);
      if (goes_on && !fresh.empty()) ahead_ = std::min(most, ahead_ * 2);
      if (!goes_on) ahead_ = kFirstAhead;
      // Nothing is read ahead of the first look at a place: it may be a header.
      std::uint64_t number = after_zeros(last + 1);
      for (std::uint64_t count = 0; goes_on && count < ahead_ && number < end; ++count) {
        if (ask_for(connection, number, nullptr)) fresh.push_back(number);
        number = after_zeros(number + 1);
      }
    }
    for (const std::uint64_t number : fresh) cache_->add(self_, number, size);
    const bool asked = std::any_of(wanted.begin(), wanted.end(), [](const auto &block) { return block != nullptr; });
    const std::uint64_t from = offset;
    for (std::size_t i = 0; length > 0; ++i) {
      const std::uint64_t inside = offset - (first + i) * size;
      const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(length, size - inside));
      if (wanted[i]) {
        wanted[i]->copy(static_cast<std::size_t>(inside), into, now, path_);
      } else {
        std::memset(into, 0, now);
      }
      into += now;
      offset += now;
      length -= now;
    }
    const auto count = static_cast<std::size_t>(offset - from);
    if (goes_on && asked && count >= kPage && is_zero(into - count, count)) ask_for_zeros(offset);
  }

  std::shared_ptr<SshLink> link_;
  std::shared_ptr<BlockCache> cache_;
  fs::path path_;
  file::Status status_;
  std::weak_ptr<Owner> self_;
  mutable std::mutex guard_;  // of all below
  mutable std::shared_ptr<Connection> opened_by_;
  mutable std::string handle_;
  mutable std::uint64_t block_size_ = 0;  // bytes
  mutable std::uint64_t ahead_ = kFirstAhead;
  mutable std::map<std::uint64_t, std::shared_ptr<Block>> blocks_;
  mutable bool asked_for_zeros_ = false;
  mutable std::optional<ZeroMap> zeros_;
};

}  // namespace

void BlockCache::add(const std::weak_ptr<Owner> &owner, std::uint64_t block, std::size_t size) {
  std::vector<Kept> go;
  {
    const std::lock_guard lock(guard_);
    kept_.push_back({owner, block, size});
    used_ += size;
    while (used_ > memory_ && kept_.size() > 1) {
      used_ -= kept_.front().size;
      go.push_back(std::move(kept_.front()));
      kept_.pop_front();
    }
  }
  for (const Kept &one : go) {
    if (const auto its = one.owner.lock()) its->let_go(one.block);
  }
}

std::shared_ptr<const on_host::File> open_remote_file(std::shared_ptr<SshLink> link, std::shared_ptr<BlockCache> blocks,
                                                      const fs::path &path, const file::Status &status) {
  auto out = std::make_shared<RemoteFile>(std::move(link), std::move(blocks), path, status);
  out->begin(std::weak_ptr<BlockCache::Owner>(out));
  return out;
}

}  // namespace ferry::hosts
