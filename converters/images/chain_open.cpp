// SPDX-License-Identifier: Apache-2.0
// From a medium to a verified chain: opens what is listed, finds the parents that only the images name, and
// checks every link by the formats' own identities.
//
// What VirtualBox does with modification UUIDs [seen in its images and read in descriptions of its disk layer]:
// an image gets a new one at the first write after it was opened; a differencing image notes its parent's when it is
// made and never again. VirtualBox itself does not compare them when it opens a chain, and after it merged an
// image (a snapshot was deleted) the note of the image above is stale though all is well. A stale note
// therefore means: either a snapshot was deleted, or the parent was changed behind the child's back, which
// corrupts the child. It is refused unless the user vouches for it (OpenOptions::allow_modified_parent).
#include <algorithm>
#include <set>
#include <sys/stat.h>
#include <utility>

#include "converters/images/findings.hpp"
#include "converters/images/format.hpp"
#include "model/support/text.hpp"

namespace ferry::image {
namespace {

constexpr std::size_t longest_chain = 256;         // images; VMware allows 32, VirtualBox sets no limit
constexpr std::size_t most_searched_files = 2000;  // images of a folder that a search looks at

using ImagePtr = std::shared_ptr<FormatImage>;

std::string quoted(const FormatImage &image) { return "'" + image.info().file.string() + "'"; }

[[noreturn]] void broken(const FormatImage &child, const FormatImage &parent, const std::string &message,
                         std::string found, std::string expected, std::string advice = {}) {
  if (advice.empty()) advice = "One of the two files is not the one that belongs here; restore the right one.";
  throw Error(ErrorKind::malformed, {.where = {.file = child.info().file},
                                     .message = "the link from " + quoted(child) + " to its parent " + quoted(parent) +
                                                " is broken: " + message,
                                     .found = std::move(found),
                                     .expected = std::move(expected),
                                     .advice = std::move(advice)});
}

void check_modified(FormatImage &child, const FormatImage &parent, const std::string &noted, const std::string &is,
                    const OpenOptions &options) {
  if (noted == is) return;
  if (!options.allow_modified_parent) {
    broken(child, parent, "the parent was modified after the child was made", is, noted,
           "If only a snapshot was deleted in VirtualBox, the disk is sound: allow it with --allow-modified-parent. "
           "Otherwise restore the parent as it was.");
  }
  child.add_finding(raise(modified_parent, {.file = child.info().file},
                          "The parent " + quoted(parent) + " is " + is + ", the child notes " + noted + "."));
}

// Compares ids only; nullopt: the pair has no id to compare.
std::optional<bool> same_identity(const Linkage &child, const Linkage &parent) {
  if (child.parent_id) {
    if (!parent.id) return std::nullopt;
    return child.parent_id == parent.id || (child.parent_id_alternative && child.parent_id_alternative == parent.id);
  }
  if (child.parent_cid) {
    if (!parent.cid) return std::nullopt;
    return child.parent_cid == parent.cid;
  }
  return std::nullopt;
}

std::string parent_identity(const Linkage &child) {
  if (child.parent_id) return child.parent_id->text();
  if (!child.parent_cid) return "no identity";
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "CID ";
  for (int shift = 28; shift >= 0; shift -= 4)
    text += digits[(*child.parent_cid >> static_cast<unsigned>(shift)) & 15U];
  return text;
}

std::string own_identity(const Linkage &image, const Linkage &child) {
  if (child.parent_id) return image.id ? image.id->text() : "an image without a UUID";
  return image.cid ? parent_identity({.parent_cid = image.cid}) : "an image without a CID";
}

void verify_link(FormatImage &child, const FormatImage &parent, const OpenOptions &options) {
  const Linkage &c = child.linkage();
  const Linkage &p = parent.linkage();
  if (!child.info().has_parent)
    broken(child, parent, "the child says that it stands alone", "an image without a parent", "a differencing image");
  const auto same = same_identity(c, p);
  if (!same) {
    broken(child, parent, "nothing proves that they belong together", own_identity(p, c), parent_identity(c),
           "Merge the chain in its own software into one image.");
  }
  if (!*same) broken(child, parent, "the child continues another image", own_identity(p, c), parent_identity(c));
  if (c.parent_id && c.parent_cid && p.cid && c.parent_cid != p.cid) {
    broken(child, parent, "the parent's content id is not the one that the child notes",
           own_identity(p, {.parent_cid = 0}), parent_identity({.parent_cid = c.parent_cid}));
  }
  if (c.parent_modification && p.modification) {
    check_modified(child, parent, c.parent_modification->text(), p.modification->text(), options);
  }
  if (c.parent_time_stamp && p.time_stamp) {
    check_modified(child, parent, "time stamp " + std::to_string(*c.parent_time_stamp),
                   "time stamp " + std::to_string(*p.time_stamp), options);
  }
  if (child.info().virtual_size != parent.info().virtual_size) {
    child.add_finding(raise(size_differs, {.file = child.info().file},
                            "The parent " + quoted(parent) + " has " + std::to_string(parent.info().virtual_size) +
                                " bytes, the child " + std::to_string(child.info().virtual_size) + "."));
  }
}

// Where a parent that nobody listed may be.
class ParentSearch {
 public:
  ParentSearch(const FormatImage &child, const OpenOptions &options)
      : child_(child), options_(options), roots_(allowed_roots(child.info().file, options)) {}

