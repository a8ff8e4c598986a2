// SPDX-License-Identifier: Apache-2.0
// Files of a source, on this host or on another one: all that finds and reads a source looks at files through this.
//
// A file of another host has a path as any other has, with the host in front: "/ssh:USER@HOST:PORT/vms/web.vmx". It is
// absolute, so what std::filesystem does with names works as it is, and whoever forgets to ask here finds no such file
// on this host, never a wrong one. People write and read ssh://USER@HOST:PORT/vms/web.vmx (hosts/url.hpp).
// For a file of this host each function does what its namesake of std::filesystem does, and nothing else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "support/file.hpp"

namespace ferry::on_host {

// A regular file of this host or of another one, open for reading. Thread-safe.
class File {
 public:
  virtual ~File() = default;
  // Fills `length` bytes from `offset`. Throws Error io; malformed where fewer bytes are there; for a file of another
  // host also unreachable (the connection is lost and does not come back), and malformed where another file has the
  // name by now.
  virtual void read(std::uint64_t offset, void *into, std::size_t length) const = 0;
  [[nodiscard]] virtual const file::Status &status() const = 0;  // when it was opened
};

// What is in a folder; kinds are those of what a link leads to.
struct Entry {
  std::filesystem::path path;
  bool is_file = false;  // a regular one
  bool is_folder = false;
  bool is_link = false;
};

// Another host. Paths are whole ones, with the host in front. All members are thread-safe and throw Error unreachable
// when there is no connection; what the far side refuses is in their answers.
class Host {
 public:
  virtual ~Host() = default;
  // nullopt: there is no such file, or it may not be looked at. The file's identity is its resolved path.
  [[nodiscard]] virtual std::optional<file::Status> status(const std::filesystem::path &path, file::Links links) = 0;
  // In no order. nullopt: the folder cannot be listed.
  [[nodiscard]] virtual std::optional<std::vector<Entry>> list(const std::filesystem::path &folder) = 0;
  // With links resolved; nullopt where there is no such file.
  [[nodiscard]] virtual std::optional<std::filesystem::path> real(const std::filesystem::path &path) = 0;
  // Throws Error missing, unsafe (not a regular file) and io (it may not be read).
  [[nodiscard]] virtual std::shared_ptr<const File> open(const std::filesystem::path &path) = 0;
};

// Gives the host of "USER@HOST:PORT"; nullptr: none that this process may speak with, so no file is there.
using Finder = std::shared_ptr<Host> (*)(std::string_view authority);
// Before the first thread. Without one there are no other hosts.
void set_finder(Finder finder);

inline constexpr std::string_view kRemoteMark = "/ssh:";
[[nodiscard]] bool is_remote(const std::filesystem::path &path);
// "USER@HOST:PORT"; empty for a file of this host.
[[nodiscard]] std::string authority_of(const std::filesystem::path &path);
// Where "/" is on the host of that file: "/", or "/ssh:USER@HOST:PORT/".
[[nodiscard]] std::filesystem::path root_of(const std::filesystem::path &path);
// The path as it is called on its own host.
[[nodiscard]] std::filesystem::path path_there(const std::filesystem::path &path);
// A name that a file in `folder` (absolute) gives: an absolute one is of the same host.
[[nodiscard]] std::filesystem::path joined(const std::filesystem::path &folder, const std::filesystem::path &name);
[[nodiscard]] bool same_host(const std::filesystem::path &one, const std::filesystem::path &other);
// Never waits for a FIFO's writer. Throws Error missing (also where it is on no host that this process may speak with),
// unsafe (not a regular file) and io (it may not be read), and what Host::open throws.
[[nodiscard]] std::shared_ptr<const File> open(const std::filesystem::path &path);
// Of a remote file; see file::status_of().
[[nodiscard]] std::optional<file::Status> remote_status(const std::filesystem::path &path, file::Links links);

[[nodiscard]] std::filesystem::file_status status(const std::filesystem::path &path, std::error_code &error);
[[nodiscard]] bool exists(const std::filesystem::path &path, std::error_code &error);
[[nodiscard]] bool is_regular_file(const std::filesystem::path &path, std::error_code &error);
[[nodiscard]] bool is_directory(const std::filesystem::path &path, std::error_code &error);
[[nodiscard]] bool is_symlink(const std::filesystem::path &path, std::error_code &error);
[[nodiscard]] std::uintmax_t file_size(const std::filesystem::path &path, std::error_code &error);
[[nodiscard]] std::filesystem::path canonical(const std::filesystem::path &path, std::error_code &error);
[[nodiscard]] std::filesystem::path weakly_canonical(const std::filesystem::path &path, std::error_code &error);
[[nodiscard]] bool equivalent(const std::filesystem::path &one, const std::filesystem::path &other,
                              std::error_code &error);
// At most `most` of what is in a folder, in no order.
[[nodiscard]] std::vector<Entry> list(const std::filesystem::path &folder, std::error_code &error,
                                      std::size_t most = SIZE_MAX);
// As list(); throws Error io: a folder that cannot be listed is never taken for an empty one.
[[nodiscard]] std::vector<Entry> entries_of(const std::filesystem::path &folder);
// As list(), of all that lies below a folder too, links to folders left out; `deepest`: how many folders down.
[[nodiscard]] std::vector<Entry> list_below(const std::filesystem::path &folder, int deepest, std::size_t most);

}  // namespace ferry::on_host
