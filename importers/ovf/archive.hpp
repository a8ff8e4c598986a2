// SPDX-License-Identifier: Apache-2.0
// The members of an .ova.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "support/error.hpp"
#include "support/file.hpp"
#include "support/gzip.hpp"

namespace ferry::ovf {

struct ArchiveMember {
  std::string name;          // without a leading "./"
  std::uint64_t offset = 0;  // bytes: where its data begin in the tar (in the decompressed tar when it is gzip'd)
  std::uint64_t size = 0;    // bytes
  std::string text;          // the content of descriptors and manifests, otherwise empty: is_text_member() says whose
  // Of a compressed archive: in hex by algorithm ("SHA256"), those that its manifest uses where that came before the
  // member; else those that are common. To have them costs no further pass.
  std::map<std::string, std::string> digests;
};

struct ArchiveListing {
  std::vector<ArchiveMember> members;
  bool gzip = false;                         // the tar is compressed as a whole
  bool has_certificate = false;              // a .cert member
  std::shared_ptr<const gzip::Index> index;  // of a compressed archive: where it can be entered
};

// Whose content a listing keeps: an OVF's descriptor and manifest, and what a Vagrant box says of its machine
// (metadata.json, Vagrantfile, .vmx, .vmsd).
[[nodiscard]] bool is_text_member(const std::string &name);

// Lists a tar or a gzip'd tar. Throws Error malformed for what is no tar, is cut off, or has members that cannot be
// read in place (sparse) or tell apart (duplicates); unsafe for names and member kinds that lead out of the package;
// io when the file cannot be read. `head` may be null.
[[nodiscard]] ArchiveListing list_archive(const std::filesystem::path &file, const file::Head *head = nullptr);

// The first 16 members; of a gzip'd tar those up to the first that would take more than 1 MiB of inflating to pass
// over.
struct Beginning {
  std::vector<std::string> names;
  std::string metadata;  // the content of the member metadata.json, where it is among them
  bool more = false;     // there may be others
};
// What is read of the file is added to `head`, which may be null. Never throws.
[[nodiscard]] Beginning beginning_of(const std::filesystem::path &file, file::Head *head = nullptr);

// Whether one of these is a descriptor (.ovf). `head` as above. Never throws.
[[nodiscard]] bool has_descriptor(const std::filesystem::path &file, file::Head *head = nullptr);

// Reads the whole archive once and gives each member's bytes, in order, in pieces, with the member's name.
void stream_archive(const std::filesystem::path &file,
                    const std::function<void(const std::string &name, std::span<const std::uint8_t>)> &sink);

}  // namespace ferry::ovf
