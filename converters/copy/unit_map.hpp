// SPDX-License-Identifier: Apache-2.0
// From extents to units: a region of the guest, in all states of a disk at once, as the distinct contents that
// its units (clusters) have and which states show each. Two states that take a unit from the same bytes of the
// same files get one content: this is what stores a snapshot's unchanged clusters once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "converters/copy/sources.hpp"
#include "converters/images/image.hpp"

namespace ferry::copy {

// A piece of a unit that comes from one extent. Bytes of the unit that no part covers are zeros.
struct Part {
  std::uint64_t file_offset = 0;      // plain: of the first byte; deflated: of the stream
  std::uint32_t begin = 0;            // in the unit, bytes
  std::uint32_t length = 0;           // bytes
  std::uint32_t file = 0;             // number in Sources
  std::uint32_t stored_length = 0;    // deflated: bytes of the stream, at most; plain: 0
  std::uint32_t inflated_length = 0;  // deflated: bytes that the stream gives
  std::uint32_t skip = 0;             // deflated: inflated bytes before `begin`
  friend bool operator==(const Part &, const Part &) = default;
  [[nodiscard]] bool deflated() const { return inflated_length != 0; }
};

// One distinct content of one unit.
struct Content {
  std::uint64_t unit = 0;
  std::uint32_t first_part = 0, part_count = 0;
  std::uint32_t first_state = 0, state_count = 0;
};

class UnitMap {
 public:
  UnitMap(std::span<const State> states, std::uint32_t unit);

  // Describes [begin, end); `begin` is a multiple of the unit. What was described before is gone.
  void load(std::uint64_t begin, std::uint64_t end);

  // By first state that shows them, then by unit. Units that read as zeros have none.
  [[nodiscard]] std::span<const Content> contents() const { return contents_; }
  [[nodiscard]] std::span<const Part> parts(const Content &content) const {
    return std::span(parts_).subspan(content.first_part, content.part_count);
  }
  // Ascending numbers of the states that show it.
  [[nodiscard]] std::span<const std::uint32_t> states(const Content &content) const {
    return std::span(state_lists_).subspan(content.first_state, content.state_count);
  }
  // Bytes of plain and deflated data that the content covers.
  [[nodiscard]] std::uint64_t data_bytes(const Content &content) const;

 private:
  void add_extents(std::uint32_t state, std::uint64_t begin, std::uint64_t end);
  void add_piece(const image::Chain::VisibleExtent &visible, std::uint64_t from, std::uint64_t to, std::uint32_t file);
  void close_unit(std::uint32_t state);
  void list_states();

  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Use {
    std::uint32_t content, state;
  };

  std::span<const State> states_;
  std::uint32_t unit_;
  std::uint64_t first_unit_ = 0;  // of the region
  std::uint64_t open_unit_ = 0;   // whose parts are being gathered
  std::vector<image::Chain::VisibleExtent> extents_;
  std::vector<Part> open_parts_;
  std::vector<Part> parts_;
  std::vector<Content> contents_;
  std::vector<std::uint32_t> newest_;   // per unit of the region: its last content
  std::vector<std::uint32_t> earlier_;  // per content: the content before it of the same unit
  std::vector<Use> uses_;
  std::vector<std::uint32_t> state_lists_;
};

// Whether the content is a whole unit of plain data whose place in its file is a multiple of `alignment` (bytes;
// 0: nothing is), so that its blocks can be cloned.
[[nodiscard]] bool is_clonable(const UnitMap &map, const Content &content, const Sources &sources, std::uint32_t unit,
                               std::uint32_t alignment);

}  // namespace ferry::copy
