// SPDX-License-Identifier: Apache-2.0
// The files of a box: members of an archive, or files in a folder.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "importers/common.hpp"
#include "importers/ovf/archive.hpp"
#include "model/medium.hpp"

#include "support/file_names.hpp"
#include "support/gzip.hpp"

namespace ferry::vagrant {

class Box : public SourcePackage {
 public:
  [[nodiscard]] static Box of_listing(const std::filesystem::path &file, ovf::ArchiveListing listing);
  // `metadata`: the metadata.json in the folder.
  [[nodiscard]] static Box of_folder(const std::filesystem::path &metadata);

  [[nodiscard]] const std::filesystem::path &file() const { return file_; }  // absolute: the archive, or metadata.json
  [[nodiscard]] bool is_archive() const { return archive_; }
  [[nodiscard]] bool is_gzip() const { return gzip_; }
  [[nodiscard]] const std::map<std::string, FileRange> &members() const { return members_; }  // of an archive
  [[nodiscard]] const std::shared_ptr<const gzip::Index> &index() const { return index_; }    // of a compressed one

  // The member that `location`, as another member in the folder `beside` writes it, names: ever shorter tails of it
  // there, then its last name anywhere, each also by folded names. In a folder, see names::find().
  [[nodiscard]] std::optional<FileRange> find(const std::string &location, const std::string &beside = {},
                                              const names::Places &places = {}) const;
  // Names of the text members with that ending, in lower case.
  [[nodiscard]] std::vector<std::string> texts_with(std::string_view ending) const;
  // The content of a text member; nullptr without one.
  [[nodiscard]] const std::string *text(const std::string &name) const;
  // How places name a member: "/x/a.box!metadata.json".
  [[nodiscard]] std::filesystem::path shown(const std::string &name) const;

 private:
  std::filesystem::path file_;
  bool archive_ = false, gzip_ = false;
  std::map<std::string, FileRange> members_;
  std::map<std::string, std::string> texts_;
  std::shared_ptr<const gzip::Index> index_;
};

}  // namespace ferry::vagrant
