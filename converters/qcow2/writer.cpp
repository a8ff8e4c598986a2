// SPDX-License-Identifier: Apache-2.0
#include "converters/qcow2/writer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string>
#include <unordered_set>

#include "converters/copy/clone.hpp"
#include "converters/qcow2/format.hpp"
#include "converters/qcow2/lanes.hpp"

#include "support/error.hpp"

namespace ferry::qcow2 {

namespace {

// What the L1 tables of all states may take in memory; they are the only tables that stay there.
constexpr std::uint64_t kMaxL1Memory = 48U << 20U;

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) { return (value + step - 1) / step * step; }

void append(std::vector<std::uint8_t> &out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }

template <class Integer>
void append(std::vector<std::uint8_t> &out, Integer value) {
  out.resize(out.size() + sizeof(Integer));
  put(out.data() + out.size() - sizeof(Integer), value);
}

[[noreturn]] void refuse(ErrorKind kind, const copy::TargetFile &file, const char *message, std::uint64_t found,
                         std::uint64_t limit, const char *advice) {
  throw Error(kind, {.where = {.file = file.final_path()},
                     .message = message,
                     .found = std::to_string(found),
                     .expected = "at most " + std::to_string(limit),
                     .advice = advice});
}

}  // namespace

Writer::Writer(const copy::TargetFile &file, Layout layout)
    : file_(file), layout_(std::move(layout)), allocator_(file, layout_.cluster_size) {
  const std::uint64_t cluster = layout_.cluster_size;
  if (!std::has_single_bit(cluster) || cluster < kMinClusterSize || cluster > kMaxClusterSize) {
    throw Error(ErrorKind::usage, {.message = "qcow2 does not have this cluster size",
                                   .found = std::to_string(cluster),
                                   .expected = "a power of two from 4096 to 2097152"});
  }
  if (layout_.snapshots.size() > kMaxSnapshots) {
    refuse(ErrorKind::unsupported, file_, "too many snapshots for one image", layout_.snapshots.size(), kMaxSnapshots,
           "Use --snapshots flatten.");
  }
  std::uint64_t memory = 0;
  const std::uint64_t per_l2 = cluster / sizeof(std::uint64_t) * cluster;  // guest bytes
  const auto add_state = [&](std::uint64_t size) {
    const std::uint64_t entries = size / per_l2 + (size % per_l2 != 0 ? 1 : 0);
    memory += entries * sizeof(std::uint64_t);
    if (entries * sizeof(std::uint64_t) > kMaxL1Bytes) {
      refuse(ErrorKind::unsupported, file_, "the disk is too large for its cluster size", size,
             kMaxL1Bytes / sizeof(std::uint64_t) * per_l2, "Choose a larger --cluster-size.");
    }
    if (memory > kMaxL1Memory) {
      refuse(ErrorKind::unsupported, file_, "the snapshots' tables are too large", memory, kMaxL1Memory,
             "Choose a larger --cluster-size.");
    }
    l1_.emplace_back(std::max<std::uint64_t>(entries, 1), 0);
  };
  for (const Snapshot &snapshot : layout_.snapshots) add_state(snapshot.virtual_size);
  add_state(layout_.virtual_size);
}

std::uint32_t Writer::clone_alignment() const {
  if (layout_.compression != Compression::none) return 0;
  const std::uint32_t block = file_.block_size();
  return block != 0 && layout_.cluster_size % block == 0 ? block : 0;
}

std::unique_ptr<copy::Lane> Writer::lane() {
  if (layout_.compression != Compression::none) return std::make_unique<CompressedLane>(*this);
  return std::make_unique<PlainLane>(*this);
}

Writer::Placed Writer::clone_ahead(int fd, std::uint64_t offset, std::uint64_t units) {
  const ClusterRange range = allocator_.claim(units);
  const std::uint64_t to = range.first * layout_.cluster_size;
  if (!copy::clone_range(fd, offset, file_.fd(), to, range.count * layout_.cluster_size)) {
    allocator_.give_back(range);
    return {};
  }
  return {.offset = to, .units = range.count};
}

std::uint64_t Writer::l2_table(std::uint32_t state, std::uint64_t index) {
  const std::lock_guard lock(l1_guard_);
  std::uint64_t &entry = l1_.at(state).at(index);
  if (entry == 0) {
    const std::uint64_t cluster = allocator_.claim(1).first;
    allocator_.set_refcount_one(cluster, 1);
    entry = cluster * layout_.cluster_size;
  }
  return entry;
}

void Writer::write_l2(std::uint32_t state, std::uint64_t first_unit, std::span<const std::uint64_t> entries) {
  const std::uint64_t per_table = layout_.cluster_size / sizeof(std::uint64_t);
  while (!entries.empty()) {
    const std::uint64_t slot = first_unit % per_table;
    const std::uint64_t count = std::min<std::uint64_t>(entries.size(), per_table - slot);
    file_.write(l2_table(state, first_unit / per_table) + slot * sizeof(std::uint64_t), entries.data(),
                count * sizeof(std::uint64_t));
    first_unit += count;
    entries = entries.subspan(count);
  }
}

void Writer::zero(std::uint64_t first, std::uint64_t count) {
  constexpr std::uint64_t kAtOnce = 8192;
  std::vector<std::uint64_t> entries(std::min(count, kAtOnce));
  for (std::uint64_t &entry : entries) put(reinterpret_cast<std::uint8_t *>(&entry), kEntryZero);
  const auto state = static_cast<std::uint32_t>(layout_.snapshots.size());
  while (count > 0) {
    const std::uint64_t now = std::min<std::uint64_t>(count, entries.size());
    write_l2(state, first, std::span(entries).first(now));
    first += now;
    count -= now;
  }
}

