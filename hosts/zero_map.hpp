// SPDX-License-Identifier: Apache-2.0
// Where a file of another host is zeros, as a program there says while the file is read: what is known to be zeros need
// not travel. The program is python3 or perl, whichever the host has; it reads the file there, asks its file system for
// holes, and is told nothing but the file's name. Private to hosts/.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "support/file.hpp"

namespace ferry::hosts {

// What a POSIX shell on that host is given to read: the program for the file that is called `name` there. It says
//   virt-ferry-zeros SIZE
//   BEGIN END
//   ...
// in bytes, in ascending order; ranges that touch may be said apart.
[[nodiscard]] std::string zero_script(std::string_view name);

class ZeroMap {
 public:
  // `said`: what that program says, to be read without waiting (O_NONBLOCK). `size`: the file's, in bytes.
  ZeroMap(file::Descriptor said, std::uint64_t size) : said_(std::move(said)), size_(size) {}

  // Takes in what was said since; never waits. What is not said as above ends it, and what was known stays.
  void update();
  // Where the zeros that are known to be at `offset` end; `offset` itself when none are known to be there.
  [[nodiscard]] std::uint64_t zeros_until(std::uint64_t offset) const;

 private:
  bool take(std::string_view line);

  file::Descriptor said_;
  std::uint64_t size_;
  bool greeted_ = false;
  std::size_t ignored_ = 0;                      // bytes before the greeting: what a login says
  std::string rest_;                             // of a line that is not whole
  std::map<std::uint64_t, std::uint64_t> runs_;  // begin and end; they do not touch
};

}  // namespace ferry::hosts
