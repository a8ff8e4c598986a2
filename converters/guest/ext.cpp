// SPDX-License-Identifier: Apache-2.0
// ext2, ext3 and ext4: the superblock, group descriptors, inodes, block maps and extents, folders.
//
// Facts: the Linux kernel's Documentation/filesystems/ext4. Folders with hash trees are read block by block: their
// inner nodes look like unused entries, as older readers need it. The journal is not replayed.
#include <algorithm>
#include <map>

#include "converters/guest/file_system.hpp"
#include "converters/guest/path_walk.hpp"

#include "support/byte_reader.hpp"
#include "support/error.hpp"
#include "support/identity.hpp"
#include "support/text.hpp"

namespace ferry::guest {
namespace {

constexpr std::uint32_t kRoot = 2;
constexpr std::uint32_t kCompression = 0x1, kRecover = 0x4, kJournalDevice = 0x8, kMetaGroups = 0x10, k64Bit = 0x80;
constexpr std::uint32_t kHasExtents = 0x80000, kHasInlineData = 0x10000000, kIsEncrypted = 0x800;
constexpr std::uint64_t kLargestFolder = std::uint64_t{64} << 20U;  // bytes
constexpr int kDeepestTree = 8;                                     // of an extent tree: the kernel's limit is 5
constexpr std::size_t kMostTreeBlocks = 4096;

enum class Kind { file, folder, link, other };

struct Inode {
  Kind kind = Kind::other;
  std::uint32_t flags = 0;
  std::uint64_t size = 0;
  Bytes map;  // 60 bytes: block numbers, or the root of the extents, or a short link's target
};

class Ext final : public FileSystem {
 public:
  explicit Ext(SourcePtr volume) : volume_(std::move(volume)) { read_superblock(); }

  [[nodiscard]] SourcePtr open(std::string_view path) const override {
    const auto inode = find_node(*this, path);
    return inode && inode->kind == Kind::file ? content(*inode) : nullptr;
  }

  [[nodiscard]] std::vector<Entry> list(std::string_view path) const override {
    const auto inode = find_node(*this, path);
    std::vector<Entry> out;
    if (!inode || inode->kind != Kind::folder) return out;
    for_each_name(*inode, [&out](const std::string &name, std::uint32_t, std::uint8_t kind) {
      if (name != "." && name != "..") out.push_back({name, kind == 2});
      return out.size() < kMostEntries;
    });
    return out;
  }

  [[nodiscard]] std::string label() const override { return label_; }
  [[nodiscard]] std::string id() const override { return id_; }
  [[nodiscard]] bool dirty() const override { return dirty_; }

  // ---- for find_node() ----

  using Node = Inode;
  [[nodiscard]] Inode root() const { return inode_at(kRoot); }
  [[nodiscard]] static bool is_folder(const Inode &inode) { return inode.kind == Kind::folder; }
  [[nodiscard]] static bool is_link(const Inode &inode) { return inode.kind == Kind::link; }

  [[nodiscard]] std::optional<Inode> child(const Inode &folder, const std::string &wanted) const {
    std::optional<std::uint32_t> out;
    for_each_name(folder, [&](const std::string &name, std::uint32_t inode, std::uint8_t) {
      if (name == wanted) out = inode;
      return !out;
    });
    return out ? std::optional(inode_at(*out)) : std::nullopt;
  }

  [[nodiscard]] std::string target_of(const Inode &link) const {
    constexpr std::uint64_t kLongest = 4096;
    if (link.size > kLongest) malformed("a link's target is too long", std::to_string(link.size) + " bytes");
    if (link.size < link.map.size() && (link.flags & kHasExtents) == 0)
      return {link.map.begin(), link.map.begin() + static_cast<long>(link.size)};
    return read_text(*content(link), kLongest);
  }

 private:
  void read_superblock() {
    constexpr std::size_t kSuperblock = 1024;
    const Bytes bytes = read_exactly(*volume_, kSuperblock, 1024);
    const ByteReader super(bytes, {}, kSuperblock);
    const auto log_size = super.little<std::uint32_t>(24, "block size");
    if (log_size > 6)
      malformed("the file system's blocks have no possible size", "1024 << " + std::to_string(log_size));
    block_ = std::uint64_t{1024} << log_size;
    first_block_ = super.little<std::uint32_t>(20, "first block");
    inodes_ = super.little<std::uint32_t>(0, "number of inodes");
    per_group_ = super.little<std::uint32_t>(40, "inodes per group");
    const bool old = super.little<std::uint32_t>(76, "revision") == 0;
    inode_size_ = old ? std::uint16_t{128} : super.little<std::uint16_t>(88, "size of an inode");
    const auto features = old ? 0 : super.little<std::uint32_t>(96, "features");
    if (per_group_ == 0 || inode_size_ < 128 || inode_size_ > block_)
      malformed("the file system's inodes cannot be right",
                std::to_string(inode_size_) + " bytes each, " + std::to_string(per_group_) + " per group");
    if ((features & (kCompression | kJournalDevice | kMetaGroups)) != 0)
      throw Error(ErrorKind::unsupported, {.message = "the file system has a feature that is not read",
                                           .found = "0x" + text::hex(features, 8)});
    descriptor_ = 32;
    if ((features & k64Bit) != 0) descriptor_ = super.little<std::uint16_t>(254, "size of a group descriptor");
    if (descriptor_ < 32 || descriptor_ > block_)
      malformed("the file system's groups cannot be right", std::to_string(descriptor_) + " bytes each");
    const auto state = super.little<std::uint16_t>(58, "state");
    dirty_ = (state & 1U) == 0 || (state & 2U) != 0 || (features & kRecover) != 0;
    label_ = super.text(120, 16, "label");
    id_ = Uuid{super.guid(104, "UUID")}.text();
  }

