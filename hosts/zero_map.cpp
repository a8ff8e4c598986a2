// SPDX-License-Identifier: Apache-2.0
#include "hosts/zero_map.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <unistd.h>

namespace ferry::hosts {
namespace {

constexpr std::string_view kGreeting = "virt-ferry-zeros ";
constexpr std::size_t kLongestLine = 64;           // bytes: two numbers of 64 bits
constexpr std::size_t kMostIgnored = 64UL << 10U;  // bytes
constexpr std::size_t kMostRuns = 1UL << 18U;      // some 20 MiB
constexpr std::size_t kMostAtOnce = 256UL << 10U;  // bytes of one look

// Both: a range is said when a hole begins or ends, and of data a MiB is looked at at a time. Holes are what lseek(2)
// says; where the file system knows none, it says that all is data. Neither has an apostrophe in it: the shell's
// quotes are.
constexpr std::string_view kPython = R"(
import os, sys
unit = 1 << 20
f = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(f).st_size
zeros = bytes(unit)
def say(text):
    os.write(1, (text + "\n").encode())
say("virt-ferry-zeros %d" % size)
def seek(at, whence, default):
    try:
        return os.lseek(f, at, whence)
    except OSError as error:
        return size if error.errno == 6 and whence == os.SEEK_DATA else default
known = hasattr(os, "SEEK_DATA")
at = 0
begin = None
while at < size:
    data = seek(at, os.SEEK_DATA, at) if known else at
    if data > at:
        say("%d %d" % (at, data))
        at = data
        continue
    hole = seek(at, os.SEEK_HOLE, size) if known else size
    if hole <= at:
        hole = size
    while at < hole:
        part = os.pread(f, min(unit, hole - at), at)
        if not part:
            sys.exit(1)
        end = at + len(part)
        if part == zeros[:len(part)]:
            say("%d %d" % (at, end))
        at = end
)";
constexpr std::string_view kPerl = R"(
use strict;
my $unit = 1 << 20;
my $zeros = "\0" x $unit;
open(my $f, "<:raw", $ARGV[0]) or exit 1;
my $size = -s $f;
$| = 1;
print "virt-ferry-zeros $size\n";
# The numbers of SEEK_DATA and SEEK_HOLE differ elsewhere.
my $known = $^O eq "linux";
my $at = 0;
while ($at < $size) {
  if ($known) {
    my $data = sysseek($f, $at, 3);
    $data = $!+0 == 6 ? $size : $at unless defined $data;
    if ($data > $at) {
      print $at + 0, " ", $data + 0, "\n";
      $at = $data + 0;
      next;
    }
  }
  my $hole = $known ? sysseek($f, $at, 4) : $size;
  $hole = $size if !defined $hole || $hole <= $at;
  while ($at < $hole) {
    my $want = $hole - $at < $unit ? $hole - $at : $unit;
    defined sysseek($f, $at, 0) or exit 1;
    my $part;
    my $got = sysread($f, $part, $want);
    exit 1 unless $got;
    print $at + 0, " ", $at + $got, "\n" if $part eq substr($zeros, 0, $got);
    $at += $got;
  }
}
)";

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

// The number in front, which is taken away with the character behind it.
bool take_number(std::string_view &text, std::uint64_t &out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.starts_with(' ')) text.remove_prefix(1);
  return true;
}

}  // namespace

std::string zero_script(std::string_view name) {
  // A file that is called "-x" is no option.
  const std::string file = in_quotes(name.starts_with('/') ? std::string(name) : "./" + std::string(name));
  std::string out;
  out += "if command -v python3 >/dev/null 2>&1; then exec python3 -c '" + std::string(kPython) + "' " + file +
         " 2>/dev/null </dev/null; fi\n";
  out += "if command -v perl >/dev/null 2>&1; then exec perl -e '" + std::string(kPerl) + "' " + file +
         " 2>/dev/null </dev/null; fi\n";
  return out + "exit 127\n";
}

void ZeroMap::update() {
  std::array<char, 4096> buffer{};
  for (std::size_t taken = 0; said_ && taken < kMostAtOnce;) {
    const ssize_t count = ::read(said_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return said_.reset();
    taken += static_cast<std::size_t>(count);
    rest_.append(buffer.data(), static_cast<std::size_t>(count));
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      if (!take(std::string_view(rest_).substr(begin, end - begin))) return said_.reset();
    }
    rest_.erase(0, begin);
    if (rest_.size() > (greeted_ ? kLongestLine : kMostIgnored)) return said_.reset();
  }
}

bool ZeroMap::take(std::string_view line) {
  if (!greeted_) {
    std::uint64_t size = 0;
    greeted_ = line.starts_with(kGreeting);
    if (!greeted_) return (ignored_ += line.size()) <= kMostIgnored;
    line.remove_prefix(kGreeting.size());
    return take_number(line, size) && line.empty() && size == size_;
  }
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  if (!take_number(line, begin) || !take_number(line, end) || !line.empty() || begin >= end || end > size_)
    return false;
  const auto last = runs_.empty() ? runs_.end() : std::prev(runs_.end());
  if (last != runs_.end() && begin < last->second) return false;
  if (last != runs_.end() && begin == last->second) {
    last->second = end;
    return true;
  }
  runs_.emplace_hint(runs_.end(), begin, end);
  return runs_.size() < kMostRuns;
}

std::uint64_t ZeroMap::zeros_until(std::uint64_t offset) const {
  const auto after = runs_.upper_bound(offset);
  if (after == runs_.begin()) return offset;
  return std::max(offset, std::prev(after)->second);
}

}  // namespace ferry::hosts
