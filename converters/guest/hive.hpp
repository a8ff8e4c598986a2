// SPDX-License-Identifier: Apache-2.0
// A hive of Windows' registry: keys and values, read where they lie. A hive of software has a hundred megabytes, of
// which a look needs some kilobytes, so nothing is read but what is asked for.
//
// Facts: the layout as hivex's documentation and Maxim Suhanov's "Windows registry file format specification" have it.
// Known deviants: key names in Latin-1 and in UTF-16, lists of subkeys with and without hashes, lists of lists.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "converters/guest/source.hpp"

namespace ferry::guest {

class Hive {
 public:
  // Throws malformed when it is none.
  explicit Hive(SourcePtr file);

  struct Key {
    std::uint32_t cell = 0;  // offset of its cell
  };
  struct Value {
    std::uint32_t type = 0;  // 1 text, 2 text with variables, 4 DWORD, 7 texts
    Bytes data;
    std::uint64_t data_at = 0;  // where in the file it lies
  };

  // Whether a write of it was begun and not ended (sequence numbers), or its header is damaged (checksum).
  [[nodiscard]] bool is_dirty() const { return dirty_; }
  // Grows with each write: what a log is newer than.
  [[nodiscard]] std::uint32_t sequence() const { return sequence_; }

  [[nodiscard]] Key root() const { return {root_}; }
  // By its path below `from`, with backslashes; case does not count. Throws malformed for what is damaged.
  [[nodiscard]] std::optional<Key> find(Key from, std::string_view path) const;
  [[nodiscard]] std::vector<std::pair<std::string, Key>> children(Key key) const;
  [[nodiscard]] std::optional<Value> value(Key key, std::string_view name) const;

  // nullopt: there is none, or it is of another type.
  [[nodiscard]] std::optional<std::uint32_t> dword(Key key, std::string_view name) const;
  [[nodiscard]] std::string text(Key key, std::string_view name) const;
  [[nodiscard]] std::vector<std::string> texts(Key key, std::string_view name) const;

 private:
  [[nodiscard]] Bytes cell(std::uint32_t offset, std::size_t at_most) const;
  [[nodiscard]] Bytes key_cell(Key key) const;
  [[nodiscard]] std::string key_name(const Bytes &cell) const;
  template <class Visit>
  bool visit_list(std::uint32_t list, int depth, const Visit &visit) const;
  [[nodiscard]] std::optional<Key> child(Key key, std::string_view name) const;

  SourcePtr file_;
  std::uint32_t root_ = 0, sequence_ = 0;
  bool dirty_ = false;
};

// Whether a transaction log (SYSTEM.LOG1) holds what a hive with that sequence number does not have yet.
[[nodiscard]] bool log_is_newer(const Source &log, std::uint32_t sequence);

}  // namespace ferry::guest
