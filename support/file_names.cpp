// SPDX-License-Identifier: Apache-2.0
#include "support/file_names.hpp"

#include <algorithm>
#include <system_error>

#include "support/folded_names.hpp"
#include "support/nearest.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::names {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestTail = 8;         // components; more never happen between a host's home and an image
constexpr std::size_t kMostEntries = 10'000;    // of a folder that is read for a like name
constexpr std::size_t kMostSearched = 100'000;  // below a folder of --search
constexpr int kDeepestSearch = 6;               // folders below it
constexpr std::size_t kMostNear = 4;            // names that a message can hold

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A folder of the image's name is no image: skip it.
bool usable(const fs::path &path) {
  std::error_code ignored;
  const fs::file_status status = on_host::status(path, ignored);
  return fs::exists(status) && !fs::is_directory(status);
}

bool is_regular(const fs::path &path) {
  std::error_code ignored;
  return on_host::is_regular_file(path, ignored);
}

bool is_folder(const fs::path &path) {
  std::error_code ignored;
  return on_host::is_directory(path, ignored);
}

std::vector<std::string> entries_of(const fs::path &folder) {
  std::vector<std::string> out;
  std::error_code failed;
  for (const on_host::Entry &entry : on_host::list(folder, failed, kMostEntries))
    out.push_back(entry.path.filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

// ---- one place ----

// `relative` below `base`, part by part: exact, else the one entry that differs in letter case or normal form only.
std::optional<fs::path> by_folded_parts(fs::path base, const fs::path &relative) {
  for (const fs::path &part : relative) {
    if (part.empty() || part == "." || part == "..") {
      base /= part;
      continue;
    }
    std::error_code ignored;
    if (on_host::exists(base / part, ignored)) {
      base /= part;
      continue;
    }
    const std::u32string wanted = folded(part.string());
    std::optional<std::string> hit;
    for (const std::string &entry : entries_of(base)) {
      if (!is_folded(entry, wanted)) continue;
      if (hit) return std::nullopt;  // two that differ in case only: neither is the one
      hit = entry;
    }
    if (!hit) return std::nullopt;
    base /= *hit;
  }
  return usable(base) ? std::optional(base) : std::nullopt;
}

// "a/b/c" -> {"a/b/c", "b/c", "c"}; parts that climb are left out, so a tail never leaves the folder it is tried in.
std::vector<fs::path> tails(const fs::path &path) {
  std::vector<fs::path> parts;
  for (const fs::path &part : path.relative_path()) {
    if (part == "..") {
      parts.clear();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  if (parts.size() > kLongestTail) parts.erase(parts.begin(), parts.end() - static_cast<std::ptrdiff_t>(kLongestTail));
  std::vector<fs::path> out;
  for (auto from = parts.begin(); from != parts.end(); ++from) {
    fs::path tail;
    std::for_each(from, parts.end(), [&tail](const fs::path &part) { tail /= part; });
    out.push_back(tail);
  }
  return out;
}

class Finder {
 public:
  Finder(std::string_view location, const fs::path &folder, const Places &places)
      : location_(location), folder_(folder), places_(places) {}

  Found find() {
    if (text::trim(location_).empty()) return found_;
    if (!as_written() && !by_tails() && !by_search()) note_near();
    return found_;
  }

 private:
  bool attempt(const fs::path &base, const fs::path &relative) {
    const fs::path normal = (base / relative).lexically_normal();
    if (std::find(found_.tried.begin(), found_.tried.end(), normal) != found_.tried.end()) return false;
    found_.tried.push_back(normal);
    if (usable(normal)) {
      found_.file = normal;
      return true;
    }
    if (const auto folded = by_folded_parts(base, relative.is_absolute() ? relative.relative_path() : relative)) {
      found_.file = folded->lexically_normal();
      found_.tried.push_back(*found_.file);
      return true;
    }
    return false;
  }

  bool as_written() {
    if (is_windows_path(location_)) return on_drive();
    const fs::path written{std::string(location_)};
    // An absolute name is one of the host that its file lies on.
    const fs::path root = on_host::root_of(folder_);
    if (written.is_absolute() ? attempt(root, written.relative_path()) : attempt(folder_, written)) {
      found_.elsewhere = written.is_relative() ? *found_.file != (folder_ / written).lexically_normal()
                                               : *found_.file != (root / written.relative_path()).lexically_normal();
      return true;
    }
    if (location_.starts_with('[') && location_.find(']') != std::string_view::npos) {
      const std::string store(location_.substr(1, location_.find(']') - 1));
      if (attempt(root / "vmfs/volumes", fs::path(store).relative_path() / with_slashes(location_))) return true;
    }
    const fs::path slashed{with_slashes(location_)};
    return slashed != written && slashed.is_relative() && !location_.starts_with('[') && attempt(folder_, slashed);
  }

  bool on_drive() {
    if (location_.size() < 3 || location_[1] != ':') return false;
    const auto drive = places_.drives.find(static_cast<char>(location_[0] | 0x20));
    if (drive == places_.drives.end()) return false;
    found_.elsewhere = attempt(drive->second, fs::path(with_slashes(location_)).relative_path());
    return found_.elsewhere;
  }

  bool by_tails() {
    const std::vector<fs::path> candidates = tails(with_slashes(location_));
    found_.elsewhere = true;
    // With a folder's name in it a tail says more than the bare name, and the user's folders come before a guess.
    const auto below = [&](const fs::path &folder, bool bare) {
      return std::any_of(candidates.begin(), candidates.end(),
                         [&](const fs::path &tail) { return tail.has_parent_path() != bare && attempt(folder, tail); });
    };
    const auto in_search = [&](bool bare) {
      return std::any_of(places_.search.begin(), places_.search.end(),
                         [&](const fs::path &folder) { return below(folder, bare); });
    };
    if (below(folder_, false) || in_search(false) || below(folder_, true)) return true;
    for (const fs::path &tail : candidates) {
      // A bare name in the folder above could be anybody's; with its own folder's name it is a sibling machine's.
      if (tail.has_parent_path() && attempt(folder_.parent_path(), tail)) return true;
    }
    if (in_search(true)) return true;
    found_.elsewhere = false;
    return false;
  }

  // The bare name anywhere below the folders that the user named, when there is one only.
  bool by_search() {
    const std::u32string wanted = folded(last_name(location_));
    std::vector<fs::path> hits;
    for (const fs::path &folder : places_.search) {
      for (const on_host::Entry &entry : on_host::list_below(folder, kDeepestSearch, kMostSearched)) {
        if (is_folded(entry.path.filename().string(), wanted) && usable(entry.path) &&
            std::find(hits.begin(), hits.end(), entry.path) == hits.end())
          hits.push_back(entry.path.lexically_normal());
      }
    }
    if (hits.empty()) return false;
    std::sort(hits.begin(), hits.end());
    if (hits.size() > 1) {
      found_.ambiguous = true;
      found_.near = hits;
      found_.near.resize(std::min(found_.near.size(), kMostNear));
      return true;  // nothing nearer is worth a word
    }
    found_.file = hits.front();
    found_.tried.push_back(hits.front());
    found_.elsewhere = true;
    return true;
  }

  // What lies in the folders that were looked in and has the same suffix, or the same stem: the likest first.
  void note_near() {
    const std::string wanted = last_name(location_);
    const std::u32string suffix = folded(fs::path(wanted).extension().string());
    const std::u32string stem = folded(fs::path(wanted).stem().string());
    std::vector<std::pair<std::size_t, fs::path>> ranked;
    std::vector<fs::path> folders;
    for (const fs::path &tried : found_.tried) {
      const fs::path folder = tried.parent_path();
      if (std::find(folders.begin(), folders.end(), folder) == folders.end() && is_folder(folder))
        folders.push_back(folder);
    }
    for (const fs::path &folder : folders) {
      for (const std::string &entry : entries_of(folder)) {
        const bool like = is_folded(fs::path(entry).extension().string(), suffix) ||
                          (!stem.empty() && is_folded(fs::path(entry).stem().string(), stem));
        // A file of settings of the same stem is what names the image, not the image.
        const std::string own = text::lower_ascii(fs::path(entry).extension().string());
        if (!like || own == ".vmx" || own == ".vbox" || own == ".ovf" || own == ".vmsd" || own == ".vmxf" ||
            own == ".nvram" || own == ".log" || !is_regular(folder / entry))
          continue;
        if (own == ".vbox-prev" || own == ".mf") continue;
        ranked.emplace_back(text::edit_distance(folded(entry), folded(wanted)), folder / entry);
      }
    }
    std::sort(ranked.begin(), ranked.end());
    for (const auto &[ignored, path] : ranked) {
      if (found_.near.size() < kMostNear) found_.near.push_back(path);
    }
  }

  std::string_view location_;
  const fs::path &folder_;
  const Places &places_;
  Found found_;
};

std::string list_of(const std::vector<fs::path> &paths) {
  std::string out;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    out += i == 0 ? "" : i + 1 == paths.size() ? " and " : ", ";
    out += text::printable(paths[i].string());
  }
  return out;
}

}  // namespace

bool is_windows_path(std::string_view location) {
  if (location.starts_with("\\\\")) return true;
  return location.size() >= 3 && is_letter(location[0]) && location[1] == ':' &&
         (location[2] == '\\' || location[2] == '/');
}

std::string with_slashes(std::string_view location) {
  if (location.starts_with('[') && location.find(']') != std::string_view::npos)
    return std::string(text::trim(location.substr(location.find(']') + 1)));
  const bool drive = is_windows_path(location) && !location.starts_with("\\\\");
  if (!is_windows_path(location) && location.find('\\') == std::string_view::npos) return std::string(location);
  std::string out(drive ? location.substr(2) : location);
  std::replace(out.begin(), out.end(), '\\', '/');
  return out;
}

std::string last_name(std::string_view location) { return fs::path(with_slashes(location)).filename().string(); }

std::map<char, fs::path> drives_around(const fs::path &file) {
  std::map<char, fs::path> out;
  for (fs::path folder = file.parent_path(); folder.has_relative_path(); folder = folder.parent_path()) {
    if (!is_folder(folder / "Windows") || !is_folder(folder / "Users")) continue;
    out['c'] = folder;
    if (folder.filename() == "c") {
      for (char letter = 'a'; letter <= 'z'; ++letter) {
        const fs::path sibling = folder.parent_path() / std::string(1, letter);
        if (is_folder(sibling)) out[letter] = sibling;
      }
    }
    break;
  }
  return out;
}

std::string Found::searched() const {
  std::string out = "it was looked for at " + list_of(tried);
  if (ambiguous) return out + "; several files have its name: " + list_of(near);
  if (!near.empty()) out += near.size() == 1 ? "; nearby is " : "; nearby are ";
  return out + list_of(near);
}

Found find(std::string_view location, const fs::path &folder, const Places &places) {
  return Finder(location, folder, places).find();
}

fs::path as_spelt(const fs::path &typed) {
  std::error_code ignored;
  if (typed.empty() || fs::exists(fs::symlink_status(typed, ignored))) return typed;
  fs::path out;
  for (const fs::path &part : typed) {
    if (part.empty() || fs::exists(fs::symlink_status(out / part, ignored))) {
      out /= part;
      continue;
    }
    const std::u32string wanted = decomposed(part.string());
    std::vector<std::string> hits;
    for (std::string &entry : entries_of(out.empty() ? "." : out)) {
      if (decomposed(entry) == wanted) hits.push_back(std::move(entry));
    }
    if (hits.size() != 1) return typed;
    out /= hits.front();
  }
  return out;
}

}  // namespace ferry::names
