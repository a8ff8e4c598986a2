// SPDX-License-Identifier: Apache-2.0
#include "converters/copy/sources.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <utility>

#include "support/error.hpp"

namespace ferry::copy {

Sources::Sources(std::span<const image::Chain *const> chains) {
  for (const image::Chain *chain : chains) {
    State state{.chain = chain, .files = {}};
    for (const auto &file : chain->files()) state.files.push_back(add(file));
    states_.push_back(std::move(state));
  }
}

std::uint32_t Sources::add(const std::shared_ptr<const image::SourceFile> &file) {
  const auto next = static_cast<std::uint32_t>(files_.size());
  const auto [known, fresh] = by_object_.try_emplace(file.get(), next);
  if (!fresh) return known->second;
  if (const auto identity = file->identity()) known->second = by_identity_.try_emplace(*identity, next).first->second;
  if (known->second != next) return known->second;
  const image::SourceFile::Descriptor descriptor = file->descriptor();
  File &out = files_.emplace_back();
  out.file = file;
  if (descriptor.fd < 0) return next;
  out.base = descriptor.base;
  struct stat status {};
  if (fstat(descriptor.fd, &status) != 0) {
    throw Error(ErrorKind::io, {.where = {.file = file->path()},
                                .message = "the source cannot be examined",
                                .found = std::generic_category().message(errno)});
  }
  // st_blocks counts 512 bytes whatever the file system's block is.
  out.occupied = static_cast<std::uint64_t>(status.st_blocks) * 512;
  out.sparse = S_ISREG(status.st_mode) && out.occupied < static_cast<std::uint64_t>(status.st_size);
  return next;
}

void Sources::read(std::uint32_t number, std::uint64_t offset, std::uint8_t *into, std::size_t length) const {
  const File &file = files_[number];
  file.file->read(offset, into, length);
  if (file.listener != nullptr) file.listener->saw(offset, into, length);
}

bool Sources::in_order() const {
  return std::ranges::any_of(files_, [](const File &file) { return file.listener != nullptr || !file.base; });
}

std::uint64_t Sources::longest() const {
  std::uint64_t size = 0;
  for (const State &state : states_) size = std::max(size, state.chain->virtual_size());
  return size;
}

std::uint64_t Sources::physical_bytes() const {
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;  // two disks in one package occupy it once
  std::uint64_t sum = 0;
  for (const File &file : files_) {
    const auto identity = file.file->identity();
    if (!identity || !file.base) {
      sum += file.file->size();
    } else if (seen.insert({identity->device, identity->inode}).second) {
      sum += file.occupied;
    }
  }
  return sum;
}

}  // namespace ferry::copy