  // ---- inodes ----

  [[nodiscard]] Inode inode_at(std::uint32_t number) const {
    if (number == 0 || number > inodes_) malformed("the file system names an inode that it does not have");
    const std::uint64_t group = (number - 1) / per_group_;
    const Bytes bytes = read_exactly(*volume_, (first_block_ + 1) * block_ + group * descriptor_, descriptor_);
    const ByteReader descriptor(bytes, {});
    std::uint64_t table = descriptor.little<std::uint32_t>(8, "inode table");
    if (descriptor_ >= 64) table |= std::uint64_t{descriptor.little<std::uint32_t>(40, "inode table")} << 32U;
    if (table > volume_->size() / block_) malformed("the file system's inodes lie outside of it");
    const std::uint64_t index = (number - 1) % per_group_;
    const Bytes raw = read_exactly(*volume_, table * block_ + index * inode_size_, 128);
    const ByteReader reader(raw, {});
    Inode out;
    const unsigned kind = reader.little<std::uint16_t>(0, "mode") >> 12U;
    out.kind = kind == 8 ? Kind::file : kind == 4 ? Kind::folder : kind == 10 ? Kind::link : Kind::other;
    out.size = reader.little<std::uint32_t>(4, "size");
    if (out.kind == Kind::file) out.size |= std::uint64_t{reader.little<std::uint32_t>(108, "size")} << 32U;
    out.flags = reader.little<std::uint32_t>(32, "flags");
    const auto map = reader.bytes(40, 60, "block map");
    out.map.assign(map.begin(), map.end());
    return out;
  }

  [[nodiscard]] SourcePtr content(const Inode &inode) const {
    if ((inode.flags & kIsEncrypted) != 0) throw Error(ErrorKind::encrypted, {.message = "the file is encrypted"});
    if ((inode.flags & kHasInlineData) != 0) {
      if (inode.size > inode.map.size())
        throw Error(ErrorKind::unsupported, {.message = "the file lies in its inode and is not read"});
      return std::make_shared<MemoryFile>(Bytes(inode.map.begin(), inode.map.begin() + static_cast<long>(inode.size)));
    }
    std::vector<Run> runs;
    if ((inode.flags & kHasExtents) != 0) {
      std::size_t blocks = 0;
      add_extents(inode.map, kDeepestTree, blocks, runs);
    } else {
      add_blocks(inode, runs);
    }
    std::sort(runs.begin(), runs.end(), [](const Run &a, const Run &b) { return a.offset < b.offset; });
    for (std::size_t i = 1; i < runs.size(); ++i) {
      if (runs[i - 1].offset + runs[i - 1].length > runs[i].offset) malformed("a file's extents overlap");
    }
    return std::make_shared<RunFile>(volume_, std::move(runs), inode.size, inode.size);
  }

  void add_run(std::vector<Run> &out, std::uint64_t block, std::uint64_t count, std::uint64_t place) const {
    const std::uint64_t most = volume_->size() / block_;
    if (place > most || count > most - place || out.size() >= kMostRuns)
      malformed("a file lies outside of its volume", "block " + std::to_string(place));
    if (!out.empty() && out.back().offset + out.back().length == block * block_ &&
        *out.back().at + out.back().length == place * block_) {
      out.back().length += count * block_;
      return;
    }
    out.push_back({block * block_, count * block_, place * block_});
  }

