// SPDX-License-Identifier: Apache-2.0
// A file of another host, read in blocks of which many are on their way at once. Private to hosts/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "hosts/ssh_link.hpp"

namespace ferry::hosts {

// What the server calls that path.
[[nodiscard]] std::string name_there(const std::filesystem::path &path);

// Blocks that were asked for, of all files of a host: so many that they fit into its memory, the oldest go first.
class BlockCache {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void let_go(std::uint64_t block) = 0;
  };
  explicit BlockCache(std::size_t memory) : memory_(memory) {}
  // Another one of `size` bytes; others may have to go. The owner's lock must not be held.
  void add(const std::weak_ptr<Owner> &owner, std::uint64_t block, std::size_t size);

 private:
  struct Kept {
    std::weak_ptr<Owner> owner;
    std::uint64_t block;
    std::size_t size;
  };
  std::size_t memory_;
  std::mutex guard_;
  std::size_t used_ = 0;
  std::list<Kept> kept_;
};

// `status` is what was found of it. Throws as on_host::Host::open().
[[nodiscard]] std::shared_ptr<const on_host::File> open_remote_file(std::shared_ptr<SshLink> link,
                                                                    std::shared_ptr<BlockCache> blocks,
                                                                    const std::filesystem::path &path,
                                                                    const file::Status &status);

}  // namespace ferry::hosts
