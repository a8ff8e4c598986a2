// SPDX-License-Identifier: Apache-2.0
// Where the parent of an image may be when no registry lists it.
#include <algorithm>
#include <utility>

#include "converters/images/links.hpp"
#include "model/support/text.hpp"

namespace ferry::image {
namespace {

constexpr std::size_t most_searched_files = 2000;  // images of a folder that a search looks at

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

}  // namespace

ImagePtr find_parent(const FormatImage &child, const OpenOptions &options) {
  return ParentSearch(child, options).find();
}

}  // namespace ferry::image
