// SPDX-License-Identifier: Apache-2.0
// XFS, versions 4 and 5: the superblock, inodes, extents in lists and in trees, folders in inodes and in blocks.
//
// Facts: "XFS Algorithms & Data Structures" (the kernel's Documentation/filesystems/xfs and xfsprogs' own). Folders are
// read block by block, without their hash trees. The log is not replayed, and nothing in the superblock tells whether
// it is empty: `dirty` is not known.
#include <algorithm>

#include "converters/guest/file_system.hpp"
#include "converters/guest/path_walk.hpp"

#include "support/byte_reader.hpp"
#include "support/error.hpp"
#include "support/identity.hpp"
#include "support/text.hpp"

namespace ferry::guest {
namespace {

constexpr std::uint32_t kHasKinds = 0x1;  // of incompatible features: folders' entries say what they name
// What changes the layout beyond what is read here: all others are known.
constexpr std::uint32_t kKnownFeatures = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x80;
constexpr std::uint64_t kFirstLeaf = std::uint64_t{32} << 30U;  // of a folder, bytes: what is beyond is its index
constexpr std::uint64_t kLargestXfsFolder = std::uint64_t{64} << 20U;  // bytes
constexpr std::size_t kMostXfsTreeBlocks = 4096;
constexpr int kDeepestXfsTree = 8;
constexpr std::uint64_t kUnusedMark = 0xffff;

enum class XfsKind { file, folder, link, other };
enum class XfsFormat { device, local, extents, tree, other };

struct XfsInode {
  std::uint64_t number = 0;
  XfsKind kind = XfsKind::other;
  XfsFormat format = XfsFormat::other;
  std::uint64_t size = 0, extents = 0;
  Bytes fork;  // of the data: the content, a list of extents, or the root of a tree of them
};

class Xfs final : public FileSystem {
 public:
  explicit Xfs(SourcePtr volume) : volume_(std::move(volume)) { read_superblock(); }

  [[nodiscard]] SourcePtr open(std::string_view path) const override {
    const auto inode = find_node(*this, path);
    return inode && inode->kind == XfsKind::file ? content(*inode) : nullptr;
  }

  [[nodiscard]] std::vector<Entry> list(std::string_view path) const override {
    const auto inode = find_node(*this, path);
    std::vector<Entry> out;
    if (!inode || inode->kind != XfsKind::folder) return out;
    for_each_name(*inode, [&](const std::string &name, std::uint64_t number, std::optional<std::uint8_t> kind) {
      if (name == "." || name == "..") return true;
      out.push_back({name, kind ? *kind == 2 : inode_at(number).kind == XfsKind::folder});
      return out.size() < kMostEntries;
    });
    return out;
  }

  [[nodiscard]] std::string label() const override { return label_; }
  [[nodiscard]] std::string id() const override { return id_; }
  [[nodiscard]] bool dirty() const override { return false; }

  // ---- for find_node() ----

  using Node = XfsInode;
  [[nodiscard]] XfsInode root() const { return inode_at(root_); }
  [[nodiscard]] static bool is_folder(const XfsInode &inode) { return inode.kind == XfsKind::folder; }
  [[nodiscard]] static bool is_link(const XfsInode &inode) { return inode.kind == XfsKind::link; }

  [[nodiscard]] std::optional<XfsInode> child(const XfsInode &folder, const std::string &wanted) const {
    std::optional<std::uint64_t> out;
    for_each_name(folder, [&](const std::string &name, std::uint64_t number, std::optional<std::uint8_t>) {
      if (name == wanted) out = number;
      return !out;
    });
    return out ? std::optional(inode_at(*out)) : std::nullopt;
  }

  // In the inode, or in blocks, which have headers of their own in version 5.
  [[nodiscard]] std::string target_of(const XfsInode &link) const {
    constexpr std::uint64_t kLongest = 4096;
    constexpr std::size_t kHeader = 56;  // bytes
    if (link.size > kLongest) malformed("a link's target is too long", std::to_string(link.size) + " bytes");
    if (link.format == XfsFormat::local) return text_of(link.fork, 0, link.size);
    const SourcePtr file = blocks_of(link, version_ == 5 ? link.size + kHeader * 16 : link.size);
    if (version_ != 5) return read_text(*file, static_cast<std::size_t>(link.size));
    std::string out;
    for (std::uint64_t at = 0; out.size() < link.size; at += block_) {
      const Bytes bytes = read_up_to(*file, at, static_cast<std::size_t>(block_));
      const ByteReader reader(bytes, {});
      if (reader.big<std::uint32_t>(0, "mark of a link") != 0x58534c4d) malformed("a link's target has no mark");
      const auto length = reader.big<std::uint32_t>(8, "length of a link");
      if (length == 0 || length > link.size - out.size()) malformed("a link's target has no possible length");
      const auto part = reader.bytes(kHeader, length, "target of a link");
      out.append(part.begin(), part.end());
    }
    return out;
  }

