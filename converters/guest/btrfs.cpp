// SPDX-License-Identifier: Apache-2.0
// Btrfs on one device: the superblock, chunks, trees, subvolumes, folders, extents plain and packed with zlib or zstd.
//
// Facts: the kernel's include/uapi/linux/btrfs_tree.h and Btrfs' own documentation ("On-disk format"). What is read is
// the last transaction; a log tree, which fsync leaves, is not replayed, and makes it `dirty`.
#include <algorithm>
#include <array>
#include <map>
#include <zlib.h>
#include <zstd.h>

#include "converters/guest/file_system.hpp"
#include "converters/guest/path_walk.hpp"

#include "support/byte_reader.hpp"
#include "support/error.hpp"
#include "support/identity.hpp"
#include "support/text.hpp"

namespace ferry::guest {
namespace {

constexpr std::uint64_t kSuperblockAt = 65536;
constexpr std::size_t kKeySize = 17, kNodeHeader = 101;            // bytes
constexpr std::uint64_t kLargestPacked = std::uint64_t{1} << 20U;  // bytes of one packed extent; the kernel's: 128 KiB
constexpr std::size_t kMostChunks = 100000, kMostNodes = 200000;   // nodes: of one search
constexpr std::uint64_t kStriped = 1U << 3U | 1U << 6U | 1U << 7U | 1U << 8U;  // RAID 0, 10, 5, 6
constexpr std::uint8_t kInodeItem = 1, kDirItem = 84, kDirIndex = 96, kExtentData = 108, kRootItem = 132,
                       kChunkItem = 228;
constexpr std::uint64_t kTopVolume = 5, kFirstInode = 256;

struct Key {
  std::uint64_t object = 0;
  std::uint8_t type = 0;
  std::uint64_t offset = 0;
  friend auto operator<=>(const Key &, const Key &) = default;
};

Key key_at(const ByteReader &reader, std::size_t at) {
  return {reader.little<std::uint64_t>(at, "key"), reader.little<std::uint8_t>(at + 8, "key"),
          reader.little<std::uint64_t>(at + 9, "key")};
}

// How the kernel hashes names: CRC-32C without its inversions, from a start of its own.
std::uint32_t name_hash(std::string_view name) {
  std::uint32_t out = 0xfffffffe;
  for (const char c : name) {
    out ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) out = (out & 1U) != 0 ? out >> 1U ^ 0x82f63b78U : out >> 1U;
  }
  return out;
}

Bytes unpacked(std::uint8_t how, const Bytes &packed, std::uint64_t size) {
  if (size > kLargestPacked) malformed("a packed extent is too large", text::human_bytes(size));
  Bytes out(static_cast<std::size_t>(size));
  if (how == 1) {
    uLongf got = out.size();
    const int result = ::uncompress(out.data(), &got, packed.data(), packed.size());
    if (result != Z_OK && result != Z_BUF_ERROR) malformed("a packed extent cannot be unpacked");
  } else if (how == 3) {
    // What follows the frame is padding.
    const std::size_t frame = ZSTD_findFrameCompressedSize(packed.data(), packed.size());
    if (ZSTD_isError(frame) != 0 || ZSTD_isError(ZSTD_decompress(out.data(), out.size(), packed.data(), frame)) != 0)
      malformed("a packed extent cannot be unpacked");
  } else {
    throw Error(ErrorKind::unsupported, {.message = "the file is packed in a way that is not read",
                                         .found = how == 2 ? "lzo" : std::to_string(how)});
  }
  return out;
}

// Logical addresses, which all trees speak in, on the volume.
class Chunks {
 public:
  Chunks(SourcePtr volume, std::uint64_t device) : volume_(std::move(volume)), device_(device) {}

  // `at`: of a chunk item. What it takes.
  std::size_t add(std::uint64_t logical, const ByteReader &reader, std::size_t at) {
    Chunk chunk;
    chunk.length = reader.little<std::uint64_t>(at, "length of a chunk");
    const auto type = reader.little<std::uint64_t>(at + 24, "kind of a chunk");
    const auto stripes = reader.little<std::uint16_t>(at + 44, "number of stripes");
    chunk.striped = (type & kStriped) != 0 && stripes > 1;
    for (std::size_t i = 0; i < stripes; ++i) {
      const std::size_t stripe = at + 48 + 32 * i;
      if (reader.little<std::uint64_t>(stripe, "device") != device_ || chunk.at) continue;
      chunk.at = reader.little<std::uint64_t>(stripe + 8, "place of a stripe");
    }
    if (chunk.length == 0 || chunks_.size() >= kMostChunks) malformed("the file system's chunks cannot be right");
    chunks_.insert_or_assign(logical, chunk);
    return 48 + std::size_t{32} * stripes;
  }

