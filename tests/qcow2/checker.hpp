// SPDX-License-Identifier: Apache-2.0
// A second opinion on a written qcow2 that needs no QEMU: walks all tables, counts every reference, and reads the
// guest's content. Written from the format's specification, apart from the writer.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>
#include <zlib.h>
#include <zstd.h>

namespace ferry::test {

class Qcow2Checker {
 public:
  struct State {
    std::string name;  // empty: the current one
    std::uint64_t l1_offset = 0, l1_entries = 0, size = 0;
  };

  // Throws std::runtime_error that says what is wrong.
  explicit Qcow2Checker(std::vector<std::uint8_t> file) : file_(std::move(file)) {
    require(number(0, 4) == 0x514649fb && number(4, 4) == 3, "magic or version");
    cluster_bits_ = number(20, 4);
    require(cluster_bits_ >= 9 && cluster_bits_ <= 21, "cluster bits");
    cluster_ = std::uint64_t{1} << cluster_bits_;
    require(file_.size() % cluster_ == 0, "the file ends inside a cluster");
    require(number(72, 8) == (number(104, 1) != 0 ? 8U : 0U), "incompatible features");
    zstd_ = number(104, 1) == 1;
    references_.assign(file_.size() / cluster_, 0);
    refer(0, 1);
    read_snapshots();
    states_.push_back({"", number(40, 8), number(36, 4), number(24, 8)});
    for (const State &state : states_) walk(state);
    check_refcounts();
    check_copied();
  }

  [[nodiscard]] const std::vector<State> &states() const { return states_; }

  [[nodiscard]] std::vector<std::uint8_t> content(const State &state) const {
    std::vector<std::uint8_t> out((state.size + cluster_ - 1) / cluster_ * cluster_);
    for (std::uint64_t unit = 0; unit < out.size() / cluster_; ++unit) {
      const std::uint64_t entry = l2_entry(state, unit);
      if ((entry & kCompressed) != 0) {
        inflate(entry, out.data() + unit * cluster_);
      } else if ((entry & kOffsetMask) != 0) {
        std::memcpy(out.data() + unit * cluster_, file_.data() + (entry & kOffsetMask), cluster_);
      }
    }
    out.resize(state.size);
    return out;
  }

 private:
  static constexpr std::uint64_t kCopied = std::uint64_t{1} << 63U, kCompressed = std::uint64_t{1} << 62U;
  static constexpr std::uint64_t kOffsetMask = 0x00fffffffffffe00U;

  static void require(bool condition, const std::string &what) {
    if (!condition) throw std::runtime_error("qcow2: " + what);
  }

  [[nodiscard]] std::uint64_t number(std::uint64_t at, std::size_t bytes) const {
    require(at + bytes <= file_.size(), "a table lies outside of the file");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8U | file_[at + i];
    return value;
  }

  void refer(std::uint64_t offset, std::uint64_t length) {
    require(offset + length <= file_.size(), "a reference leads out of the file");
    for (std::uint64_t i = offset / cluster_; i <= (offset + length - 1) / cluster_; ++i) ++references_[i];
  }

  void read_snapshots() {
    std::uint64_t at = number(64, 8);
    const std::uint64_t begin = at;
    for (std::uint64_t i = 0; i < number(60, 4); ++i) {
      const std::uint64_t id = number(at + 12, 2), name = number(at + 14, 2), extra = number(at + 36, 4);
      require(extra >= 16, "a snapshot without its size");
      State state{.l1_offset = number(at, 8), .l1_entries = number(at + 8, 4), .size = number(at + 48, 8)};
      for (std::uint64_t c = 0; c < name; ++c) {
        state.name += static_cast<char>(number(at + 40 + extra + id + c, 1));
      }
      states_.push_back(state);
      at = (at + 40 + extra + id + name + 7) / 8 * 8;
    }
    if (at > begin) refer(begin, at - begin);
  }

