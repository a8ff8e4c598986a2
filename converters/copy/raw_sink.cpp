// SPDX-License-Identifier: Apache-2.0
#include "converters/copy/raw_sink.hpp"

#include <algorithm>
#include <vector>

#include "converters/copy/clone.hpp"

namespace ferry::copy {

namespace {

class RawLane final : public Lane {
 public:
  RawLane(const TargetFile &file, std::uint64_t virtual_size, std::uint32_t unit)
      : file_(file), virtual_size_(virtual_size), unit_(unit) {}

  void store(const Batch &batch) override {
    pieces_.clear();
    for (std::size_t i = 0; i < batch.placements.size(); ++i) {
      const Placement &placement = batch.placements[i];
      const std::uint64_t offset = placement.unit * unit_;
      // The last unit may reach beyond the disk's end.
      pieces_.push_back({.iov_base = const_cast<std::uint8_t *>(batch.pieces[placement.piece]),
                         .iov_len = std::min<std::uint64_t>(unit_, virtual_size_ - offset)});
      if (i + 1 == batch.placements.size() || batch.placements[i + 1].unit != placement.unit + 1) {
        file_.write((placement.unit + 1 - pieces_.size()) * unit_, pieces_);
        pieces_.clear();
      }
    }
  }

  std::uint64_t clone(const CloneRun &run) override {
    const std::uint64_t bytes = run.count * unit_, to = run.first_unit * unit_;
    if (clone_range(run.fd, run.offset, file_.fd(), to, bytes)) return bytes;
    copy_range(run.fd, run.offset, file_.fd(), to, bytes);
    return 0;
  }

  void flush() override {}

 private:
  const TargetFile &file_;
  std::uint64_t virtual_size_;
  std::uint32_t unit_;
  std::vector<iovec> pieces_;
};

}  // namespace

RawSink::RawSink(const TargetFile &file, std::uint64_t virtual_size) : file_(file), virtual_size_(virtual_size) {
  file_.resize(virtual_size);
}

std::unique_ptr<Lane> RawSink::lane() { return std::make_unique<RawLane>(file_, virtual_size_, unit()); }

}  // namespace ferry::copy
