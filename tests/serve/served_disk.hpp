// SPDX-License-Identifier: Apache-2.0
// Disks that are served, and clients' ends of connections to them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "converters/serve/clients.hpp"
#include "tests/kit/disk_images.hpp"
#include "tests/kit/folder.hpp"

namespace ferry::test {

// Two differencing VDIs over each other: data, zeros over data, holes, a last block that is cut off.
class ServedChain {
 public:
  static constexpr std::uint64_t kBlock = 65536;

  ServedChain() {
    base_ = {.size = 9 * kBlock + 1536,
             .block_size = kBlock,
             .blocks = {Block::data, Block::absent, Block::data, Block::data, Block::zero, Block::absent, Block::data,
                        Block::absent, Block::absent, Block::data},
             .tag = 1,
             .order = {}};
    top_ = base_;
    top_.tag = 2;
    top_.blocks = {Block::absent, Block::data, Block::zero,   Block::absent, Block::absent,
                   Block::absent, Block::data, Block::absent, Block::absent, Block::absent};
    const Identity first{.id = uuid_of(1), .modification = uuid_of(2)};
    const Identity second{
        .id = uuid_of(3), .modification = uuid_of(4), .parent = uuid_of(1), .parent_modification = uuid_of(2)};
    write_file(folder_.path() / "base.vdi", make_vdi(base_, first));
    write_file(folder_.path() / "top.vdi", make_vdi(top_, second));
    chain = std::make_shared<const image::Chain>(
        image::open_chain(medium({folder_.path() / "base.vdi", folder_.path() / "top.vdi"}), {}));
  }

  [[nodiscard]] Bytes content() const { return expected_content({base_, top_}); }
  [[nodiscard]] const std::filesystem::path &folder() const { return folder_.path(); }

  std::shared_ptr<const image::Chain> chain;

 private:
  TempFolder folder_;
  Layer base_, top_;
};

// A connection to `clients`.
inline file::Descriptor connected(serve::Clients &clients) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw std::runtime_error("socketpair");
  file::Descriptor ours(ends[0]);
  if (!clients.take(file::Descriptor(ends[1]))) throw std::runtime_error("the client was not taken");
  return ours;
}

}  // namespace ferry::test