  void walk(const State &state) {
    require(state.l1_offset % cluster_ == 0, "an L1 table that is not aligned");
    require(state.l1_entries * (cluster_ / 8) * cluster_ >= state.size, "an L1 table that is too short");
    refer(state.l1_offset, state.l1_entries * 8);
    for (std::uint64_t i = 0; i < state.l1_entries; ++i) {
      const std::uint64_t l2 = number(state.l1_offset + i * 8, 8) & kOffsetMask;
      require(l2 % cluster_ == 0, "an L2 table that is not aligned");
      if (l2 == 0) continue;
      refer(l2, cluster_);
      for (std::uint64_t k = 0; k < cluster_ / 8; ++k) {
        const std::uint64_t entry = number(l2 + k * 8, 8);
        if ((entry & kCompressed) != 0) {
          const auto [offset, length] = compressed_range(entry);
          refer(offset, length);
        } else if ((entry & kOffsetMask) != 0) {
          require((entry & kOffsetMask) % cluster_ == 0, "a cluster that is not aligned");
          refer(entry & kOffsetMask, cluster_);
        }
      }
    }
  }

  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> compressed_range(std::uint64_t entry) const {
    const std::uint64_t x = 62 - (cluster_bits_ - 8);
    const std::uint64_t offset = entry & ((std::uint64_t{1} << x) - 1);
    const std::uint64_t sectors = ((entry & ~kCopied & ~kCompressed) >> x) + 1;
    return {offset, sectors * 512 - offset % 512};
  }

  [[nodiscard]] std::uint64_t refcount(std::uint64_t cluster) const {
    const std::uint64_t per_block = cluster_ / 2;
    const std::uint64_t block = number(number(48, 8) + cluster / per_block * 8, 8);
    return block == 0 ? 0 : number(block + cluster % per_block * 2, 2);
  }

  void check_refcounts() {
    const std::uint64_t table = number(48, 8), clusters = number(56, 4);
    refer(table, clusters * cluster_);
    for (std::uint64_t i = 0; i < clusters * cluster_ / 8; ++i) {
      if (const std::uint64_t block = number(table + i * 8, 8); block != 0) refer(block, cluster_);
    }
    for (std::uint64_t i = 0; i < references_.size(); ++i) {
      require(refcount(i) == references_[i], "cluster " + std::to_string(i) + " has refcount " +
                                                 std::to_string(refcount(i)) + " and " +
                                                 std::to_string(references_[i]) + " references");
    }
  }

  void check_copied() {
    const State &active = states_.back();
    for (std::uint64_t i = 0; i < active.l1_entries; ++i) {
      const std::uint64_t l1 = number(active.l1_offset + i * 8, 8), l2 = l1 & kOffsetMask;
      if (l2 == 0) continue;
      require(((l1 & kCopied) != 0) == (references_[l2 / cluster_] == 1), "COPIED of an L1 entry");
      for (std::uint64_t k = 0; k < cluster_ / 8; ++k) {
        const std::uint64_t entry = number(l2 + k * 8, 8);
        if (entry == 0) continue;
        const bool once = (entry & kCompressed) == 0 && references_[(entry & kOffsetMask) / cluster_] == 1;
        require(((entry & kCopied) != 0) == once, "COPIED of an L2 entry");
      }
    }
  }

  [[nodiscard]] std::uint64_t l2_entry(const State &state, std::uint64_t unit) const {
    const std::uint64_t per_table = cluster_ / 8;
    const std::uint64_t l2 = number(state.l1_offset + unit / per_table * 8, 8) & kOffsetMask;
    return l2 == 0 ? 0 : number(l2 + unit % per_table * 8, 8);
  }

  void inflate(std::uint64_t entry, std::uint8_t *into) const {
    const auto [offset, length] = compressed_range(entry);
    if (zstd_) {
      const std::size_t frame = ZSTD_findFrameCompressedSize(file_.data() + offset, length);
      require(ZSTD_isError(frame) == 0, "a zstd frame");
      require(ZSTD_decompress(into, cluster_, file_.data() + offset, frame) == cluster_, "a zstd frame's length");
      return;
    }
    z_stream stream{};
    require(inflateInit2(&stream, -12) == Z_OK, "inflateInit2");
    stream.next_in = const_cast<Bytef *>(file_.data() + offset);
    stream.avail_in = static_cast<uInt>(length);
    stream.next_out = into;
    stream.avail_out = static_cast<uInt>(cluster_);
    const int result = ::inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    require(result == Z_STREAM_END && stream.avail_out == 0, "a deflate stream");
  }

  std::vector<std::uint8_t> file_;
  std::uint64_t cluster_bits_ = 0, cluster_ = 0;
  bool zstd_ = false;
  std::vector<std::uint64_t> references_;
  std::vector<State> states_;
};

}  // namespace ferry::test
