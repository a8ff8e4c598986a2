// SPDX-License-Identifier: Apache-2.0
// UUIDs prove that an image continues another (VDI, VHD, VirtualBox's VMDK). VMware's content id is 32 bits that change
// with the first write: there the child must name the parent's file as well.
#include "converters/images/newer_state.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>

#include "converters/images/links.hpp"

#include "support/file.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::image {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostCandidates = 2000;  // images of all folders; a machine with more is none
constexpr std::size_t kLongestLine = 256;      // images; VMware allows 32, VirtualBox sets no limit

using ImagePtr = std::shared_ptr<FormatImage>;

bool has_image_suffix(const fs::path &file) {
  const std::string suffix = text::lower_ascii(file.extension().string());
  return suffix == ".vdi" || suffix == ".vmdk" || suffix == ".vhd" || suffix == ".vhdx" || suffix == ".avhd" ||
         suffix == ".avhdx";
}

std::set<fs::path> folders_to_search(const FormatImage &leaf, const OpenOptions &options) {
  std::set<fs::path> out;
  for (const fs::path &root : allowed_roots(leaf.info().file, options)) {
    out.insert(root);
    std::error_code failed;
    if (on_host::is_directory(root / "Snapshots", failed)) out.insert(root / "Snapshots");
  }
  return out;
}

bool names(const Linkage &child, const FormatImage &parent) {
  const std::string name = parent.info().file.filename().string();
  return std::ranges::any_of(child.parent_names, [&](const std::string &hint) {
    return text::iequals_ascii(hint.substr(hint.find_last_of('/') + 1), name);
  });
}

bool continues(const FormatImage &child, const FormatImage &parent) {
  if (!child.info().has_parent || !same_identity(child.linkage(), parent.linkage()).value_or(false)) return false;
  return child.linkage().parent_id.has_value() || names(child.linkage(), parent);
}

class Search {
 public:
  Search(const OpenOptions &options, const std::set<fs::path> &known) : options_(options), known_(known) {}

  NewerState run(const Medium &medium) {
    ImagePtr leaf;
    try {
      leaf = open_header(medium.chain.back(), options_);
    } catch (const Error &) {
      return {};  // whoever reads the disk will say why
    }
    collect(*leaf);
    follow(*leaf, {});
    NewerState out;
    if (lines_.empty()) return out;
    const auto newest = std::ranges::max_element(lines_, {}, [](const auto &line) { return changed(*line.back()); });
    for (const ImagePtr &image : *newest) out.chain.push_back(file_of(*image));
    for (const auto &line : lines_) {
      for (const ImagePtr &image : line) {
        const bool taken = std::ranges::find(*newest, image) != newest->end();
        if (!taken && std::ranges::find(out.others, image->info().file) == out.others.end())
          out.others.push_back(image->info().file);
      }
    }
    return out;
  }

 private:
  static std::int64_t changed(const FormatImage &image) {
    const auto status = file::status_of(image.info().file);
    return status ? status->modified : std::numeric_limits<std::int64_t>::min();
  }

  static ImageFile file_of(const FormatImage &image) {
    ImageFile out;
    out.declared_location = image.info().file.string();
    out.pieces.push_back({image.info().file, 0, std::nullopt});
    return out;
  }

  void collect(const FormatImage &leaf) {
    for (const fs::path &folder : folders_to_search(leaf, options_)) {
      std::error_code failed;
      for (const on_host::Entry &entry : on_host::list(folder, failed)) {
        std::error_code ignored;
        if (!has_image_suffix(entry.path) || !entry.is_file) continue;
        const fs::path real = on_host::canonical(entry.path, ignored);
        if (known_.contains(real) || candidates_.size() >= kMostCandidates || candidates_.contains(real)) continue;
        ImageFile file;
        file.declared_location = real.string();
        file.pieces.push_back({real, 0, std::nullopt});
        try {
          if (ImagePtr image = open_header(file, options_); image->info().has_parent) candidates_[real] = image;
        } catch (const Error &) {
          // An extent, something damaged, another format: it continues nothing that could be read.
        }
      }
    }
  }

  void follow(const FormatImage &parent, std::vector<ImagePtr> line) {
    bool end = true;
    for (const auto &[path, image] : candidates_) {
      if (line.size() >= kLongestLine || std::ranges::find(line, image) != line.end()) continue;
      if (!continues(*image, parent)) continue;
      end = false;
      std::vector<ImagePtr> longer = line;
      longer.push_back(image);
      follow(*image, std::move(longer));
    }
    if (end && !line.empty()) lines_.push_back(std::move(line));
  }

  const OpenOptions &options_;
  const std::set<fs::path> &known_;
  std::map<fs::path, ImagePtr> candidates_;
  std::vector<std::vector<ImagePtr>> lines_;  // from the attached image's child to a leaf
};

}  // namespace

NewerState newer_state(const Medium &medium, const OpenOptions &options, const std::set<fs::path> &known) {
  if (medium.chain.empty()) return {};
  const ImageFile &leaf = medium.chain.back();
  const bool whole_file = leaf.pieces.size() == 1 && leaf.pieces.front().offset == 0 && !leaf.pieces.front().length;
  if (!whole_file || leaf.gzip || leaf.gzip_outer || leaf.encrypted) return {};
  return Search(options, known).run(medium);
}

}  // namespace ferry::image
