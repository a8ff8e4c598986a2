// SPDX-License-Identifier: Apache-2.0
// VMware's dictionary files (.vmx, .vmsd, inventory.vmls, preferences): lines of `key = "value"`.
//
// Facts: the comments of open-vm-tools' lib/dict (the format's own low-level reader) and files in the wild.
//   blanks key blanks = blanks "value" blanks # comment
// A value without quotes ends at a blank or `#`. Inside a value `|XX` is the byte of those two hex digits;
// writers escape control characters but the tab, the double quote, the pipe and DEL. Keys are compared without
// regard to case. Lines that do not fit are kept by VMware as they are and mean nothing.
// Known deviants: CRLF, a `#!/usr/bin/vmware` first line, a UTF-8 byte order mark, quotes that do not close (the
// closing one lost to a wrong character conversion), unquoted values with blanks, prose after the last key,
// `encoding` without its leading dot (.vmsd), an encoding that is not the one declared.
// A key that stands twice: VMware's products refuse to start such a machine, its tools append; the last one wins
// here (as in Packer and Vagrant), and the reader says so.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/error.hpp"

namespace ferry::vmx {

struct Setting {
  std::string key;    // as written
  std::string value;  // UTF-8, escapes undone
  std::uint64_t line = 0;
};

// Something about a line that VMware would stumble over; the reader went on all the same.
struct Oddity {
  enum class Kind { unterminated_quote, text_after_value, not_a_setting, undecodable_value };
  Kind kind{};
  std::uint64_t line = 0;
  std::string text;  // UTF-8
};

struct Dictionary {
  std::vector<Setting> settings;  // in the file's order, with repeated keys
  std::vector<Oddity> oddities;
  std::string declared_encoding;  // empty: none
  std::string encoding;           // the one that the bytes were read in
};

// Takes the bytes of a whole file. `shown_as` names it in errors.
// Throws Error malformed for a NUL byte (a binary file) and for an encoding that nobody knows when the bytes are
// not UTF-8 either.
[[nodiscard]] Dictionary parse_dictionary(std::string_view bytes, const std::filesystem::path &shown_as);

// Throws Error malformed for signs that the bytes of a whole file are not what VMware wrote: the last line breaks off
// (in a file whose other lines are whole), or a key has a control character in it. VMware ends each line with a newline
// and each value with a quote; what people write by hand is taken as VMware takes it.
void refuse_damage(std::string_view bytes, const std::filesystem::path &shown_as);

// Reads a whole regular file. Throws Error missing when it is not there, io when it cannot be read, malformed
// when it is larger than `limit` bytes or not a regular file.
[[nodiscard]] std::string read_text_file(const std::filesystem::path &file, std::uint64_t limit);

// 4 MiB: the largest .vmx in the wild is below 100 KiB; embedded certificates and keys are the large part.
constexpr std::uint64_t kDictionaryLimit = 4ULL << 20U;

// "TRUE" and what VMware takes for it; nullopt for text that is no truth value.
[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text);

}  // namespace ferry::vmx