 private:
  static std::string text_of(const Bytes &bytes, std::size_t at, std::uint64_t length) {
    if (at > bytes.size() || length > bytes.size() - at) malformed("a name lies outside of its inode");
    return {bytes.begin() + static_cast<long>(at), bytes.begin() + static_cast<long>(at + length)};
  }

  void read_superblock() {
    const Bytes bytes = read_exactly(*volume_, 0, 512);
    const ByteReader super(bytes, {});
    block_ = super.big<std::uint32_t>(4, "block size");
    root_ = super.big<std::uint64_t>(56, "root");
    group_blocks_ = super.big<std::uint32_t>(84, "size of a group");
    groups_ = super.big<std::uint32_t>(88, "number of groups");
    const auto version = super.big<std::uint16_t>(100, "version");
    inode_size_ = super.big<std::uint16_t>(104, "size of an inode");
    inodes_log_ = super.big<std::uint8_t>(123, "inodes per block");
    group_log_ = super.big<std::uint8_t>(124, "size of a group");
    const auto folder_log = super.big<std::uint8_t>(192, "size of a folder's block");
    version_ = version & 0xfU;
    const bool is_size = block_ >= 512 && block_ <= 65536 && (block_ & (block_ - 1)) == 0;
    const bool inodes = inode_size_ >= 256 && inode_size_ <= 2048 && (inode_size_ & (inode_size_ - 1)) == 0 &&
                        inodes_log_ <= 8 && std::uint64_t{inode_size_} << inodes_log_ == block_;
    if (!is_size || !inodes || folder_log > 8 || block_ << folder_log > 65536)
      malformed("the file system's blocks and inodes have no possible size",
                std::to_string(block_) + " and " + std::to_string(inode_size_) + " bytes");
    if (group_log_ > 31 || group_blocks_ == 0 || group_blocks_ > std::uint64_t{1} << group_log_ || groups_ == 0)
      malformed("the file system's groups cannot be right", std::to_string(group_blocks_) + " blocks each");
    folder_block_ = block_ << folder_log;
    constexpr unsigned kSecondFolders = 0x2000;
    if ((version_ != 4 && version_ != 5) || (version & kSecondFolders) == 0)
      throw Error(ErrorKind::unsupported,
                  {.message = "the file system has a version that is not read", .found = "0x" + text::hex(version, 4)});
    const auto incompatible = version_ == 5 ? super.big<std::uint32_t>(216, "features") : 0;
    if ((incompatible & ~kKnownFeatures) != 0)
      throw Error(ErrorKind::unsupported, {.message = "the file system has a feature that is not read",
                                           .found = "0x" + text::hex(incompatible, 8)});
    constexpr std::uint32_t kKindsOf4 = 0x200;
    kinds_ =
        version_ == 5 ? (incompatible & kHasKinds) != 0 : (super.big<std::uint32_t>(200, "features") & kKindsOf4) != 0;
    label_ = super.text(108, 12, "label");
    Uuid id;
    id.bytes = super.guid(32, "UUID");
    id_ = id.text();
  }

  // Where a block lies that is numbered by its group and its place there. Throws malformed.
  [[nodiscard]] std::uint64_t place_of(std::uint64_t number, std::uint64_t count = 1) const {
    const std::uint64_t group = number >> group_log_, in_group = number & ((std::uint64_t{1} << group_log_) - 1);
    if (group >= groups_ || in_group >= group_blocks_ || count > group_blocks_ - in_group)
      malformed("something lies outside of the file system", "block " + std::to_string(number));
    return (group * group_blocks_ + in_group) * block_;
  }

  // ---- inodes ----

  [[nodiscard]] XfsInode inode_at(std::uint64_t number) const {
    const std::uint64_t place =
        place_of(number >> inodes_log_) + (number & ((std::uint64_t{1} << inodes_log_) - 1)) * inode_size_;
    const Bytes raw = read_exactly(*volume_, place, inode_size_);
    const ByteReader reader(raw, {}, place);
    if (reader.big<std::uint16_t>(0, "mark of an inode") != 0x494e)
      malformed("an inode has no mark", "inode " + std::to_string(number));
    XfsInode out{.number = number};
    const unsigned kind = reader.big<std::uint16_t>(2, "mode") >> 12U;
    out.kind = kind == 8 ? XfsKind::file : kind == 4 ? XfsKind::folder : kind == 10 ? XfsKind::link : XfsKind::other;
    const auto version = reader.big<std::uint8_t>(4, "version of an inode");
    const auto format = reader.big<std::uint8_t>(5, "format of an inode");
    out.format = format < 4 ? static_cast<XfsFormat>(format) : XfsFormat::other;
    out.size = reader.big<std::uint64_t>(56, "size");
    constexpr std::uint64_t kManyExtents = 0x10;
    const bool many = version == 3 && (reader.big<std::uint64_t>(120, "flags") & kManyExtents) != 0;
    out.extents =
        many ? reader.big<std::uint64_t>(24, "number of extents") : reader.big<std::uint32_t>(76, "number of extents");
    const std::size_t begin = version == 3 ? 176 : 100;
    const std::size_t attributes = std::size_t{reader.big<std::uint8_t>(82, "place of the attributes")} * 8;
    const std::size_t length = attributes == 0 ? inode_size_ - begin : attributes;
    const auto fork = reader.bytes(begin, length, "content of an inode");
    out.fork.assign(fork.begin(), fork.end());
    return out;
  }

