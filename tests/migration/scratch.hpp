// SPDX-License-Identifier: Apache-2.0
// A folder that goes with the test, and the environment pointed into it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace ferry::tests {

class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ferry-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    folder_ = pattern;
    setenv("XDG_STATE_HOME", (folder_ / "state").c_str(), 1);
    setenv("HOME", folder_.c_str(), 1);
    unsetenv("VBOX_USER_HOME");
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  [[nodiscard]] const std::filesystem::path &folder() const { return folder_; }
  std::filesystem::path write(const std::string &name, const std::string &text) const {
    const auto file = folder_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace ferry::tests
