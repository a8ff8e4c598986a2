// SPDX-License-Identifier: Apache-2.0
#include "converters/copy/engine.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "converters/copy/parallel.hpp"
#include "converters/copy/piece_reader.hpp"
#include "converters/copy/unit_map.hpp"

#include "support/error.hpp"

namespace ferry::copy {

namespace {

// Bytes that a thread reads, tests and writes at a time: they stay in a core's own cache from the read to the
// write, and are enough to make the cost of system calls and of taking turns vanish. Measured: 512 KiB takes a
// third longer, 2 MiB no less.
constexpr std::uint64_t kBatchBytes = 1U << 20U;

// The window where readers stay near each other: as many of them as there are threads wait for the slowest.
constexpr std::uint64_t kNear = 2U << 20U;

bool all_zero(const std::uint8_t *bytes, std::size_t length) {
  // Data nearly always show in the first words.
  std::uint64_t head[2];
  std::memcpy(head, bytes, sizeof(head));
  if ((head[0] | head[1]) != 0) return false;
  return std::memcmp(bytes, bytes + 1, length - 1) == 0 && bytes[0] == 0;
}

// What the threads share.
struct Shared {
  const Sources &sources;
  Sink &sink;
  const Options &options;
  std::uint32_t alignment = 0;                   // 0: nothing is cloned
  std::unique_ptr<std::atomic<bool>[]> refused;  // per file: cloning from it did not work
  std::atomic<std::uint64_t> stored{0}, cloned{0};
};

class Worker {
 public:
  explicit Worker(Shared &shared)
      : shared_(shared),
        unit_(shared.sink.unit()),
        capacity_(std::max<std::uint64_t>(1, kBatchBytes / unit_)),
        map_(shared.sources.states(), unit_),
        reader_(shared.sources),
        lane_(shared.sink.lane()),
        buffer_(static_cast<std::uint8_t *>(std::aligned_alloc(4096, capacity_ * unit_)), std::free) {
    if (!buffer_) throw std::bad_alloc();
  }

  void run(std::uint64_t begin, std::uint64_t end) {
    map_.load(begin, end);
    const std::span<const Content> contents = map_.contents();
    for (std::size_t i = 0; i < contents.size();) {
      throw_if_stopped(shared_.options.stop);
      if (clonable(contents[i])) {
        i += clone_from(contents.subspan(i));
      } else {
        std::size_t count = 1;
        while (count < capacity_ && i + count < contents.size() && !clonable(contents[i + count])) ++count;
        copy_batch(contents.subspan(i, count));
        i += count;
      }
    }
    lane_->flush();
  }

 private:
  [[nodiscard]] bool clonable(const Content &content) const {
    return is_clonable(map_, content, shared_.sources, unit_, shared_.alignment) &&
           !shared_.refused[map_.parts(content).front().file];
  }

  // Clones the longest run that begins with the first of `contents`; returns how many it took.
  std::size_t clone_from(std::span<const Content> contents) {
    const Part &first = map_.parts(contents.front()).front();
    std::size_t count = 1;
    for (; count < contents.size() && clonable(contents[count]); ++count) {
      const Part &part = map_.parts(contents[count]).front();
      if (contents[count].unit != contents.front().unit + count || part.file != first.file ||
          part.file_offset != first.file_offset + count * unit_ ||
          !std::ranges::equal(map_.states(contents[count]), map_.states(contents.front()))) {
        break;
      }
    }
    for (std::uint64_t done = 0; done < count;) {
      const ClonePlan::Taken taken = take(first, done, count - done);
      clone_units(first, done, taken, contents.front());
      done += taken.units;
    }
    advance(contents.first(count));
    return count;
  }

  [[nodiscard]] ClonePlan::Taken take(const Part &first, std::uint64_t skip, std::uint64_t units) const {
    if (shared_.options.clones == nullptr) return {.target = {}, .units = units};
    return shared_.options.clones->take(first.file, first.file_offset + skip * unit_, units);
  }