std::uint64_t Writer::write_l1(std::uint32_t state) {
  const std::vector<std::uint64_t> &table = l1_[state];
  std::vector<std::uint8_t> raw(table.size() * sizeof(std::uint64_t));
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::uint64_t flag = table[i] != 0 && is_active(state) ? kEntryCopied : 0;
    put(raw.data() + i * sizeof(std::uint64_t), table[i] | flag);
  }
  const std::uint64_t clusters = round_up(raw.size(), layout_.cluster_size) / layout_.cluster_size;
  const std::uint64_t offset = allocator_.claim_tail(clusters) * layout_.cluster_size;
  file_.write(offset, raw.data(), raw.size());
  return offset;
}

std::vector<std::uint8_t> Writer::snapshot_table(const std::vector<std::uint64_t> &l1_offsets) const {
  // QEMU looks a snapshot up by id before it does by name: an id that is another's name would select the wrong one.
  std::unordered_set<std::string> names;
  for (const Snapshot &snapshot : layout_.snapshots) names.insert(snapshot.name);
  std::vector<std::uint8_t> out;
  std::uint64_t last_id = 0;
  for (std::size_t i = 0; i < layout_.snapshots.size(); ++i) {
    const Snapshot &snapshot = layout_.snapshots[i];
    std::string id;
    do id = std::to_string(++last_id);
    while (names.contains(id));
    constexpr std::int64_t kLastDate = std::numeric_limits<std::uint32_t>::max();
    append(out, l1_offsets[i]);
    append(out, static_cast<std::uint32_t>(l1_[i].size()));
    append(out, static_cast<std::uint16_t>(id.size()));
    append(out, static_cast<std::uint16_t>(snapshot.name.size()));
    append(out, static_cast<std::uint32_t>(std::clamp<std::int64_t>(snapshot.created, 0, kLastDate)));
    append(out, std::uint32_t{0});  // nanoseconds
    append(out, std::uint64_t{0});  // the guest's clock
    append(out, std::uint32_t{0});  // size of a saved machine state: none
    append(out, kSnapshotExtraLength);
    append(out, std::uint64_t{0});  // the same size in 64 bits
    append(out, round_up(snapshot.virtual_size, 512));
    append(out, std::string_view(id));
    append(out, std::string_view(snapshot.name));
    out.resize(round_up(out.size(), 8));
  }
  return out;
}

std::vector<std::uint8_t> Writer::header(std::uint64_t l1_offset, std::uint64_t snapshots_offset,
                                         const Allocator::Tables &tables) const {
  const bool zstd = layout_.compression == Compression::zstd;
  std::vector<std::uint8_t> extensions;
  if (layout_.backing) {
    append(extensions, kExtensionBackingFormat);
    append(extensions, static_cast<std::uint32_t>(layout_.backing->format.size()));
    append(extensions, std::string_view(layout_.backing->format));
    extensions.resize(round_up(extensions.size(), 8));
  }
  append(extensions, std::uint64_t{0});  // the end of the extensions

  std::vector<std::uint8_t> out;
  append(out, kMagic);
  append(out, kVersion);
  append(out, layout_.backing ? std::uint64_t{kHeaderLength + extensions.size()} : 0);
  append(out, layout_.backing ? static_cast<std::uint32_t>(layout_.backing->file.size()) : 0);
  append(out, static_cast<std::uint32_t>(std::countr_zero(layout_.cluster_size)));
  append(out, round_up(layout_.virtual_size, 512));
  append(out, std::uint32_t{0});  // no encryption
  append(out, static_cast<std::uint32_t>(l1_.back().size()));
  append(out, l1_offset);
  append(out, tables.offset);
  append(out, static_cast<std::uint32_t>(tables.clusters));
  append(out, static_cast<std::uint32_t>(layout_.snapshots.size()));
  append(out, snapshots_offset);
  append(out, zstd ? kIncompatibleCompressionType : std::uint64_t{0});
  append(out, std::uint64_t{0});  // compatible features: no lazy refcounts
  append(out, std::uint64_t{0});  // autoclear features
  append(out, kRefcountOrder);
  append(out, kHeaderLength);
  append(out, static_cast<std::uint8_t>(zstd ? 1 : 0));
  out.resize(kHeaderLength);
  out.insert(out.end(), extensions.begin(), extensions.end());
  if (layout_.backing) append(out, std::string_view(layout_.backing->file));
  return out;
}

std::uint64_t Writer::finish() {
  std::vector<std::uint64_t> l1_offsets;
  for (std::uint32_t state = 0; state < l1_.size(); ++state) l1_offsets.push_back(write_l1(state));
  std::uint64_t snapshots_offset = 0;
  if (!layout_.snapshots.empty()) {
    const std::vector<std::uint8_t> table = snapshot_table(l1_offsets);
    const std::uint64_t clusters = round_up(table.size(), layout_.cluster_size) / layout_.cluster_size;
    snapshots_offset = allocator_.claim_tail(clusters) * layout_.cluster_size;
    file_.write(snapshots_offset, table.data(), table.size());
  }
  const Allocator::Tables tables = allocator_.finish();
  // The header comes last: a file without one is no qcow2 to anybody.
  const std::vector<std::uint8_t> top = header(l1_offsets.back(), snapshots_offset, tables);
  file_.write(0, top.data(), top.size());
  return tables.end;
}

}  // namespace ferry::qcow2
