// SPDX-License-Identifier: Apache-2.0
// From a medium to a verified chain: opens what is listed, finds the parents that only the images name, and has every
// link checked.
#include <mutex>
#include <set>
#include <utility>

#include "converters/images/cache.hpp"
#include "converters/images/links.hpp"

namespace ferry::image {
namespace {

constexpr std::size_t kLongestChain = 256;  // images; VMware allows 32, VirtualBox sets no limit

using ImagePtr = std::shared_ptr<FormatImage>;

// Notices a chain that comes back to itself, under any name.
class Loops {
 public:
  void refuse(const FormatImage &image) {
    const auto identity = image.files().empty() ? std::nullopt : image.files().front()->identity();
    const bool fresh = identity ? files_.insert(*identity).second : names_.insert(image.info().file).second;
    if (fresh) return;
    throw Error(ErrorKind::malformed, {.where = {.file = image.info().file},
                                       .message = "the chain of images loops back to " + quoted(image),
                                       .found = "a loop",
                                       .expected = "a base image at the end",
                                       .advice = "Restore the images: their links to their parents are damaged."});
  }

 private:
  std::set<SourceFile::Identity> files_;
  std::set<std::filesystem::path> names_;  // of images that are not the bytes of one file
};

}  // namespace

Chain open_chain(const Medium &medium, const OpenOptions &options) {
  std::unique_lock<std::recursive_mutex> lock;
  if (options.cache) lock = options.cache->lock();
  Loops loops;
  std::vector<ImagePtr> images;  // leaf first while it is built
  for (auto file = medium.chain.rbegin(); file != medium.chain.rend(); ++file) {
    images.push_back(open_header(*file, options));
    if (images.size() > 1) verify_link(*images[images.size() - 2], *images.back(), options);
    loops.refuse(*images.back());
  }
  while (!images.empty() && images.back()->info().has_parent) {
    require(images.size() < kLongestChain, {.file = images.front()->info().file}, "the chain is too long",
            images.size() + 1, "at most " + std::to_string(kLongestChain) + " images");
    const auto find = [&] { return find_parent(*images.back(), options); };
    ImagePtr parent = options.cache ? options.cache->parent(images.back(), find) : find();
    verify_link(*images.back(), *parent, options);
    loops.refuse(*parent);
    images.push_back(std::move(parent));
  }
  std::vector<std::shared_ptr<const Image>> chain;
  for (auto image = images.rbegin(); image != images.rend(); ++image) {
    (*image)->check_once();
    chain.push_back(*image);
  }
  return with_changes(Chain(std::move(chain)), medium.changes);
}

}  // namespace ferry::image