  ImagePtr find() {
    if (ImagePtr found = among_known()) return found;
    if (ImagePtr found = by_name()) return found;
    if (ImagePtr found = by_identity()) return found;
    fail();
  }

 private:
  // Nullptr unless `file` opens and is the parent. A candidate that is damaged is not the reason to stop: the
  // right one may follow, and if none does, the first complaint is part of the refusal.
  ImagePtr try_open(const ImageFile &file) {
    try {
      auto image = open_header(file, options_);
      if (same_identity(child_.linkage(), image->linkage()).value_or(false)) return image;
      note("'" + file.display_path().string() + "' is another image");
    } catch (const Error &error) {
      note(error.what());
    }
    return nullptr;
  }

  ImagePtr try_path(const std::filesystem::path &path) {
    const auto real = resolve_below(path, roots_);
    if (!real) {
      outside_ = path;
      return nullptr;
    }
    std::error_code failed;
    if (!std::filesystem::exists(*real, failed)) return nullptr;
    ImageFile file;
    file.declared_location = path.string();
    file.pieces.push_back({*real, 0, std::nullopt});
    return try_open(file);
  }

  ImagePtr among_known() {
    const auto &parent = child_.linkage().parent_id;
    const auto names = base_names();
    // The registry's UUID first, then the hint's name, then whatever carries the right identity.
    for (int pass = 0; pass < 3; ++pass) {
      for (const ImageFile &known : options_.known_images) {
        if (known.pieces.empty()) continue;
        const bool by_uuid = known.uuid && parent && *known.uuid == *parent;
        const bool by_hint = std::ranges::find(names, known.display_path().filename().string()) != names.end();
        if (pass != (by_uuid ? 0 : by_hint ? 1 : 2)) continue;
        if (known.pieces.front().file == child_.info().file) continue;
        if (pass == 2 && known.uuid && parent && child_.info().format != ImageFormat::vhdx)
          continue;  // the registry says that it is another image
        if (ImagePtr found = try_open(known)) return found;
      }
    }
    return nullptr;
  }

  [[nodiscard]] std::vector<std::string> base_names() const {
    std::vector<std::string> names;
    for (const auto &hint : child_.linkage().parent_names) names.push_back(hint.substr(hint.find_last_of('/') + 1));
    return names;
  }

  ImagePtr by_name() {
    const auto folder = child_.info().file.parent_path();
    for (const auto &hint : child_.linkage().parent_names) {
      const bool windows = hint.size() > 1 && hint[1] == ':';
      if (windows || hint.find('\0') != std::string::npos) continue;
      if (ImagePtr found = try_path(folder / hint)) return found;
    }
    for (const auto &name : base_names()) {
      if (name.empty() || name == ".." || name.find('\0') != std::string::npos) continue;
      for (const auto &root : roots_) {
        if (ImagePtr found = try_path(root / name)) return found;
      }
    }
    return nullptr;
  }

  // Every image in the folders, by its own UUID. Not for content ids: those are 32 random bits, too few for a search.
  ImagePtr by_identity() {
    if (!child_.linkage().parent_id) return nullptr;
    std::size_t looked_at = 0;
    for (const auto &root : roots_) {
      std::error_code failed;
      std::vector<std::filesystem::path> files;
      for (std::filesystem::directory_iterator entry(root, failed), last; !failed && entry != last;
           entry.increment(failed)) {
        const auto suffix = text::lower_ascii(entry->path().extension().string());
        if (suffix != ".vdi" && suffix != ".vmdk" && suffix != ".vhd" && suffix != ".vhdx" && suffix != ".avhd" &&
            suffix != ".avhdx")
          continue;
        if (++looked_at > most_searched_files) break;
        files.push_back(entry->path());
      }
      std::ranges::sort(files);
      for (const auto &file : files) {
        if (file.filename() == child_.info().file.filename()) continue;
        if (ImagePtr found = try_path(file)) return found;
      }
    }
    return nullptr;
  }

  void note(std::string complaint) {
    if (complaint_.empty()) complaint_ = std::move(complaint);
  }

  [[noreturn]] void fail() const {
    std::string searched;
    for (const auto &root : roots_) searched += (searched.empty() ? "'" : ", '") + root.string() + "'";
    std::string wanted = parent_identity(child_.linkage());
    for (const auto &name : child_.linkage().parent_names) wanted += ", named '" + text::printable(name) + "'";
    if (!outside_.empty() && complaint_.empty()) {
      throw Error(ErrorKind::unsafe,
                  {.where = {.file = child_.info().file},
                   .message = "the image's parent leads out of the machine's folders",
                   .found = text::printable(outside_.string()),
                   .expected = "a file in " + searched,
                   .advice = "If the parent belongs to the machine, allow its folder or copy it beside the image."});
    }
    throw Error(ErrorKind::missing, {.where = {.file = child_.info().file},
                                     .message = "the parent of " + quoted(child_) + " was not found in " + searched +
                                                (complaint_.empty() ? "" : "; " + complaint_),
                                     .found = {},
                                     .expected = wanted,
                                     .advice = "Copy the parent image too, or name the folder that it is in."});
  }

  const FormatImage &child_;
  const OpenOptions &options_;
  std::vector<std::filesystem::path> roots_;
  std::filesystem::path outside_;
  std::string complaint_;
};

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
    require(images.size() < longest_chain, {.file = images.front()->info().file}, "the chain is too long",
            images.size() + 1, "at most " + std::to_string(longest_chain) + " images");
    ImagePtr parent = ParentSearch(*images.back(), options).find();
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