  void read(std::uint64_t logical, std::span<std::uint8_t> into) const {
    while (!into.empty()) {
      auto found = chunks_.upper_bound(logical);
      if (found == chunks_.begin()) malformed("an address lies in no chunk");
      --found;
      const std::uint64_t skip = logical - found->first;
      if (skip >= found->second.length) malformed("an address lies in no chunk");
      if (found->second.striped || !found->second.at)
        throw Error(ErrorKind::unsupported, {.message = "the file system lies on several devices"});
      const std::size_t part = std::min<std::uint64_t>(into.size(), found->second.length - skip);
      volume_->read(*found->second.at + skip, into.first(part));
      into = into.subspan(part);
      logical += part;
    }
  }
  [[nodiscard]] Bytes read(std::uint64_t logical, std::size_t length) const {
    Bytes out(length);
    read(logical, out);
    return out;
  }

 private:
  struct Chunk {
    std::uint64_t length = 0;
    std::optional<std::uint64_t> at = {};
    bool striped = false;
  };
  SourcePtr volume_;
  std::uint64_t device_;
  std::map<std::uint64_t, Chunk> chunks_;
};

struct Extent {
  std::uint64_t offset = 0, length = 0;  // in the file
  std::uint64_t at = 0, stored = 0;      // logical; bytes that it takes there
  std::uint64_t skip = 0, plain = 0;     // of what was packed: where it begins, and all of it
  std::uint8_t packed = 0;
  bool here = false;  // its bytes are `bytes`
  Bytes bytes = {};
};

class ExtentFile final : public Source {
 public:
  ExtentFile(std::shared_ptr<const Chunks> chunks, std::vector<Extent> extents, std::uint64_t size)
      : chunks_(std::move(chunks)), extents_(std::move(extents)), size_(size) {}
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::uint8_t> into) const override {
    if (offset > size_ || into.size() > size_ - offset) malformed("something lies beyond a file's end");
    std::fill(into.begin(), into.end(), std::uint8_t{0});
    const std::uint64_t end = offset + into.size();
    auto extent = std::upper_bound(extents_.begin(), extents_.end(), offset,
                                   [](std::uint64_t at, const Extent &one) { return at < one.offset; });
    if (extent != extents_.begin()) --extent;
    for (; extent != extents_.end() && extent->offset < end; ++extent) {
      const std::uint64_t from = std::max(offset, extent->offset), to = std::min(end, extent->offset + extent->length);
      if (from < to)
        fill(*extent, from - extent->offset,
             into.subspan(static_cast<std::size_t>(from - offset), static_cast<std::size_t>(to - from)));
    }
  }
  [[nodiscard]] std::optional<std::uint64_t> place(std::uint64_t) const override { return std::nullopt; }

 private:
  void fill(const Extent &extent, std::uint64_t from, std::span<std::uint8_t> into) const {
    if (!extent.here && extent.packed == 0) return chunks_->read(extent.at + extent.skip + from, into);
    if (!extent.here && last_ != &extent) {
      plain_ = unpacked(extent.packed, chunks_->read(extent.at, static_cast<std::size_t>(extent.stored)), extent.plain);
      last_ = &extent;
    }
    const Bytes &bytes = extent.here ? extent.bytes : plain_;
    const std::uint64_t begin = extent.skip + from;
    if (begin > bytes.size()) return;
    const std::size_t part = std::min<std::uint64_t>(into.size(), bytes.size() - begin);
    std::copy_n(bytes.begin() + static_cast<long>(begin), part, into.begin());
  }

  std::shared_ptr<const Chunks> chunks_;
  std::vector<Extent> extents_;
  std::uint64_t size_;
  mutable const Extent *last_ = nullptr;  // whose bytes are in `plain_`
  mutable Bytes plain_;
};

