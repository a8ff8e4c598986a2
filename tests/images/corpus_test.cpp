// SPDX-License-Identifier: Apache-2.0
// Real images: what VirtualBox 6.1 and 7.0 wrote, compared with what VirtualBox itself reads from them.
#include "tests/kit/corpus.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sstream>

#include "converters/images/image.hpp"
#include "tests/kit/files.hpp"

#include "support/text.hpp"

namespace ferry::test {
namespace {

namespace fs = std::filesystem;

bool is_image(const fs::path &file) {
  const auto suffix = text::lower_ascii(file.extension().string());
  return suffix == ".vdi" || suffix == ".vmdk" || suffix == ".vhd";
}

// The members of an uncompressed tar with short names and sizes below 8 GiB, as VirtualBox's exports have.
std::map<std::string, FileRange> tar_members(const fs::path &file) {
  std::map<std::string, FileRange> members;
  std::ifstream in(file, std::ios::binary);
  std::string header(512, '\0');
  for (std::uint64_t at = 0;
       in.seekg(static_cast<std::streamoff>(at)) && in.read(header.data(), 512) && header[0] != '\0';) {
    const std::uint64_t size = std::stoull(header.substr(124, 12), nullptr, 8);
    members[header.substr(0, header.find('\0'))] = {file, at + 512, size};
    at += 512 + (size + 511) / 512 * 512;
  }
  return members;
}

ImageFile named_image(const fs::path &folder, const std::string &name) {
  const auto mark = name.find('!');
  if (mark == std::string::npos) return image_file(folder / name);
  ImageFile image = image_file(folder / name.substr(0, mark));
  image.pieces = {tar_members(folder / name.substr(0, mark)).at(name.substr(mark + 1))};
  return image;
}

// Compares every image that `folder`/expected.sha256 lists; returns how many.
int compare_case(const fs::path &folder) {
  image::OpenOptions options;
  options.allowed_folders = {folder};
  for (const auto &entry : fs::recursive_directory_iterator(folder)) {
    if (is_image(entry.path())) options.known_images.push_back(image_file(entry.path()));
  }
  std::ifstream list(folder / "expected.sha256");
  int compared = 0;
  for (std::string line; std::getline(list, line);) {
    if (line.size() < 67 || line[0] == '#') continue;
    const std::string name(text::trim(line.substr(66, line.find("  #") - 66)));
    SCOPED_TRACE(folder.filename().string() + "/" + name);
    Medium medium;
    medium.chain = {named_image(folder, name)};
    if (line.find("file bytes") != std::string::npos) medium.chain[0].declared_format = ImageFormat::raw;
    try {
      EXPECT_EQ(content_sha256(image::open_chain(medium, options)), line.substr(0, 64));
    } catch (const Error &error) {
      ADD_FAILURE() << error.what();
    }
    ++compared;
  }
  return compared;
}

class VirtualBoxCorpus : public testing::TestWithParam<std::pair<const char *, int>> {};

TEST_P(VirtualBoxCorpus, EveryImageReadsAsVirtualBoxReadsIt) {
  const auto [name, expected] = GetParam();
  if (corpus().empty()) GTEST_SKIP() << "no corpus";
  const TempFolder folder;
  ASSERT_EQ(run({"tar", "-xJSf", (corpus() / (std::string(name) + ".tar.xz")).string(), "-C", folder.path().string()}),
            0);
  int compared = 0;
  for (const auto &entry : fs::recursive_directory_iterator(folder.path())) {
    if (entry.path().filename() == "expected.sha256") compared += compare_case(entry.path().parent_path());
  }
  EXPECT_EQ(compared, expected);
}

INSTANTIATE_TEST_SUITE_P(Corpus, VirtualBoxCorpus,
                         testing::Values(std::pair{"virtualbox-6.1", 88}, std::pair{"virtualbox-7.0", 9}));

}  // namespace
}  // namespace ferry::test
