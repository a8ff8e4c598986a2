// SPDX-License-Identifier: Apache-2.0
#include "support/on_host.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/text.hpp"

namespace ferry::on_host {
namespace {

namespace fs = std::filesystem;

Finder &finder() {
  static Finder known = nullptr;
  return known;
}

std::shared_ptr<Host> host_of(const fs::path &path) {
  return finder() == nullptr ? nullptr : finder()(authority_of(path));
}

fs::file_type type_of(const file::Status &status) {
  switch (status.mode & S_IFMT) {
    case S_IFREG: return fs::file_type::regular;
    case S_IFDIR: return fs::file_type::directory;
    case S_IFLNK: return fs::file_type::symlink;
    case S_IFBLK: return fs::file_type::block;
    case S_IFCHR: return fs::file_type::character;
    case S_IFIFO: return fs::file_type::fifo;
    case S_IFSOCK: return fs::file_type::socket;
    default: return fs::file_type::unknown;
  }
}

[[noreturn]] void no_such_file(const fs::path &path) {
  throw Error(ErrorKind::missing,
              {.where = {.file = path}, .message = "there is no such file", .advice = "Check the path."});
}

[[noreturn]] void cannot_be_read(const fs::path &path, int code) {
  throw Error(ErrorKind::io, {.where = {.file = path},
                              .message = "the file cannot be read: " + std::generic_category().message(code),
                              .advice = code == EACCES || code == EPERM ? "Check its permissions and its owner."
                                                                        : "Check the disk that it is on."});
}

class FileHere final : public File {
 public:
  explicit FileHere(const fs::path &path)
      : path_(path), open_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {
    if (!open_) {
      const int code = errno;
      if (code == ENOENT || code == ENOTDIR) no_such_file(path);
      cannot_be_read(path, code);
    }
    status_ = file::status_of(open_.get(), path);
    if (!status_.is_regular()) {
      throw Error(ErrorKind::unsafe, {.where = {.file = path},
                                      .message = "this is not a regular file and is not opened",
                                      .expected = "a regular file"});
    }
  }
  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    auto *to = static_cast<char *>(into);
    while (length > 0) {
      const ssize_t got = pread(open_.get(), to, length, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) cannot_be_read(path_, errno);
      if (got == 0) {
        throw Error(ErrorKind::malformed,
                    {.where = {.file = path_, .path = "offset " + std::to_string(offset)},
                     .message = "the file ends before the end of its data",
                     .expected = std::to_string(length) + " more bytes",
                     .advice = "Copy the file again from the source: it is truncated, or it was changed meanwhile."});
      }
      to += got;
      offset += static_cast<std::uint64_t>(got);
      length -= static_cast<std::size_t>(got);
    }
  }
  [[nodiscard]] const file::Status &status() const override { return status_; }

 private:
  fs::path path_;
  file::Descriptor open_;
  file::Status status_;
};

std::error_code not_there() { return std::make_error_code(std::errc::no_such_file_or_directory); }

std::vector<Entry> list_here(const fs::path &folder, std::error_code &error, std::size_t most) {
  std::vector<Entry> out;
  for (fs::directory_iterator at(folder, error), end; !error && at != end && out.size() < most; at.increment(error)) {
    std::error_code ignored;
    out.push_back({at->path(), at->is_regular_file(ignored), at->is_directory(ignored), at->is_symlink(ignored)});
  }
  return out;
}

}  // namespace

void set_finder(Finder known) { finder() = known; }

bool is_remote(const fs::path &path) { return path.native().starts_with(kRemoteMark); }

std::string authority_of(const fs::path &path) {
  if (!is_remote(path)) return {};
  const std::string_view rest = std::string_view(path.native()).substr(kRemoteMark.size());
  return std::string(rest.substr(0, rest.find('/')));
}

fs::path root_of(const fs::path &path) {
  if (!is_remote(path)) return "/";
  return std::string(kRemoteMark) + authority_of(path) + "/";
}

fs::path path_there(const fs::path &path) {
  if (!is_remote(path)) return path;
  const std::size_t slash = path.native().find('/', kRemoteMark.size());
  return slash == std::string::npos ? "/" : path.native().substr(slash);
}

fs::path joined(const fs::path &folder, const fs::path &name) {
  return name.is_absolute() ? root_of(folder) / name.relative_path() : folder / name;
}

bool same_host(const fs::path &one, const fs::path &other) { return authority_of(one) == authority_of(other); }

std::shared_ptr<const File> open(const fs::path &path) {
  if (!is_remote(path)) return std::make_shared<FileHere>(path);
  if (const auto host = host_of(path)) return host->open(path);
  no_such_file(path);
}

