// SPDX-License-Identifier: Apache-2.0
// The variable store of EDK2 firmware: OVMF's *_VARS.fd and what VirtualBox keeps in its .nvram.
#pragma once

#include <cstdint>
#include <vector>

#include "converters/firmware/variable.hpp"

#include "support/error.hpp"

namespace ferry::firmware {

class Edk2Store {
 public:
  // Takes a whole firmware volume. Throws Error malformed (what is wrong, where) and Error unsupported for a store
  // of unauthenticated variables.
  Edk2Store(std::vector<std::uint8_t> bytes, const Place &place);

  // Live variables in the store's order; of several with the same name and GUID the one that EDK2 would use.
  [[nodiscard]] const std::vector<Variable> &variables() const { return variables_; }

  // Throws Error malformed when anything but erased flash follows the last variable: a store to append to has none.
  void require_erased_tail() const;

  // Bytes that appending may still use, and bytes that the store's variable area has in all.
  [[nodiscard]] std::size_t free_bytes() const { return end_ - tail_; }
  [[nodiscard]] std::size_t capacity() const { return end_ - first_; }
  // What a variable takes of that: header, name, data, and padding.
  [[nodiscard]] static std::size_t size_of(const Variable &variable);

  // Marks every copy of the variable as deleted, as firmware does; nothing happens when there is none.
  void remove(std::u16string_view name, const Guid &guid);
  // Removes the variable and writes it behind the last one. Throws Error no_space when it does not fit.
  void put(const Variable &variable);

  [[nodiscard]] const std::vector<std::uint8_t> &bytes() const { return bytes_; }

 private:
  struct Record {
    std::size_t offset;
    std::uint8_t state;
    Variable variable;
  };
  void check_volume(const Place &place);
  void read_records(const Place &place);
  void collect_live();

  std::vector<std::uint8_t> bytes_;
  Place place_;
  std::size_t first_ = 0, end_ = 0, tail_ = 0;
  std::vector<Record> records_;
  std::vector<Variable> variables_;
};

}  // namespace ferry::firmware
