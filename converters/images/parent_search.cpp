// SPDX-License-Identifier: Apache-2.0
// Where the parent of an image may be when no registry lists it.
#include <algorithm>
#include <utility>

#include "converters/images/findings.hpp"
#include "converters/images/links.hpp"

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::image {
namespace {

constexpr std::size_t kMostSearchedFiles = 2000;  // images of a folder that a search looks at

using ImagePtr = std::shared_ptr<FormatImage>;

// Where a parent that nobody listed may be.
class ParentSearch {
 public:
  ParentSearch(const FormatImage &child, const OpenOptions &options)
      : child_(child), options_(options), roots_(allowed_roots(child.info().file, options)) {}

  ImagePtr find() {
    if (ImagePtr found = among_known()) return found;
    if (ImagePtr found = by_name()) return found;
    if (ImagePtr found = by_identity()) return found;
    if (modified_) return modified_;  // verify_link() says what differs, with both ends
    fail();
  }

 private:
  enum class By { name, identity };  // why a file is looked at: a stranger of the right name is worth a word

  // Nullptr unless `file` opens and is the parent. A candidate that is damaged is not the reason to stop: the
  // right one may follow, and if none does, the first complaint is part of the refusal.
  ImagePtr try_open(const ImageFile &file, By looked_for) {
    try {
      auto image = open_header(file, options_);
      if (same_identity(child_.linkage(), image->linkage()).value_or(false)) return image;
      if (looked_for == By::name) {
        note(quoted(*image) + " is another image");
        // VMware's content id changes when the parent does: by name it is the one, and the link says so.
        if (!modified_ && !child_.linkage().parent_id && image->linkage().cid) modified_ = image;
      }
    } catch (const Error &error) {
      note(error.what());
    }
    return nullptr;
  }

  ImagePtr try_path(const std::filesystem::path &path, By looked_for) {
    const reach::Judgement judgement = reach_of(path, roots_, options_);
    if (judgement.refused()) {
      outside_ = path;
      if (outside_why_.empty()) outside_why_ = judgement.why;
      return nullptr;
    }
    std::error_code failed;
    if (!on_host::exists(judgement.file, failed)) return nullptr;
    ImageFile file;
    file.declared_location = path.string();
    file.pieces.push_back({judgement.file, 0, std::nullopt});
    ImagePtr image = try_open(file, looked_for);
    if (image && judgement.verdict == reach::Verdict::own)
      image->add_finding(
          raise(kLinkOutside, {.file = child_.info().file},
                "The parent of " + quoted(child_) + " is " + quoted(*image) + ", " + judgement.why + "."));
    return image;
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
        if (ImagePtr found = try_open(known, by_hint ? By::name : By::identity)) return found;
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
      if (ImagePtr found = try_path(on_host::joined(folder, hint), By::name)) return found;
    }
    // Windows paths, another letter case, a tree that was copied from elsewhere.
    for (const auto &hint : child_.linkage().parent_names) {
      if (hint.find('\0') != std::string::npos) continue;
      for (const auto &base : {folder, options_.limits.folder}) {
        if (base.empty()) continue;
        names::Found looked = names::find(hint, base, options_.places);
        if (looked.file) {
          if (ImagePtr found = try_path(*looked.file, By::name)) return found;
        } else if (looked_.tried.empty()) {
          looked_ = std::move(looked);
        }
      }
    }
    for (const auto &name : base_names()) {
      if (name.empty() || name == ".." || name.find('\0') != std::string::npos) continue;
      for (const auto &root : roots_) {
        if (ImagePtr found = try_path(root / name, By::name)) return found;
      }
    }
    return nullptr;
  }

  // Every image in the folders, by its own UUID. Not for content ids: those are 32 random bits, too few for a search.
  ImagePtr by_identity() {
    if (!child_.linkage().parent_id) return nullptr;
    std::vector<ImagePtr> found;
    for (const auto &root : roots_) {
      for (const auto &file : images_in(root)) {
        if (file == child_.info().file) continue;
        if (ImagePtr image = try_path(file, By::identity); image && !already_in(found, *image))
          found.push_back(std::move(image));
      }
    }
    // Of copies that went different ways, the one in the state that the child noted.
    if (found.size() > 1) {
      const auto as_noted = [&](const ImagePtr &image) {
        const auto &noted = child_.linkage().parent_modification;
        return !noted || !image->linkage().modification || noted == image->linkage().modification;
      };
      if (std::ranges::any_of(found, as_noted)) std::erase_if(found, [&](const ImagePtr &i) { return !as_noted(i); });
    }
    if (found.size() > 1) refuse_choice(*found[0], *found[1]);
    return found.empty() ? nullptr : found.front();
  }

  static std::vector<std::filesystem::path> images_in(const std::filesystem::path &folder) {
    std::vector<std::filesystem::path> files;
    std::error_code failed;
    for (const on_host::Entry &entry : on_host::list(folder, failed)) {
      const auto suffix = text::lower_ascii(entry.path.extension().string());
      if (suffix != ".vdi" && suffix != ".vmdk" && suffix != ".vhd" && suffix != ".vhdx" && suffix != ".avhd" &&
          suffix != ".avhdx")
        continue;
      files.push_back(entry.path);
      if (files.size() == kMostSearchedFiles) break;
    }
    std::ranges::sort(files);
    return files;
  }

  static bool already_in(const std::vector<ImagePtr> &images, const FormatImage &image) {
    return std::ranges::any_of(images, [&](const ImagePtr &one) {
      std::error_code failed;
      return on_host::equivalent(one->info().file, image.info().file, failed);
    });
  }

  [[noreturn]] void refuse_choice(const FormatImage &one, const FormatImage &other) const {
    throw Error(ErrorKind::malformed,
                {.where = {.file = child_.info().file},
                 .message = "two images could be the parent of " + quoted(child_),
                 .found = quoted(one) + " and " + quoted(other),
                 .expected = "one image with UUID " + parent_identity(child_.linkage()),
                 .advice = "Move the one that does not belong to the machine to another folder, or migrate the whole "
                           "machine: its settings name the right one."});
  }

  void note(std::string complaint) {
    if (complaint_.empty()) complaint_ = std::move(complaint);
  }

  [[noreturn]] void fail() const {
    std::string searched;
    for (const auto &root : roots_) searched += (searched.empty() ? "'" : ", '") + root.string() + "'";
    std::string wanted = parent_identity(child_.linkage());
    std::vector<std::string> said;
    for (const auto &name : child_.linkage().parent_names) {
      if (std::ranges::find(said, name) != said.end()) continue;
      said.push_back(name);
      wanted += ", named '" + text::printable(name) + "'";
    }
    if (!outside_.empty() && complaint_.empty()) {
      throw Error(ErrorKind::unsafe,
                  {.where = {.file = child_.info().file},
                   .message = "the image's parent is outside the machine's folders",
                   .found = text::printable(outside_.string()) + (outside_why_.empty() ? "" : ", " + outside_why_),
                   .expected = "a file in " + searched,
                   .advice = "If the parent belongs to the machine, copy it beside the image, or allow its folder with "
                             "--allow-outside (--search for a single disk)."});
    }
    throw Error(ErrorKind::missing, {.where = {.file = child_.info().file},
                                     .message = "the parent of " + quoted(child_) + " was not found in " + searched +
                                                (looked_.tried.empty() ? "" : "; " + looked_.searched()) +
                                                (complaint_.empty() ? "" : "; " + complaint_),
                                     .found = {},
                                     .expected = wanted,
                                     .advice = "Copy the parent image too, or name its folder with --search."});
  }

  const FormatImage &child_;
  const OpenOptions &options_;
  std::vector<std::filesystem::path> roots_;
  std::filesystem::path outside_;
  std::string outside_why_;
  names::Found looked_;  // for the first name that was not there
  ImagePtr modified_;    // a VMDK of the right name with another content id
  std::string complaint_;
};

}  // namespace

ImagePtr find_parent(const FormatImage &child, const OpenOptions &options) {
  return ParentSearch(child, options).find();
}

}  // namespace ferry::image