struct TreeRoot {
  std::uint64_t at = 0;  // logical
  std::uint8_t level = 0;
};

struct BtrfsNode {
  TreeRoot tree;
  std::uint64_t inode = 0, size = 0;
  unsigned kind = 0;  // the mode's: 4 a folder, 8 a file, 10 a link
};

class Btrfs final : public FileSystem {
 public:
  explicit Btrfs(SourcePtr volume) {
    read_superblock(std::move(volume));
    choose_root();
  }

  [[nodiscard]] SourcePtr open(std::string_view path) const override {
    const auto node = find_node(*this, path);
    return node && node->kind == 8 ? content(*node) : nullptr;
  }
  [[nodiscard]] std::vector<Entry> list(std::string_view path) const override {
    const auto node = find_node(*this, path);
    std::vector<Entry> out;
    if (!node || !is_folder(*node)) return out;
    for_each(node->tree, {node->inode, kDirIndex, 0}, [&](const Key &key, const Bytes &data) {
      if (key.object != node->inode || key.type != kDirIndex || out.size() >= kMostEntries) return false;
      for_each_entry(data, [&](const std::string &name, const Key &, std::uint8_t kind) {
        out.push_back({name, kind == 2});
      });
      return true;
    });
    return out;
  }
  [[nodiscard]] std::string label() const override { return label_; }
  [[nodiscard]] std::string id() const override { return id_; }
  [[nodiscard]] bool dirty() const override { return dirty_; }

  // ---- for find_node() ----

  using Node = BtrfsNode;
  [[nodiscard]] Node root() const { return root_; }
  [[nodiscard]] static bool is_folder(const Node &node) { return node.kind == 4; }
  [[nodiscard]] static bool is_link(const Node &node) { return node.kind == 10; }
  [[nodiscard]] std::optional<Node> child(const Node &folder, const std::string &wanted) const {
    std::optional<Key> found;
    for_each(folder.tree, {folder.inode, kDirItem, name_hash(wanted)}, [&](const Key &key, const Bytes &data) {
      if (key != Key{folder.inode, kDirItem, name_hash(wanted)}) return false;
      for_each_entry(data, [&](const std::string &name, const Key &location, std::uint8_t) {
        if (name == wanted) found = location;
      });
      return false;
    });
    if (!found) return std::nullopt;
    if (found->type == kInodeItem) return node_at(folder.tree, found->object);
    if (found->type != kRootItem) return std::nullopt;
    const auto tree = tree_of(found->object);  // a subvolume
    return tree ? node_at(*tree, kFirstInode) : std::nullopt;
  }
  [[nodiscard]] std::string target_of(const Node &link) const {
    constexpr std::uint64_t kLongest = 4096;
    if (link.size > kLongest) malformed("a link's target is too long", std::to_string(link.size) + " bytes");
    return read_text(*content(link), kLongest);
  }

 private:
  void read_superblock(SourcePtr volume) {
    const Bytes bytes = read_exactly(*volume, kSuperblockAt, 4096);
    const ByteReader super(bytes, {}, kSuperblockAt);
    tree_of_trees_ = {super.little<std::uint64_t>(80, "root"), super.little<std::uint8_t>(198, "level")};
    const TreeRoot chunk_tree{super.little<std::uint64_t>(88, "chunks"), super.little<std::uint8_t>(199, "level")};
    dirty_ = super.little<std::uint64_t>(96, "log") != 0;
    root_folder_ = super.little<std::uint64_t>(128, "root folder");
    node_size_ = super.little<std::uint32_t>(148, "size of a node");
    if (node_size_ < 4096 || node_size_ > 65536 || (node_size_ & (node_size_ - 1)) != 0)
      malformed("the file system's nodes have no possible size", std::to_string(node_size_) + " bytes");
    label_ = super.text(299, 256, "label");
    Uuid id;
    id.bytes = super.guid(32, "UUID");
    id_ = id.text();
    chunks_ = std::make_shared<Chunks>(std::move(volume), super.little<std::uint64_t>(201, "device"));
    constexpr std::size_t kArray = 811;
    const auto length = super.little<std::uint32_t>(160, "length of the first chunks");
    if (length > 2048) malformed("the first chunks do not fit into the superblock");
    for (std::size_t at = kArray; at + kKeySize < kArray + length;) {
      const Key key = key_at(super, at);
      at += kKeySize;
      at += chunks_->add(key.offset, super, at);
    }
    for_each(chunk_tree, {0, 0, 0}, [&](const Key &key, const Bytes &data) {
      if (key.type == kChunkItem) chunks_->add(key.offset, ByteReader(data, {}), 0);
      return true;
    });
  }

