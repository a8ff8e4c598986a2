// SPDX-License-Identifier: Apache-2.0
// What a run has read of its source's images: a file is opened once, a header read once, tables gone through once,
// however many snapshots share them, and the plan and the work share them too.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "converters/images/open_files.hpp"
#include "model/medium.hpp"

#include "support/gzip.hpp"

namespace ferry::image {

class FormatImage;
class SourceFile;

// All members are thread-safe. What is given was as it is now: a file that was changed since (size, times, identity) is
// read anew. `make` is called for what is not known; what it throws is thrown on and not remembered.
class Cache {
 public:
  Cache() = default;
  Cache(const Cache &) = delete;
  Cache &operator=(const Cache &) = delete;

  [[nodiscard]] std::shared_ptr<const FileOnDemand> file(const std::filesystem::path &path, const Place &origin);

  using MakeSource = std::function<std::shared_ptr<const SourceFile>()>;
  // The pieces of an image as one file.
  [[nodiscard]] std::shared_ptr<const SourceFile> source(const ImageFile &file, const MakeSource &make);
  // A file that is a gzip stream as a whole, inflated.
  [[nodiscard]] std::shared_ptr<const SourceFile> inflated(const std::filesystem::path &file, const MakeSource &make);

  // What somebody else found of that file on his way through it: it need not be read through again.
  void know_index(const std::filesystem::path &file, std::shared_ptr<const gzip::Index> index);
  // nullptr: nobody knows one.
  [[nodiscard]] std::shared_ptr<const gzip::Index> index(const std::filesystem::path &file);

  using MakeImage = std::function<std::shared_ptr<FormatImage>()>;
  [[nodiscard]] std::shared_ptr<FormatImage> image(const ImageFile &file, const MakeImage &make);
  // The parent that was found for `child`, an image of this cache.
  [[nodiscard]] std::shared_ptr<FormatImage> parent(const std::shared_ptr<FormatImage> &child, const MakeImage &make);

  // Held while images are put together: their findings and links are filled in then.
  [[nodiscard]] std::unique_lock<std::recursive_mutex> lock() { return std::unique_lock(guard_); }

 private:
  using Seen = std::vector<std::pair<std::filesystem::path, file::Status>>;
  template <class T>
  struct Known {
    std::shared_ptr<T> what;
    Seen files;  // that it was read from, as they were
  };
  [[nodiscard]] static bool unchanged(const Seen &files);
  [[nodiscard]] static Seen look_at(const ImageFile &file);
  template <class T, class Make>
  std::shared_ptr<T> remember(std::map<std::string, Known<T>> &known, const std::string &key, Seen files,
                              const Make &make);

  std::recursive_mutex guard_;
  std::map<std::string, Known<const FileOnDemand>> files_;
  std::map<std::string, Known<const SourceFile>> sources_, inflated_;
  std::map<std::string, Known<const gzip::Index>> indexes_;
  std::map<std::string, Known<FormatImage>> images_;
  std::map<std::shared_ptr<FormatImage>, std::shared_ptr<FormatImage>> parents_;
};

}  // namespace ferry::image