  void add_extents(std::span<const std::uint8_t> node, int left, std::size_t &blocks, std::vector<Run> &out) const {
    const ByteReader reader(node, {});
    const auto mark = reader.little<std::uint16_t>(0, "mark of an extent node");
    const auto count = reader.little<std::uint16_t>(2, "number of extents");
    const auto depth = reader.little<std::uint16_t>(6, "depth of an extent node");
    if (mark != 0xf30a || depth > left || left == 0)
      malformed("a file's extents cannot be understood", "mark 0x" + text::hex(mark, 4));
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = 12 + 12 * i;
      const auto block = reader.little<std::uint32_t>(at, "block of an extent");
      if (depth == 0) {
        const auto length = reader.little<std::uint16_t>(at + 4, "length of an extent");
        const std::uint64_t place = reader.little<std::uint32_t>(at + 8, "place of an extent") |
                                    std::uint64_t{reader.little<std::uint16_t>(at + 6, "place of an extent")} << 32U;
        // A longer one is allocated and was never written: zeros.
        if (length <= 32768) add_run(out, block, length, place);
        continue;
      }
      const std::uint64_t place = reader.little<std::uint32_t>(at + 4, "place of a node") |
                                  std::uint64_t{reader.little<std::uint16_t>(at + 8, "place of a node")} << 32U;
      if (place > volume_->size() / block_ || ++blocks > kMostTreeBlocks)
        malformed("a file's extents lie outside, or go in circles");
      const Bytes below = read_exactly(*volume_, place * block_, static_cast<std::size_t>(block_));
      if (ByteReader(below, {}).little<std::uint16_t>(6, "depth of an extent node") != depth - 1)
        malformed("a file's extents have the wrong depth");
      add_extents(below, left - 1, blocks, out);
    }
  }

  // Twelve blocks, then blocks of block numbers, of those, and of those.
  void add_blocks(const Inode &inode, std::vector<Run> &out) const {
    const std::uint64_t count = (inode.size + block_ - 1) / block_;
    constexpr std::uint64_t kMostMapped = std::uint64_t{1} << 20U;
    if (count > kMostMapped)
      throw Error(ErrorKind::unsupported,
                  {.message = "the file is too large for a look", .found = text::human_bytes(inode.size)});
    const ByteReader map(inode.map, {});
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < 12 && next < count; ++i, ++next) {
      if (const auto place = map.little<std::uint32_t>(4 * i, "block"); place != 0) add_run(out, next, 1, place);
    }
    for (unsigned level = 1; level <= 3 && next < count; ++level)
      add_indirect(map.little<std::uint32_t>(44 + 4 * level, "block"), level, next, count, out);
  }

  void add_indirect(std::uint64_t table, unsigned level, std::uint64_t &next, std::uint64_t count,
                    std::vector<Run> &out) const {
    const std::uint64_t per_table = block_ / 4;
    if (table == 0) {  // a hole
      std::uint64_t blocks = 1;
      for (unsigned i = 0; i < level; ++i) blocks *= per_table;
      next += blocks;
      return;
    }
    if (table > volume_->size() / block_) malformed("a file's block map lies outside of its volume");
    const Bytes bytes = read_exactly(*volume_, table * block_, static_cast<std::size_t>(block_));
    const ByteReader reader(bytes, {});
    for (std::size_t i = 0; i < per_table && next < count; ++i) {
      const auto place = reader.little<std::uint32_t>(4 * i, "block");
      if (level > 1) {
        add_indirect(place, level - 1, next, count, out);
      } else {
        if (place != 0) add_run(out, next, 1, place);
        ++next;
      }
    }
  }

  // ---- folders ----

  // Until `visit(name, inode, kind)` says no.
  template <class Visit>
  void for_each_name(const Inode &folder, const Visit &visit) const {
    if (folder.size > kLargestFolder || (folder.flags & kHasInlineData) != 0)
      throw Error(ErrorKind::unsupported, {.message = "a folder is of a kind that is not read"});
    const SourcePtr file = content(folder);
    for (std::uint64_t at = 0; at + block_ <= file->size(); at += block_) {
      const Bytes bytes = read_exactly(*file, at, static_cast<std::size_t>(block_));
      const ByteReader reader(bytes, {});
      for (std::size_t entry = 0; entry + 8 <= bytes.size();) {
        const auto inode = reader.little<std::uint32_t>(entry, "inode of a name");
        std::size_t length = reader.little<std::uint16_t>(entry + 4, "length of an entry");
        if (length == 0 && block_ == 65536) length = 65536;
        const auto name_length = reader.little<std::uint8_t>(entry + 6, "length of a name");
        if (length < 8 || length > bytes.size() - entry || name_length > length - 8)
          malformed("a folder's entry has no possible length", std::to_string(length));
        if (inode != 0 && name_length != 0) {
          const auto name = reader.bytes(entry + 8, name_length, "name");
          if (!visit(std::string(name.begin(), name.end()), inode, reader.little<std::uint8_t>(entry + 7, "kind")))
            return;
        }
        entry += length;
      }
    }
  }

  SourcePtr volume_;
  std::uint64_t block_ = 0;  // bytes
  std::uint64_t first_block_ = 0;
  std::uint32_t inodes_ = 0, per_group_ = 0;
  std::uint16_t inode_size_ = 0, descriptor_ = 0;  // bytes
  bool dirty_ = false;
  std::string label_, id_;
};

}  // namespace

std::unique_ptr<FileSystem> open_ext(SourcePtr volume) { return std::make_unique<Ext>(std::move(volume)); }

}  // namespace ferry::guest
