// SPDX-License-Identifier: Apache-2.0
// The manifest (.mf) of an OVF package: a line "SHA256(member)= hex" for each file (DSP0243, "Integrity of
// Packages"). Known deviants: blanks around every part ("SHA256 (a) = ..." by VirtualBox), any case of the
// algorithm, CRLF, names with parentheses, SHA-512 by ovftool.
#include <algorithm>
#include <map>
#include <set>

#include "importers/ovf/archive.hpp"
#include "importers/ovf/ovf.hpp"
#include "importers/ovf/package.hpp"

#include "support/digest.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::ovf {
namespace {

constexpr std::size_t kHashedBlock = std::size_t{4} << 20U;  // large reads: the hash is the bottleneck, not the calls

[[noreturn]] void bad_line(const Place &where, std::string_view line, std::string expected) {
  throw Error(ErrorKind::malformed, {.where = where,
                                     .message = "the manifest has a line that cannot be understood",
                                     .found = "\"" + text::excerpt(line, 200) + "\"",
                                     .expected = std::move(expected),
                                     .advice = "Download or export the package again."});
}

ManifestEntry parse_line(std::string_view line, Place where) {
  const std::size_t open = line.find('('), equals = line.rfind('=');
  const std::size_t close = equals == std::string_view::npos ? equals : line.rfind(')', equals);
  if (open == std::string_view::npos || close == std::string_view::npos || close <= open) {
    bad_line(where, line, "ALGORITHM(file)= hex digest");
  }
  ManifestEntry entry;
  const std::string_view algorithm = line.substr(0, open);
  entry.member = std::string(text::trim(line.substr(open + 1, close - open - 1)));
  entry.digest = text::lower_ascii(text::trim(line.substr(equals + 1)));
  const auto known = digest_kind(algorithm);
  if (!known) {
    throw Error(ErrorKind::unsupported, {.where = where,
                                         .message = "the manifest uses an unknown digest",
                                         .found = "\"" + text::printable(text::trim(algorithm)) + "\"",
                                         .expected = known_digests()});
  }
  entry.algorithm = known->name;
  const bool hex = std::all_of(entry.digest.begin(), entry.digest.end(),
                               [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!hex || entry.digest.size() != known->hex_digits) {
    bad_line(where, line, std::to_string(known->hex_digits) + " hex digits for " + entry.algorithm);
  }
  entry.where = std::move(where);
  return entry;
}

std::vector<ManifestEntry> parse(const Package::Text &manifest) {
  std::vector<ManifestEntry> out;
  std::string_view rest = manifest.content;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  for (std::uint64_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = text::trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.empty()) out.push_back(parse_line(line, {manifest.shown_as, number, {}}));
  }
  return out;
}

void compare(const ManifestEntry &entry, const std::string &found) {
  if (found == entry.digest) return;
  throw Error(
      ErrorKind::malformed,
      {.where = entry.where,
       .message = "\"" + text::printable(entry.member) + "\" does not match the manifest",
       .found = entry.algorithm + " " + found,
       .expected = entry.algorithm + " " + entry.digest,
       .advice = "Download or export the package again, or remove the manifest if you changed the file yourself."});
}

[[noreturn]] void not_there(const ManifestEntry &entry) {
  throw Error(ErrorKind::malformed, {.where = entry.where,
                                     .message = "the manifest names a file that is not in the package",
                                     .found = "no \"" + text::printable(entry.member) + "\"",
                                     .expected = "every file that the manifest names",
                                     .advice = "Download or export the package again, or put the file in its place."});
}

void throw_if_stopped(const ManifestEntry &entry, const std::stop_token &stop) {
  if (!stop.stop_requested()) return;
  throw Error(ErrorKind::cancelled, {.where = {.file = entry.range.file, .path = text::printable(entry.member)},
                                     .message = "comparing the files with the manifest was interrupted"});
}

std::string hash_range(const ManifestEntry &entry, const std::stop_token &stop) {
  const auto file = on_host::open(entry.range.file);
  const std::uint64_t size = file->status().size;
  std::uint64_t at = entry.range.offset;
  std::uint64_t left = entry.range.length.value_or(size - std::min(size, at));
  Digest digest(entry.algorithm);
  std::vector<std::uint8_t> buffer(kHashedBlock);
  while (left > 0) {
    throw_if_stopped(entry, stop);
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
    file->read(at, buffer.data(), now);
    digest.update(buffer.data(), now);
    at += now;
    left -= now;
  }
  return digest.finish();
}

// One pass over the decompressed tar for all members at once.
void verify_streamed(const Package &package, const std::vector<ManifestEntry> &entries, const std::stop_token &stop) {
  std::multimap<std::string, std::pair<const ManifestEntry *, Digest>> digests;
  for (const ManifestEntry &entry : entries) digests.emplace(entry.member, std::pair(&entry, Digest(entry.algorithm)));
  stream_archive(package.file(), [&](const std::string &name, std::span<const std::uint8_t> bytes) {
    throw_if_stopped(entries.front(), stop);
    const auto [begin, end] = digests.equal_range(name);
    for (auto it = begin; it != end; ++it) it->second.second.update(bytes.data(), bytes.size());
  });
  for (auto &[name, pair] : digests) compare(*pair.first, pair.second.finish());
}

}  // namespace

const Package &package_of(const ImportedMachine &imported) {
  // import_file() put it there; a machine of another kind has none.
  const auto *package = dynamic_cast<const Package *>(imported.package.get());
  if (package == nullptr)
    throw Error(ErrorKind::internal, {.message = "a machine that has no package was asked for one"});
  return *package;
}

std::vector<ManifestEntry> manifest(const Package &package) {
  if (!package.manifest()) return {};
  std::vector<ManifestEntry> entries = parse(*package.manifest());
  for (ManifestEntry &entry : entries) {
    std::optional<FileRange> range;
    for (const std::string &name : member_names(entry.member, entry.where)) {
      range = package.find(name, entry.where).range;
      std::error_code error;  // hashing tells nobody what a file holds, but a FIFO or a device never ends
      if (range && !on_host::is_regular_file(range->file, error)) range.reset();
      if (range) {
        entry.member = name;
        break;
      }
    }
    if (!range) not_there(entry);
    entry.range = *range;
    entry.gzip_outer = package.gzip_outer();
  }
  return entries;
}

std::shared_ptr<const gzip::Index> index_of(const Package &package) { return package.index(); }

void verify_members(const Package &package, const std::vector<ManifestEntry> &entries, const std::stop_token &stop) {
  if (package.gzip_outer()) {
    std::vector<ManifestEntry> unknown;  // what nobody hashed while the package was listed
    for (const ManifestEntry &entry : entries) {
      const std::string digest = package.digest(entry.member, entry.algorithm);
      if (digest.empty()) {
        unknown.push_back(entry);
      } else {
        compare(entry, digest);
      }
    }
    if (!unknown.empty()) verify_streamed(package, unknown, stop);
    return;
  }
  for (const ManifestEntry &entry : entries) compare(entry, hash_range(entry, stop));
}

}  // namespace ferry::ovf
