// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <stdlib.h>  // mkdtemp
#include <string>

namespace ferry::libvirt::testing {

inline std::string read_file(const std::filesystem::path &file) {
  std::ifstream stream(file, std::ios::binary);
  EXPECT_TRUE(stream.is_open()) << file;
  return {std::istreambuf_iterator<char>{stream}, {}};
}

inline std::string recorded(const std::string &name) {
  return read_file(std::filesystem::path(FERRY_SOURCE_DIR) / "tests" / "host" / "data" / name);
}

// A folder of the test's own that goes away with it.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "ferry-host-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;

  [[nodiscard]] const std::filesystem::path &path() const { return path_; }
  std::filesystem::path write(const std::string &name, const std::string &content) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace ferry::libvirt::testing