  // The volume that is mounted when nobody says which, or one that distributions install themselves into.
  void choose_root() {
    std::uint64_t number = kTopVolume;
    for_each(tree_of_trees_, {root_folder_, kDirItem, name_hash("default")}, [&](const Key &key, const Bytes &data) {
      if (key.object == root_folder_ && key.type == kDirItem)
        for_each_entry(data, [&](const std::string &name, const Key &location, std::uint8_t) {
          if (name == "default" && location.type == kRootItem) number = location.object;
        });
      return false;
    });
    const auto tree = tree_of(number), top = tree_of(kTopVolume);
    if (!tree || !top) malformed("the file system has no root");
    root_ = node_of(*tree, kFirstInode);
    if (has_system(root_)) return;
    const Node above = node_of(*top, kFirstInode);
    for (const char *name : {"root", "@", "@rootfs", "@root"}) {
      const auto volume = child(above, name);
      if (!volume || !is_folder(*volume) || !has_system(*volume)) continue;
      root_ = *volume;
      return;
    }
  }
  [[nodiscard]] bool has_system(const Node &folder) const {
    const auto etc = child(folder, "etc");
    return etc && is_folder(*etc) && (child(*etc, "os-release") || child(*etc, "fstab"));
  }

  // ---- trees ----

  // From the first item that is not before `from`, until `visit(key, data)` says no.
  template <class Visit>
  void for_each(const TreeRoot &tree, const Key &from, const Visit &visit) const {
    std::size_t nodes = 0;
    (void)walk(tree.at, tree.level, from, nodes, visit);
  }

