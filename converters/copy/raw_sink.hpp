// SPDX-License-Identifier: Apache-2.0
// A raw image as a sink: each unit at its own offset, what is not stored stays a hole.
#pragma once

#include <cstdint>
#include <memory>

#include "converters/copy/sink.hpp"
#include "converters/copy/target_file.hpp"

namespace ferry::copy {

class RawSink final : public Sink {
 public:
  // Gives `file` its size. `virtual_size` is in bytes, of any value. One state only.
  RawSink(const TargetFile &file, std::uint64_t virtual_size);
  [[nodiscard]] std::uint32_t unit() const override { return 65536; }
  [[nodiscard]] std::uint32_t clone_alignment() const override { return file_.block_size(); }
  [[nodiscard]] std::unique_ptr<Lane> lane() override;
  [[nodiscard]] Placed clone_ahead(int, std::uint64_t, std::uint64_t) override { return {}; }

 private:
  const TargetFile &file_;
  std::uint64_t virtual_size_;
};

}  // namespace ferry::copy
