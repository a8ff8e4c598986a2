// SPDX-License-Identifier: Apache-2.0
// OVA: a tar (POSIX ustar; in the wild also pax and GNU tar with large sizes) with the descriptor first (DMTF
// DSP0243, "OVF package" and "Distribution as a single file"). Known deviants: directories as members, "./" before
// each name, a gzip around the whole, descriptor not first.
#include "importers/ovf/archive.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "importers/ovf/tar.hpp"

#include "support/digest.hpp"
#include "support/text.hpp"
#include "support/xml.hpp"

namespace ferry::ovf {
namespace {

// A descriptor is text that people read; the XML reader takes no more either.
constexpr std::uint64_t kMaxTextBytes = xml::kMostBytes;
// Chunked packages have a member per chunk; 100,000 is far beyond any real one and bounds what a listing takes.
constexpr std::size_t kMaxMembers = 100000;
// The descriptor is the first member by the standard, and not far behind in packages that people tar by hand.
constexpr std::size_t kLooks = 16;
// A Vagrantfile and its like may stand before the descriptor of a compressed package, a disk is not passed over to see.
constexpr std::uint64_t kMostPassed = std::uint64_t{1} << 20U;
constexpr std::size_t kBlock = std::size_t{1} << 20U;

std::string lower_suffix(const std::string &name) {
  return text::lower_ascii(std::filesystem::path(name).extension().string());
}

std::string read_text(const std::filesystem::path &file, Tar &tar, const ArchiveMember &member) {
  if (member.size > kMaxTextBytes) {
    throw Error(ErrorKind::malformed, {.where = {.file = file, .path = member.name},
                                       .message = "the member is too large for a descriptor or manifest",
                                       .found = std::to_string(member.size) + " bytes",
                                       .expected = "at most " + std::to_string(kMaxTextBytes) + " bytes"});
  }
  std::string out(static_cast<std::size_t>(member.size), '\0');
  std::size_t have = 0;
  while (have < out.size()) {
    const std::size_t got = tar.read(out.data() + have, out.size() - have);
    if (got == 0) broken_archive(file, "the archive ends inside \"" + member.name + "\"", "");
    have += got;
  }
  return out;
}

// The algorithms that are hashed on the way: those that a manifest names, or before one was seen the ones that packages
// mostly use (VirtualBox writes the manifest last).
std::vector<std::string> algorithms_of(const std::string &manifest) {
  if (manifest.empty()) return {"SHA1", "SHA256"};
  std::string upper;
  for (const char c : manifest) {
    if (c != '-') upper += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  std::vector<std::string> out;
  for (const char *name : {"SHA1", "SHA224", "SHA256", "SHA384", "SHA512"}) {
    if (upper.find(name) != std::string::npos) out.emplace_back(name);
  }
  return out;
}

// Reads the member to its end, which a compressed archive costs anyway.
void hash_member(Tar &tar, const std::string &manifest, ArchiveMember &member) {
  std::vector<std::pair<std::string, Digest>> digests;
  for (std::string &name : algorithms_of(manifest)) {
    Digest digest(name);
    digests.emplace_back(std::move(name), std::move(digest));
  }
  if (!member.text.empty()) {
    for (auto &[name, digest] : digests) digest.update(member.text.data(), member.text.size());
  }
  std::vector<std::uint8_t> buffer(kBlock);
  for (std::size_t got = tar.read(buffer.data(), kBlock); got > 0; got = tar.read(buffer.data(), kBlock)) {
    for (auto &[name, digest] : digests) digest.update(buffer.data(), got);
  }
  for (auto &[name, digest] : digests) member.digests.emplace(name, digest.finish());
}

}  // namespace

bool is_text_member(const std::string &name) {
  const std::string suffix = lower_suffix(name);
  const std::string base = std::filesystem::path(name).filename().string();
  return suffix == ".ovf" || suffix == ".mf" || suffix == ".vmx" || suffix == ".vmsd" || base == "metadata.json" ||
         base == "Vagrantfile";
}

ArchiveListing list_archive(const std::filesystem::path &file, const file::Head *head) {
  Tar tar(file, head);
  ArchiveListing out;
  out.gzip = tar.is_gzip();
  std::set<std::string> seen;
  std::string manifest;
  while (const auto found = tar.next()) {
    const std::string &name = found->name;
    if (!seen.insert(name).second) unsafe_archive(file, "two members of the archive have the same name", name);
    if (seen.size() > kMaxMembers)
      broken_archive(file, "the archive has too many members", std::to_string(seen.size()));
    ArchiveMember member{name, found->offset, found->size, {}, {}};
    if (!out.gzip && (member.offset > tar.file_size() || member.size > tar.file_size() - member.offset)) {
      broken_archive(file, "the archive is truncated inside \"" + name + "\"",
                     std::to_string(tar.file_size()) + " bytes in the file, " +
                         std::to_string(member.offset + member.size) + " needed");
    }
    const std::string suffix = lower_suffix(name);
    if (suffix == ".cert") out.has_certificate = true;
    if (is_text_member(name)) member.text = read_text(file, tar, member);
    if (suffix == ".mf") manifest = member.text;
    if (out.gzip) hash_member(tar, manifest, member);
    out.members.push_back(std::move(member));
  }
  if (out.gzip) out.index = std::make_shared<const gzip::Index>(tar.index());
  return out;
}

namespace {

// As beginning_of(), but no further than to `last`, where that is not empty: a suffix.
Beginning beginning_to(const std::string &last, const std::filesystem::path &file, file::Head *head) {
  Beginning out;
  try {
    Tar tar = Tar::look(file, head);
    std::uint64_t passed = 0;  // bytes
    while (out.names.size() < kLooks) {
      const auto found = tar.next();
      if (!found) break;
      out.names.push_back(found->name);
      if (!last.empty() && lower_suffix(found->name) == last) break;
      if (found->name == "metadata.json" && found->size <= kMostPassed)
        out.metadata = read_text(file, tar, {found->name, found->offset, found->size, {}, {}});
      // Going on in a compressed tar means inflating the member, which may be a whole disk.
      if (tar.is_gzip()) passed += std::min(found->size, kMostPassed + 1);
      if (passed <= kMostPassed) continue;
      out.more = true;
      break;
    }
  } catch (const Error &) {
  }
  return out;
}

}  // namespace

Beginning beginning_of(const std::filesystem::path &file, file::Head *head) { return beginning_to({}, file, head); }

bool has_descriptor(const std::filesystem::path &file, file::Head *head) {
  const std::vector<std::string> names = beginning_to(".ovf", file, head).names;
  return std::any_of(names.begin(), names.end(), [](const std::string &name) { return lower_suffix(name) == ".ovf"; });
}

void stream_archive(const std::filesystem::path &file,
                    const std::function<void(const std::string &, std::span<const std::uint8_t>)> &sink) {
  Tar tar(file);
  std::vector<std::uint8_t> buffer(kBlock);
  while (const auto member = tar.next()) {
    for (std::size_t got = tar.read(buffer.data(), kBlock); got > 0; got = tar.read(buffer.data(), kBlock))
      sink(member->name, std::span(buffer).first(got));
  }
}

}  // namespace ferry::ovf
