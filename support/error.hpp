// SPDX-License-Identifier: Apache-2.0
// The one exception type of virt-ferry, and the place in a user's file that errors and findings point at.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ferry {

// A place in a file of the user's. `line` counts from 1; `path` names the spot inside the file in the
// file's own terms: "/VirtualBox/Machine/Hardware/CPU/@count", "ethernet0.address", "offset 0x170 (block size)".
// All three may be absent: an error about the host has no file.
struct Place {
  std::filesystem::path file;
  std::optional<std::uint64_t> line;
  std::string path;

  // "machine.vbox:17: /VirtualBox/Machine" — the parts that are known, joined; "" when none is.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Place &, const Place &) = default;
};

// What went wrong, in the terms that decide the exit code (see exit_code()).
enum class ErrorKind {
  usage,        // the command line or a manifest asks for something that makes no sense
  malformed,    // a source file is not what its format demands
  missing,      // a file that the source needs is not there
  unsupported,  // the source is sound, but this part of it cannot be carried
  encrypted,    // the content cannot be read without a key
  unsafe,       // reading on would follow the source outside of what belongs to it
  conflict,     // a target, name, MAC or UUID is already taken
  no_space,     // the destination has not enough room
  unreachable,  // what the run speaks with does not answer: libvirt, or another computer
  libvirt,      // libvirt refused something on an open connection
  subprocess,   // qemu-img or another program failed
  io,           // the operating system refused to read or write
  verify,       // what was written is not what was read
  cancelled,    // the user or a deadline stopped the work
  internal,     // a defect of virt-ferry
};

[[nodiscard]] std::string_view to_string(ErrorKind kind);

// 2 for wrong usage, 3 for a source or a host that cannot be served as it is, 1 for work that failed.
[[nodiscard]] int exit_code(ErrorKind kind);

// Every error names what is known of: where, what was found, what was expected, what the user can do.
// `message` is one sentence without a final full stop; `advice` is an imperative sentence, or empty.
struct ErrorDetail {
  Place where{};
  std::string message{};
  std::string found{};
  std::string expected{};
  std::string advice{};
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, ErrorDetail detail);
  [[nodiscard]] ErrorKind kind() const { return kind_; }
  [[nodiscard]] const ErrorDetail &detail() const { return detail_; }

 private:
  ErrorKind kind_;
  ErrorDetail detail_;
};

}  // namespace ferry