  [[nodiscard]] SourcePtr content(const XfsInode &inode) const {
    if (inode.format == XfsFormat::local) {
      const std::string text = text_of(inode.fork, 0, inode.size);
      return std::make_shared<MemoryFile>(Bytes(text.begin(), text.end()));
    }
    return blocks_of(inode, inode.size);
  }

  // As much of it as `size` says, which may be more than the inode's own: of a folder, its index.
  [[nodiscard]] SourcePtr blocks_of(const XfsInode &inode, std::uint64_t size) const {
    std::vector<Run> runs;
    if (inode.format == XfsFormat::extents) {
      if (inode.extents > inode.fork.size() / 16) malformed("an inode has more extents than fit into it");
      add_extents(inode.fork, 0, static_cast<std::size_t>(inode.extents), runs);
    } else if (inode.format == XfsFormat::tree) {
      add_tree(inode.fork, runs);
    } else {
      malformed("an inode has no extents", "inode " + std::to_string(inode.number));
    }
    for (std::size_t i = 1; i < runs.size(); ++i) {
      if (runs[i - 1].offset + runs[i - 1].length > runs[i].offset) malformed("a file's extents overlap");
    }
    return std::make_shared<RunFile>(volume_, std::move(runs), size, size);
  }

  // 128 bits each: whether it was written, its place in the file, its place on the volume, its length.
  void add_extents(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t count,
                   std::vector<Run> &out) const {
    const ByteReader reader(bytes, {});
    constexpr std::uint64_t kMostFileBlocks = std::uint64_t{1} << 54U;
    for (std::size_t i = 0; i < count; ++i, at += 16) {
      const auto high = reader.big<std::uint64_t>(at, "extent"), low = reader.big<std::uint64_t>(at + 8, "extent");
      const std::uint64_t offset = (high & ~(std::uint64_t{1} << 63U)) >> 9U;
      const std::uint64_t place = (high & 0x1ffU) << 43U | low >> 21U;
      const std::uint64_t length = low & 0x1fffffU;
      const bool written = high >> 63U == 0;
      if (offset >= kMostFileBlocks / block_ || length == 0 || out.size() >= kMostRuns)
        malformed("a file's extents cannot be right");
      const std::uint64_t from = place_of(place, length);
      if (written) out.push_back({offset * block_, length * block_, from});
    }
  }

  void add_tree(const Bytes &root, std::vector<Run> &out) const {
    const ByteReader reader(root, {});
    const auto level = reader.big<std::uint16_t>(0, "depth of a tree");
    const auto count = reader.big<std::uint16_t>(2, "number of nodes");
    const std::size_t most = (root.size() - 4) / 16;
    if (level == 0 || level > kDeepestXfsTree || count > most) malformed("a file's tree of extents cannot be right");
    std::size_t blocks = 0;
    for (std::size_t i = 0; i < count; ++i)
      add_node(reader.big<std::uint64_t>(4 + 8 * most + 8 * i, "node"), level - 1, blocks, out);
  }

  void add_node(std::uint64_t number, int level, std::size_t &blocks, std::vector<Run> &out) const {
    if (++blocks > kMostXfsTreeBlocks) malformed("a file's tree of extents is too large, or goes in circles");
    const Bytes bytes = read_exactly(*volume_, place_of(number), static_cast<std::size_t>(block_));
    const ByteReader reader(bytes, {});
    const auto mark = reader.big<std::uint32_t>(0, "mark of a node");
    constexpr std::uint32_t kOf4 = 0x424d4150, kOf5 = 0x424d4133;
    if ((mark != kOf4 && mark != kOf5) || reader.big<std::uint16_t>(4, "level of a node") != level)
      malformed("a node of a file's extents cannot be understood", "mark 0x" + text::hex(mark, 8));
    const auto count = reader.big<std::uint16_t>(6, "number of records");
    const std::size_t header = mark == kOf5 ? 72 : 24, most = (bytes.size() - header) / 16;
    if (count > most) malformed("a node of a file's extents has too many records");
    if (level == 0) return add_extents(bytes, header, count, out);
    for (std::size_t i = 0; i < count; ++i)
      add_node(reader.big<std::uint64_t>(header + 8 * most + 8 * i, "node"), level - 1, blocks, out);
  }