  template <class Visit>
  bool walk(std::uint64_t at, std::uint8_t level, const Key &from, std::size_t &nodes, const Visit &visit) const {
    if (++nodes > kMostNodes || level > 8) malformed("a tree is too large, or goes in circles");
    const Bytes bytes = chunks_->read(at, node_size_);
    const ByteReader node(bytes, {}, at);
    if (node.little<std::uint64_t>(48, "address of a node") != at ||
        node.little<std::uint8_t>(100, "level of a node") != level)
      malformed("a node of a tree is not where it should be");
    const auto count = node.little<std::uint32_t>(96, "number of items");
    const std::size_t each = level == 0 ? 25 : 33;
    if (count > (bytes.size() - kNodeHeader) / each) malformed("a node has more items than fit into it");
    std::size_t first = 0;  // the first item that is not before, or the last node that may hold it
    {
      std::size_t low = 0, high = count;
      while (low < high) {
        const std::size_t middle = (low + high) / 2;
        if (key_at(node, kNodeHeader + each * middle) < from) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      first = level > 0 && low > 0 && (low == count || key_at(node, kNodeHeader + each * low) != from) ? low - 1 : low;
    }
    for (std::size_t i = first; i < count; ++i) {
      const std::size_t item = kNodeHeader + each * i;
      if (level > 0) {
        const auto below = node.little<std::uint64_t>(item + kKeySize, "node");
        if (!walk(below, static_cast<std::uint8_t>(level - 1), from, nodes, visit)) return false;
        continue;
      }
      const auto place = node.little<std::uint32_t>(item + 17, "place of an item");
      const auto length = node.little<std::uint32_t>(item + 21, "length of an item");
      const auto data = node.bytes(kNodeHeader + std::size_t{place}, length, "item");
      if (!visit(key_at(node, item), Bytes(data.begin(), data.end()))) return false;
    }
    return true;
  }

  [[nodiscard]] std::optional<TreeRoot> tree_of(std::uint64_t number) const {
    std::optional<TreeRoot> out;
    for_each(tree_of_trees_, {number, kRootItem, 0}, [&](const Key &key, const Bytes &data) {
      if (key.object != number || key.type != kRootItem) return false;
      const ByteReader item(data, {});
      out = TreeRoot{item.little<std::uint64_t>(176, "root"), item.little<std::uint8_t>(238, "level")};
      return false;
    });
    return out;
  }

  // ---- inodes ----

  [[nodiscard]] std::optional<Node> node_at(const TreeRoot &tree, std::uint64_t inode) const {
    std::optional<Node> out;
    for_each(tree, {inode, kInodeItem, 0}, [&](const Key &key, const Bytes &data) {
      if (key.object != inode || key.type != kInodeItem) return false;
      const ByteReader item(data, {});
      out = Node{tree, inode, item.little<std::uint64_t>(16, "size"), item.little<std::uint32_t>(52, "mode") >> 12U};
      return false;
    });
    return out;
  }
  [[nodiscard]] Node node_of(const TreeRoot &tree, std::uint64_t inode) const {
    const auto out = node_at(tree, inode);
    if (!out) malformed("the file system has no inode " + std::to_string(inode));
    return *out;
  }

  template <class Visit>
  static void for_each_entry(const Bytes &data, const Visit &visit) {
    const ByteReader reader(data, {});
    for (std::size_t at = 0; at + 30 <= data.size();) {
      const Key location = key_at(reader, at);
      const std::size_t more = reader.little<std::uint16_t>(at + 25, "data"),
                        length = reader.little<std::uint16_t>(at + 27, "length of a name");
      const auto kind = reader.little<std::uint8_t>(at + 29, "kind");
      const auto name = reader.bytes(at + 30, length, "name");
      visit(std::string(name.begin(), name.end()), location, kind);
      at += 30 + length + more;
    }
  }

  [[nodiscard]] SourcePtr content(const Node &file) const {
    std::vector<Extent> extents;
    std::uint64_t end = 0;
    for_each(file.tree, {file.inode, kExtentData, 0}, [&](const Key &key, const Bytes &data) {
      if (key.object != file.inode || key.type != kExtentData) return false;
      if (auto extent = extent_of(key.offset, data)) {
        if (extent->offset < end || extents.size() >= kMostRuns) malformed("a file's extents overlap");
        end = extent->offset + extent->length;
        extents.push_back(std::move(*extent));
      }
      return true;
    });
    return std::make_shared<ExtentFile>(chunks_, std::move(extents), file.size);
  }

  // nullopt: a hole.
  static std::optional<Extent> extent_of(std::uint64_t offset, const Bytes &data) {
    const ByteReader item(data, {});
    constexpr std::uint64_t kMost = std::uint64_t{1} << 62U;
    Extent out{.offset = offset};
    out.plain = item.little<std::uint64_t>(8, "size of an extent");
    out.packed = item.little<std::uint8_t>(16, "packing");
    if (item.little<std::uint8_t>(17, "encryption") != 0)
      throw Error(ErrorKind::encrypted, {.message = "the file is encrypted"});
    const auto kind = item.little<std::uint8_t>(20, "kind of an extent");
    if (offset > kMost) malformed("an extent lies beyond every file");
    if (kind == 0) {
      const auto bytes = item.bytes(21, data.size() - 21, "content");
      out.here = true;
      out.bytes.assign(bytes.begin(), bytes.end());
      if (out.packed != 0) out.bytes = unpacked(out.packed, out.bytes, out.plain);
      out.length = out.bytes.size();
      return out;
    }
    out.at = item.little<std::uint64_t>(21, "place of an extent");
    out.stored = item.little<std::uint64_t>(29, "length of an extent");
    out.skip = item.little<std::uint64_t>(37, "offset in an extent");
    out.length = item.little<std::uint64_t>(45, "length of an extent");
    if (out.length > kMost || out.skip > kMost || out.at > kMost) malformed("an extent has no possible length");
    if (out.packed != 0 && (out.stored > kLargestPacked || out.plain > kLargestPacked))
      malformed("a packed extent is too large");
    if (kind != 1 || out.at == 0) return std::nullopt;  // room that was never written, or a hole
    return out;
  }

  std::shared_ptr<Chunks> chunks_;
  TreeRoot tree_of_trees_;
  Node root_;
  std::uint64_t root_folder_ = 0;
  std::uint32_t node_size_ = 0;
  bool dirty_ = false;
  std::string label_, id_;
};

}  // namespace

std::unique_ptr<FileSystem> open_btrfs(SourcePtr volume) { return std::make_unique<Btrfs>(std::move(volume)); }

}  // namespace ferry::guest
