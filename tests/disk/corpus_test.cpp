// SPDX-License-Identifier: Apache-2.0
// Whole machines written by VirtualBox: every disk is converted, and what QEMU
// reads back of the last has the digest that VirtualBox gave. The corpus is not part of the repository.
#include "tests/kit/corpus.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/disk/disk_fixture.hpp"

namespace ferry::test {
namespace {

ImageFile by_content(const std::filesystem::path &path) {
  ImageFile file{.declared_location = path.filename().string(), .pieces = {{.file = path}}};
  file.declared_format = image::detect_format(file) == ImageFormat::unknown ? ImageFormat::raw : ImageFormat::unknown;
  return file;
}

TEST(Corpus, EveryDiskReadsBackThroughQemuAsVirtualboxReadsIt) {
  if (subprocess::find_program("qemu-nbd").empty()) GTEST_SKIP() << "qemu-nbd is not installed";
  if (corpus().empty()) GTEST_SKIP() << "no corpus";
  TempFolder folder;
  for (const char *name : {"virtualbox-6.1", "virtualbox-7.0"}) {
    ASSERT_TRUE(subprocess::run({.program = "tar",
                                 .arguments = {"-xSJf", (corpus() / (std::string(name) + ".tar.xz")).string(), "-C",
                                               folder.path().string()},
                                 .limits = {},
                                 .on_line = {}})
                    .ok());
  }
  std::vector<std::filesystem::path> lists;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (entry.path().filename() == "expected.sha256") lists.push_back(entry.path());
  }
  ASSERT_FALSE(lists.empty());
  unsigned converted = 0;
  for (const std::filesystem::path &list : lists) {
    const std::filesystem::path root = list.parent_path();
    image::OpenOptions options{.allowed_folders = {root}, .known_images = {}};
    std::vector<std::pair<std::filesystem::path, std::string>> disks;
    std::ifstream in(list);
    for (std::string line; std::getline(in, line);) {
      const auto blank = line.find_first_of(" \t");
      if (blank == std::string::npos || line.starts_with('#')) continue;
      const auto begin = line.find_first_not_of(" *\t", blank);
      const std::string file = line.substr(begin, line.find("  #", begin) - begin);
      if (file.find('!') != std::string::npos || !std::filesystem::exists(root / file)) continue;
      disks.emplace_back(root / file, line.substr(0, blank));
      options.known_images.push_back(by_content(root / file));
    }
    for (const auto &[path, digest] : disks) {
      disk::ConvertRequest request{.medium = {.chain = {by_content(path)}, .origin = {}},
                                   .target = folder / "out.qcow2",
                                   .durable = false,
                                   .verify = true,
                                   .open = options};
      try {
        EXPECT_EQ(disk::convert(request, nullptr, {}).sha256, digest) << path;
      } catch (const Error &error) {
        ADD_FAILURE() << path << ": " << error.what();
      }
      std::filesystem::remove(request.target);
      ++converted;
    }
  }
  EXPECT_GT(converted, 50U);
}

}  // namespace
}  // namespace ferry::test
