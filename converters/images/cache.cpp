// SPDX-License-Identifier: Apache-2.0
#include "converters/images/cache.hpp"

#include <algorithm>

#include "converters/images/format.hpp"

namespace ferry::image {
namespace {

// NUL cannot be in a path, so that no two lists of values give one key.
void add(std::string &key, const std::string &value) { key.append(value).push_back('\0'); }

std::string key_of_source(const ImageFile &file) {
  std::string key;
  for (const FileRange &piece : file.pieces) {
    add(key, piece.file.string());
    add(key, std::to_string(piece.offset));
    add(key, piece.length ? std::to_string(*piece.length) : "");
  }
  add(key, (file.gzip ? "gzip" : "") + std::string(file.gzip_outer ? " outer" : ""));
  return key;
}

// What else decides how an image is read, and what its findings name.
std::string key_of_image(const ImageFile &file) {
  std::string key = key_of_source(file);
  add(key, std::to_string(static_cast<int>(file.declared_format)));
  add(key, file.uuid ? file.uuid->text() : "");
  add(key, file.declared_location);
  add(key, file.declared_capacity ? std::to_string(*file.declared_capacity) : "");
  add(key, std::string(file.blank ? "blank" : "") + (file.encrypted ? "encrypted" : ""));
  add(key, file.origin.file.string());
  add(key, file.origin.line ? std::to_string(*file.origin.line) : "");
  add(key, file.origin.path);
  return key;
}

}  // namespace

bool Cache::unchanged(const Seen &files) {
  return std::ranges::all_of(files, [](const auto &seen) { return file::status_of(seen.first) == seen.second; });
}

Cache::Seen Cache::look_at(const ImageFile &file) {
  Seen out;
  for (const FileRange &piece : file.pieces) {
    if (!out.empty() && out.back().first == piece.file) continue;
    if (const auto status = file::status_of(piece.file)) out.emplace_back(piece.file, *status);
  }
  return out;
}

template <class T, class Make>
std::shared_ptr<T> Cache::remember(std::map<std::string, Known<T>> &known, const std::string &key, Seen files,
                                   const Make &make) {
  const std::scoped_lock lock(guard_);
  const auto found = known.find(key);
  if (found != known.end() && unchanged(found->second.files)) return found->second.what;
  std::shared_ptr<T> fresh = make();
  known.insert_or_assign(key, Known<T>{fresh, std::move(files)});
  return fresh;
}

std::shared_ptr<const FileOnDemand> Cache::file(const std::filesystem::path &path, const Place &origin) {
  const std::scoped_lock lock(guard_);
  const auto found = files_.find(path.string());
  if (found != files_.end() && unchanged(found->second.files)) return found->second.what;
  auto fresh = std::make_shared<const FileOnDemand>(path, origin);
  files_.insert_or_assign(path.string(), Known<const FileOnDemand>{fresh, {{path, fresh->status()}}});
  return fresh;
}

std::shared_ptr<const SourceFile> Cache::source(const ImageFile &file, const MakeSource &make) {
  return remember(sources_, key_of_source(file), look_at(file), make);
}

std::shared_ptr<const SourceFile> Cache::inflated(const std::filesystem::path &file, const MakeSource &make) {
  ImageFile whole;
  whole.pieces.push_back({file, 0, std::nullopt});
  return remember(inflated_, file.string(), look_at(whole), make);
}

void Cache::know_index(const std::filesystem::path &file, std::shared_ptr<const gzip::Index> index) {
  const std::scoped_lock lock(guard_);
  if (const auto status = file::status_of(file); status && index)
    indexes_.insert_or_assign(file.string(), Known<const gzip::Index>{std::move(index), {{file, *status}}});
}

std::shared_ptr<const gzip::Index> Cache::index(const std::filesystem::path &file) {
  const std::scoped_lock lock(guard_);
  const auto found = indexes_.find(file.string());
  return found != indexes_.end() && unchanged(found->second.files) ? found->second.what : nullptr;
}

std::shared_ptr<FormatImage> Cache::image(const ImageFile &file, const MakeImage &make) {
  const std::scoped_lock lock(guard_);
  const std::string key = key_of_image(file);
  const auto found = images_.find(key);
  if (found != images_.end() && unchanged(found->second.files)) return found->second.what;
  Seen seen = look_at(file);
  std::shared_ptr<FormatImage> fresh = make();
  for (const auto &part : fresh->files()) {  // a VMDK's extents
    const bool known = std::ranges::any_of(seen, [&](const auto &one) { return one.first == part->path(); });
    if (const auto status = file::status_of(part->path()); status && !known) seen.emplace_back(part->path(), *status);
  }
  images_.insert_or_assign(key, Known<FormatImage>{fresh, std::move(seen)});
  return fresh;
}

std::shared_ptr<FormatImage> Cache::parent(const std::shared_ptr<FormatImage> &child, const MakeImage &make) {
  const std::scoped_lock lock(guard_);
  if (const auto found = parents_.find(child); found != parents_.end()) return found->second;
  return parents_[child] = make();
}

}  // namespace ferry::image