  // ---- folders ----

  // Until `visit(name, inode, kind)` says no; the kind is not always there: 1 a file, 2 a folder.
  template <class Visit>
  void for_each_name(const XfsInode &folder, const Visit &visit) const {
    if (folder.format == XfsFormat::local) return visit_short(folder.fork, visit);
    if (folder.size > kLargestXfsFolder)
      throw Error(ErrorKind::unsupported,
                  {.message = "a folder is too large for a look", .found = text::human_bytes(folder.size)});
    const SourcePtr file = blocks_of(folder, std::min(folder.size, kFirstLeaf));
    for (std::uint64_t at = 0; at + folder_block_ <= file->size(); at += folder_block_) {
      const Bytes bytes = read_exactly(*file, at, static_cast<std::size_t>(folder_block_));
      if (!visit_block(bytes, visit)) return;
    }
  }

  template <class Visit>
  void visit_short(const Bytes &fork, const Visit &visit) const {
    const ByteReader reader(fork, {});
    const auto count = reader.big<std::uint8_t>(0, "number of names");
    const bool wide = reader.big<std::uint8_t>(1, "number of long inodes") != 0;
    const std::size_t number_size = wide ? 8 : 4;
    std::size_t at = 2 + number_size;  // the folder above
    for (std::size_t i = 0; i < count; ++i) {
      const auto length = reader.big<std::uint8_t>(at, "length of a name");
      const std::string name = text_of(fork, at + 3, length);
      at += std::size_t{3} + length;
      std::optional<std::uint8_t> kind;
      if (kinds_) kind = reader.big<std::uint8_t>(at++, "kind");
      const std::uint64_t number =
          wide ? reader.big<std::uint64_t>(at, "inode of a name") : reader.big<std::uint32_t>(at, "inode of a name");
      at += number_size;
      if (!visit(name, number, kind)) return;
    }
  }

  // Whether to go on.
  template <class Visit>
  [[nodiscard]] bool visit_block(const Bytes &bytes, const Visit &visit) const {
    const ByteReader reader(bytes, {});
    const auto mark = reader.big<std::uint32_t>(0, "mark of a folder's block");
    constexpr std::uint32_t kOne4 = 0x58443242, kOne5 = 0x58444233, kMany4 = 0x58443244, kMany5 = 0x58444433;
    if (mark == 0) return true;  // a hole
    const bool one = mark == kOne4 || mark == kOne5;
    if (!one && mark != kMany4 && mark != kMany5)
      malformed("a folder's block cannot be understood", "mark 0x" + text::hex(mark, 8));
    std::size_t at = mark == kOne5 || mark == kMany5 ? 64 : 16, end = bytes.size();
    if (one) {  // its index stands at the end
      const std::uint64_t names = reader.big<std::uint32_t>(end - 8, "number of names");
      if (names > (end - 8 - at) / 8) malformed("a folder's block has more names than fit into it");
      end -= 8 + 8 * static_cast<std::size_t>(names);
    }
    while (at + 11 <= end) {
      if (reader.big<std::uint16_t>(at, "mark of an entry") == kUnusedMark) {
        const auto length = reader.big<std::uint16_t>(at + 2, "length of an unused entry");
        if (length < 8 || length > end - at) malformed("a folder's entry has no possible length");
        at += length;
        continue;
      }
      const auto number = reader.big<std::uint64_t>(at, "inode of a name");
      const auto length = reader.big<std::uint8_t>(at + 8, "length of a name");
      const std::size_t whole = (std::size_t{9} + length + (kinds_ ? 1U : 0U) + 2 + 7) / 8 * 8;
      if (length == 0 || whole > end - at) malformed("a folder's entry has no possible length");
      std::optional<std::uint8_t> kind;
      if (kinds_) kind = reader.big<std::uint8_t>(at + 9 + length, "kind");
      if (!visit(text_of(bytes, at + 9, length), number, kind)) return false;
      at += whole;
    }
    return true;
  }

  SourcePtr volume_;
  std::uint64_t block_ = 0, folder_block_ = 0;  // bytes
  std::uint64_t root_ = 0, group_blocks_ = 0, groups_ = 0;
  std::uint16_t inode_size_ = 0;  // bytes
  unsigned version_ = 0, inodes_log_ = 0, group_log_ = 0;
  bool kinds_ = false;
  std::string label_, id_;
};

}  // namespace

std::unique_ptr<FileSystem> open_xfs(SourcePtr volume) { return std::make_unique<Xfs>(std::move(volume)); }

}  // namespace ferry::guest
