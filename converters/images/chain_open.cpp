// SPDX-License-Identifier: Apache-2.0
// From a medium to a verified chain: opens what is listed, finds the parents that only the images name, and has every
// link checked.
#include <set>
#include <sys/stat.h>
#include <utility>

#include "converters/images/links.hpp"

namespace ferry::image {
namespace {

constexpr std::size_t kLongestChain = 256;  // images; VMware allows 32, VirtualBox sets no limit

using ImagePtr = std::shared_ptr<FormatImage>;

// A file's identity, so that a chain that comes back to itself is noticed under any name.
std::string file_key(const FormatImage &image) {
  if (image.files().empty()) return {};
  const SourceFile &first = *image.files().front();
  struct stat status {};
  const auto [fd, base] = first.descriptor();
  if (fd < 0 || ::fstat(fd, &status) != 0) return image.info().file.string();
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) + ":" + std::to_string(base);
}

void refuse_loops(const std::vector<ImagePtr> &images) {
  std::set<std::string> seen;
  for (const auto &image : images) {
    if (seen.insert(file_key(*image)).second) continue;
    throw Error(ErrorKind::malformed, {.where = {.file = image->info().file},
                                       .message = "the chain of images comes back to " + quoted(*image),
                                       .found = "a loop",
                                       .expected = "a base image at the end",
                                       .advice = "The parent links are damaged; restore the images."});
  }
}

}  // namespace

Chain open_chain(const Medium &medium, const OpenOptions &options) {
  std::vector<ImagePtr> images;  // leaf first while it is built
  for (auto file = medium.chain.rbegin(); file != medium.chain.rend(); ++file) {
    images.push_back(open_header(*file, options));
    if (images.size() > 1) verify_link(*images[images.size() - 2], *images.back(), options);
  }
  while (!images.empty() && images.back()->info().has_parent) {
    require(images.size() < kLongestChain, {.file = images.front()->info().file}, "the chain is too long",
            images.size() + 1, "at most " + std::to_string(kLongestChain) + " images");
    ImagePtr parent = find_parent(*images.back(), options);
    verify_link(*images.back(), *parent, options);
    images.push_back(std::move(parent));
    refuse_loops(images);
  }
  refuse_loops(images);
  std::vector<std::shared_ptr<const Image>> chain;
  for (auto image = images.rbegin(); image != images.rend(); ++image) {
    (*image)->check_tables();
    chain.push_back(*image);
  }
  return Chain(std::move(chain));
}

}  // namespace ferry::image