  // Clones `units` of the run that begins with `first` and `content`, from its unit number `skip` on.
  void clone_units(const Part &first, std::uint64_t skip, const ClonePlan::Taken &units, const Content &content) {
    const image::SourceFile::Descriptor source = shared_.sources.file(first.file).descriptor();
    const std::uint64_t bytes = units.units * unit_;
    const std::uint64_t cloned = lane_->clone({.fd = source.fd,
                                               .offset = source.base + first.file_offset + skip * unit_,
                                               .first_unit = content.unit + skip,
                                               .count = units.units,
                                               .states = map_.states(content),
                                               .placed = units.target});
    if (cloned < bytes) refuse(first.file);
    shared_.cloned += cloned;
    shared_.stored += bytes - cloned;
  }

  void refuse(std::uint32_t file) {
    shared_.refused[file] = true;
    if (shared_.options.sharing != Sharing::required) return;
    throw Error(ErrorKind::unsupported,
                {.where = {.file = shared_.sources.file(file).path()},
                 .message = "the file system does not share this file's blocks with the target",
                 .advice = "Use --disk-mode copy, or put both on one Btrfs or XFS file system."});
  }

  void copy_batch(std::span<const Content> contents) {
    for (std::size_t i = 0; i < contents.size(); ++i) {
      reader_.add(map_.parts(contents[i]), buffer_.get() + i * unit_, unit_);
    }
    reader_.read();
    pieces_.clear();
    placements_.clear();
    for (std::size_t i = 0; i < contents.size(); ++i) {
      const std::uint8_t *piece = buffer_.get() + i * unit_;
      if (all_zero(piece, unit_)) continue;
      for (const std::uint32_t state : map_.states(contents[i])) {
        placements_.push_back(
            {.state = state, .piece = static_cast<std::uint32_t>(pieces_.size()), .unit = contents[i].unit});
      }
      pieces_.push_back(piece);
    }
    if (shared_.sources.states().size() > 1) {
      std::ranges::sort(placements_, [](const Placement &a, const Placement &b) {
        return a.state != b.state ? a.state < b.state : a.unit < b.unit;
      });
    }
    if (!pieces_.empty()) lane_->store({.pieces = pieces_, .placements = placements_});
    shared_.stored += pieces_.size() * unit_;
    advance(contents);
  }

  void advance(std::span<const Content> contents) const {
    if (shared_.options.progress == nullptr) return;
    std::uint64_t sum = 0;
    for (const Content &content : contents) sum += map_.data_bytes(content);
    shared_.options.progress->advance(sum);
  }

  Shared &shared_;
  std::uint32_t unit_;
  std::uint64_t capacity_;  // units in the buffer
  UnitMap map_;
  PieceReader reader_;
  std::unique_ptr<Lane> lane_;
  std::unique_ptr<std::uint8_t, void (*)(void *)> buffer_;
  std::vector<const std::uint8_t *> pieces_;
  std::vector<Placement> placements_;
};

}  // namespace

Outcome copy(const Sources &sources, Sink &sink, const Options &options) {
  const bool sharing = options.sharing != Sharing::never;
  Shared shared{.sources = sources,
                .sink = sink,
                .options = options,
                .alignment = sharing ? sink.clone_alignment() : 0,
                .refused = std::make_unique<std::atomic<bool>[]>(sources.file_count())};
  if (sharing && options.clones != nullptr) options.clones->carry_out(sources, sink, options.stop);
  const unsigned threads = thread_count(options.threads);
  const std::uint64_t total = sources.longest();
  std::uint64_t window = window_size(total, sink.unit(), sources.states().size(), threads, shared.alignment != 0);
  // Windows next to each other then lie next to each other in the file, in the order of handing out.
  if (sources.in_order()) window = std::max<std::uint64_t>(sink.unit(), std::min(window, kNear));
  for_each_window(threads, total, window, options.stop, [&]() -> WindowWork {
    return [worker = std::make_shared<Worker>(shared)](std::uint64_t begin, std::uint64_t end) {
      worker->run(begin, end);
    };
  });
  return {.bytes_stored = shared.stored, .bytes_shared = shared.cloned};
}

}  // namespace ferry::copy
