// SPDX-License-Identifier: Apache-2.0
// A look into a machine's disks: what systems are on them, and in which state. It reads what is there and believes
// none of it; what cannot be read is said in the result, and never an error.
#pragma once

#include <vector>

#include "converters/guest/source.hpp"
#include "model/observed.hpp"

namespace ferry::guest {

class Look {
 public:
  explicit Look(const Limits &limits = {}) : budget_(limits) {}

  // The next disk of the machine; `number` from 1, in the source's order. It must stay until done().
  void add(std::size_t number, const image::Chain &chain);
  // A disk that cannot be opened at all: why.
  void add_problem(std::size_t number, const std::string &why);
  // Looks. To be called once.
  [[nodiscard]] Observed done();

 private:
  Budget budget_;
  struct One {
    std::size_t number = 0;
    std::shared_ptr<const Disk> disk;
  };
  std::vector<One> disks_;
  Observed out_;
};

}  // namespace ferry::guest
