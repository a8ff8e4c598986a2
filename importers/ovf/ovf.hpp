// SPDX-License-Identifier: Apache-2.0
// OVF packages: a descriptor in a folder, or an .ova (tar, also gzip'd as a whole).
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string_view>
#include <vector>

#include "importers/common.hpp"

#include "support/gzip.hpp"

namespace ferry::ovf {

struct ArchiveListing;

// Reads an .ovf or .ova. As many machines as the envelope has VirtualSystems.
// Disks inside an .ova are given as FileRange{ova, offset, length}: they are read in place.
// Throws Error malformed/missing/unsafe/unsupported with file (and member), line and path.
[[nodiscard]] std::vector<ImportedMachine> import_file(const std::filesystem::path &file, const ImportOptions &options);

// The same of an .ova that was listed already.
[[nodiscard]] std::vector<ImportedMachine> import_listed(const std::filesystem::path &file, ArchiveListing listing,
                                                         const ImportOptions &options);

// The package that import_file() read, whose listing and manifest it keeps.
class Package;
[[nodiscard]] const Package &package_of(const ImportedMachine &imported);
// Where a package that is compressed as a whole can be entered; nullptr for others.
[[nodiscard]] std::shared_ptr<const gzip::Index> index_of(const Package &package);

[[nodiscard]] bool looks_like_ovf(std::string_view head);
// A tar with an .ovf as its first regular member, or a gzip of one; uncompressed, among its first members. Never
// throws. What is read of the file for that is added to `head`, which may be null.
[[nodiscard]] bool looks_like_ova(const std::filesystem::path &file, file::Head *head = nullptr);
// The names of a tar's first members, also of a gzip'd one (fewer there: what is passed over must be inflated). Empty
// for what is no tar. Never throws.
[[nodiscard]] std::vector<std::string> first_members(const std::filesystem::path &file);

// What the package's manifest (.mf) says, with each member's place. Empty without a manifest.
struct ManifestEntry {
  std::string member;
  std::string algorithm;  // "SHA1", "SHA224", "SHA256", "SHA384" or "SHA512"
  std::string digest;     // lower-case hex
  FileRange range;
  bool gzip_outer = false;  // the package is a gzip'd tar: the range is of the decompressed tar
  Place where;
};
[[nodiscard]] std::vector<ManifestEntry> manifest(const Package &package);
// Compares the members of these entries, which manifest() gave; hashes those that were not hashed while the package was
// listed. Throws Error malformed at the first that differs, cancelled when it is stopped.
void verify_members(const Package &package, const std::vector<ManifestEntry> &entries,
                    const std::stop_token &stop = {});

}  // namespace ferry::ovf
