// SPDX-License-Identifier: Apache-2.0
// A folder of a test's own. Header only, so that tests of importers need no library of images.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ferry::test {

// A folder that goes away with the object; its path is canonical.
class TempFolder {
 public:
  explicit TempFolder(const std::filesystem::path &below = std::filesystem::temp_directory_path()) {
    std::string name = (below / "ferry-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    path_ = std::filesystem::canonical(name);
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder &) = delete;
  TempFolder &operator=(const TempFolder &) = delete;

  [[nodiscard]] const std::filesystem::path &path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  // Writes a file, and the folders that it lies in; `content` for tests to which any will do. Throws when it cannot.
  std::filesystem::path write(const std::filesystem::path &name, std::string_view content = "content") const {
    std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream out(file, std::ios::binary);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
    return file;
  }

 private:
  std::filesystem::path path_;
};

// A whole file. Throws when it cannot be read: what is not there is no empty file.
[[nodiscard]] inline std::string read_text(const std::filesystem::path &file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace ferry::test
