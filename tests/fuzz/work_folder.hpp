// SPDX-License-Identifier: Apache-2.0
// A folder in memory for targets that need files. Files are kept open and rewritten in place: making them anew for
// every input would take longer than what is tested.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unistd.h>

namespace ferry::fuzz {

class WorkFolder {
 public:
  WorkFolder() {
    const std::filesystem::path memory = "/dev/shm";
    std::string name =
        ((std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path()) / "ferry-fuzz-XXXXXX")
            .string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  WorkFolder(const WorkFolder &) = delete;
  WorkFolder &operator=(const WorkFolder &) = delete;
  ~WorkFolder() {
    for (const auto &[name, fd] : files_) ::close(fd);
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path &path() const { return path_; }

  // Writes `bytes` as the whole content of file `name`; gives its path.
  std::filesystem::path put(const std::string &name, std::span<const std::uint8_t> bytes) {
    const auto file = path_ / name;
    auto [entry, is_new] = files_.try_emplace(name, -1);
    if (is_new) entry->second = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const int fd = entry->second;
    if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(bytes.size())) != 0 ||
        ::pwrite(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
      std::abort();
    }
    return file;
  }
  std::filesystem::path put(const std::string &name, std::string_view text) {
    return put(name, {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()});
  }

 private:
  std::filesystem::path path_;
  std::map<std::string, int> files_;
};

}  // namespace ferry::fuzz
