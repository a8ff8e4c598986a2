// SPDX-License-Identifier: Apache-2.0
// An OVF package: a descriptor with the files that belong to it, in a folder or in an .ova.
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

namespace ferry::ovf {

class Package : public SourcePackage {
 public:
  // Opens an .ovf or .ova; which it is, the content says. Throws Error missing/io/malformed/unsafe.
  // `head`: as ImportOptions has it.
  static Package open(const std::filesystem::path &file, const file::Head *head = nullptr);
  // An .ova that was listed already.
  static Package of_listing(const std::filesystem::path &file, ArchiveListing listing);

  [[nodiscard]] const std::filesystem::path &file() const { return file_; }  // absolute: the .ovf or .ova
  [[nodiscard]] const std::string &descriptor() const { return descriptor_; }
  // How places name the descriptor: the .ovf, or "machine.ova!machine.ovf".
  [[nodiscard]] const std::filesystem::path &shown_as() const { return shown_as_; }
  [[nodiscard]] bool is_archive() const { return archive_; }
  [[nodiscard]] bool gzip_outer() const { return gzip_outer_; }
  [[nodiscard]] bool has_certificate() const { return has_certificate_; }
  // The manifest's text and how places name it; nullopt when the package has none.
  struct Text {
    std::string content;
    std::filesystem::path shown_as;
  };
  [[nodiscard]] const std::optional<Text> &manifest() const { return manifest_; }

  // Of a compressed archive: where it can be entered, and a member's digest that was taken while it was listed (hex;
  // empty when it was not).
  [[nodiscard]] const std::shared_ptr<const gzip::Index> &index() const { return index_; }
  [[nodiscard]] std::string digest(const std::string &member, const std::string &algorithm) const;

  // Where a member is. In an archive `name` is checked, whoever wrote it: throws Error unsafe when it leads out of the
  // package. Beside a descriptor in a folder it is looked for as support/file_names.hpp says, and may lie elsewhere:
  // who opens it judges that first (support/reach.hpp).
  struct Member {
    std::optional<FileRange> range;  // nullopt: not there
    names::Found found;              // in a folder: where it was looked for
  };
  [[nodiscard]] Member find(const std::string &name, const Place &where, const names::Places &places = {}) const;

 private:
  void open_folder();
  void take(ArchiveListing listing);

  std::filesystem::path file_, shown_as_;
  std::string descriptor_;
  bool archive_ = false, gzip_outer_ = false, has_certificate_ = false;
  std::optional<Text> manifest_;
  std::map<std::string, FileRange> members_;  // of an archive
  std::shared_ptr<const gzip::Index> index_;
  std::map<std::string, std::map<std::string, std::string>> digests_;  // by member and algorithm
};

// The member names that an href may stand for: percent-decoded first, then as written (exporters write both).
// Throws Error unsupported for http(s) and the like, unsafe for other schemes, for names that are empty or hold a NUL.
[[nodiscard]] std::vector<std::string> member_names(std::string_view href, const Place &where);

}  // namespace ferry::ovf