std::optional<file::Status> remote_status(const fs::path &path, file::Links links) {
  const auto host = host_of(path);
  return host ? host->status(path, links) : std::nullopt;
}

fs::file_status status(const fs::path &path, std::error_code &error) {
  if (!is_remote(path)) return fs::status(path, error);
  error.clear();
  const auto found = remote_status(path, file::Links::follow);
  return found ? fs::file_status(type_of(*found)) : fs::file_status(fs::file_type::not_found);
}

bool exists(const fs::path &path, std::error_code &error) {
  if (!is_remote(path)) return fs::exists(path, error);
  return fs::exists(on_host::status(path, error));
}

bool is_regular_file(const fs::path &path, std::error_code &error) {
  if (!is_remote(path)) return fs::is_regular_file(path, error);
  return fs::is_regular_file(on_host::status(path, error));
}

bool is_directory(const fs::path &path, std::error_code &error) {
  if (!is_remote(path)) return fs::is_directory(path, error);
  return fs::is_directory(on_host::status(path, error));
}

bool is_symlink(const fs::path &path, std::error_code &error) {
  if (!is_remote(path)) return fs::is_symlink(path, error);
  error.clear();
  const auto found = remote_status(path, file::Links::no_follow);
  return found && type_of(*found) == fs::file_type::symlink;
}

std::uintmax_t file_size(const fs::path &path, std::error_code &error) {
  if (!is_remote(path)) return fs::file_size(path, error);
  error.clear();
  const auto found = remote_status(path, file::Links::follow);
  if (found && found->is_regular()) return found->size;
  error = not_there();
  return static_cast<std::uintmax_t>(-1);
}

fs::path canonical(const fs::path &path, std::error_code &error) {
  if (!is_remote(path)) return fs::canonical(path, error);
  error.clear();
  const auto host = host_of(path);
  auto out = host ? host->real(path) : std::nullopt;
  if (!out) error = not_there();
  return out.value_or(fs::path());
}

fs::path weakly_canonical(const fs::path &path, std::error_code &error) {
  if (!is_remote(path)) return fs::weakly_canonical(path, error);
  error.clear();
  const auto host = host_of(path);
  if (!host) return path.lexically_normal();
  fs::path rest;
  for (fs::path there = path; path_there(there).has_relative_path(); there = there.parent_path()) {
    if (const auto real = host->real(there)) return (rest.empty() ? *real : *real / rest).lexically_normal();
    rest = rest.empty() ? there.filename() : there.filename() / rest;
  }
  return path.lexically_normal();
}

bool equivalent(const fs::path &one, const fs::path &other, std::error_code &error) {
  if (!is_remote(one) && !is_remote(other)) return fs::equivalent(one, other, error);
  error.clear();
  const auto first = file::status_of(one), second = file::status_of(other);
  return first && second && first->same_file(*second);
}

std::vector<Entry> list(const fs::path &folder, std::error_code &error, std::size_t most) {
  if (!is_remote(folder)) return list_here(folder, error, most);
  error.clear();
  const auto host = host_of(folder);
  auto out = host ? host->list(folder) : std::nullopt;
  if (!out) {
    error = not_there();
    return {};
  }
  if (out->size() > most) out->resize(most);
  return *std::move(out);
}

std::vector<Entry> entries_of(const fs::path &folder) {
  std::error_code error;
  std::vector<Entry> out = on_host::list(folder, error);
  if (!error) return out;
  throw Error(ErrorKind::io, {.where = {.file = folder},
                              .message = "the folder cannot be read: " + error.message(),
                              .advice = "Check its permissions."});
}

std::vector<Entry> list_below(const fs::path &folder, int deepest, std::size_t most) {
  std::vector<Entry> out;
  if (!is_remote(folder)) {
    std::error_code error;
    for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error), end;
         !error && at != end && out.size() < most; at.increment(error)) {
      if (at.depth() >= deepest) at.disable_recursion_pending();
      std::error_code ignored;
      out.push_back({at->path(), at->is_regular_file(ignored), at->is_directory(ignored), at->is_symlink(ignored)});
    }
    return out;
  }
  std::error_code error;
  out = on_host::list(folder, error, most);
  std::vector<int> depth(out.size(), 0);
  for (std::size_t i = 0; i < out.size() && out.size() < most; ++i) {
    if (!out[i].is_folder || out[i].is_link || depth[i] >= deepest) continue;
    const int below = depth[i] + 1;
    for (Entry &entry : on_host::list(out[i].path, error, most - out.size())) {
      out.push_back(std::move(entry));
      depth.push_back(below);
    }
  }
  return out;
}

}  // namespace ferry::on_host
