// SPDX-License-Identifier: Apache-2.0
#include "importers/vagrant/box.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "support/file.hpp"
#include "support/folded_names.hpp"
#include "support/text.hpp"

namespace ferry::vagrant {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostText = std::size_t{1} << 20U;  // bytes of a Vagrantfile or metadata.json

std::string read_text(const fs::path &file) { return file::read_start(file, kMostText); }

}  // namespace

Box Box::of_listing(const fs::path &file, ovf::ArchiveListing listing) {
  Box out;
  out.file_ = file;
  out.archive_ = true;
  out.gzip_ = listing.gzip;
  out.index_ = std::move(listing.index);
  for (ovf::ArchiveMember &member : listing.members) {
    if (ovf::is_text_member(member.name)) out.texts_.emplace(member.name, std::move(member.text));
    out.members_.emplace(std::move(member.name), FileRange{file, member.offset, member.size});
  }
  return out;
}

Box Box::of_folder(const fs::path &metadata) {
  Box out;
  out.file_ = metadata;
  out.texts_.emplace("metadata.json", read_text(metadata));
  std::error_code error;
  if (const fs::path beside = metadata.parent_path() / "Vagrantfile"; fs::is_regular_file(beside, error))
    out.texts_.emplace("Vagrantfile", read_text(beside));
  return out;
}

std::optional<FileRange> Box::find(const std::string &location, const std::string &beside,
                                   const names::Places &places) const {
  if (text::trim(location).empty()) return std::nullopt;
  if (!archive_) {
    const names::Found found = names::find(location, file_.parent_path(), places);
    return found.file ? std::optional(FileRange{*found.file, 0, std::nullopt}) : std::nullopt;
  }
  const auto only = [this](const auto &is) -> std::optional<FileRange> {
    const auto hit = std::find_if(members_.begin(), members_.end(), is);
    if (hit == members_.end() || std::find_if(std::next(hit), members_.end(), is) != members_.end())
      return std::nullopt;
    return hit->second;
  };
  std::string tail = fs::path(names::with_slashes(location)).lexically_normal().string();
  while (!tail.empty()) {
    const std::string name = beside.empty() ? tail : beside + "/" + tail;
    if (const auto hit = members_.find(name); hit != members_.end()) return hit->second;
    const std::u32string wanted = names::folded(name);
    if (auto hit = only([&](const auto &member) { return names::folded(member.first) == wanted; })) return hit;
    const std::size_t slash = tail.find('/');
    tail = slash == std::string::npos ? std::string() : tail.substr(slash + 1);
  }
  const std::u32string last = names::folded(names::last_name(location));
  return only([&](const auto &member) { return names::folded(names::last_name(member.first)) == last; });
}

std::vector<std::string> Box::texts_with(std::string_view ending) const {
  std::vector<std::string> out;
  for (const auto &[name, text] : texts_) {
    const bool fork = fs::path(name).filename().string().starts_with("._");  // macOS's
    if (!fork && text::lower_ascii(name).ends_with(ending)) out.push_back(name);
  }
  return out;
}

const std::string *Box::text(const std::string &name) const {
  const auto hit = texts_.find(name);
  return hit == texts_.end() ? nullptr : &hit->second;
}

fs::path Box::shown(const std::string &name) const {
  return archive_ ? fs::path(file_.string() + "!" + name) : file_.parent_path() / name;
}

}  // namespace ferry::vagrant
