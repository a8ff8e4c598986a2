// SPDX-License-Identifier: Apache-2.0
// OVA: a tar (POSIX ustar; in the wild also pax and GNU tar with large sizes) with the descriptor first (DMTF
// DSP0243, "OVF package" and "Distribution as a single file"). Known deviants: directories as members, "./" before
// each name, a gzip around the whole, descriptor not first.
#include "importers/ovf/archive.hpp"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <memory>
#include <set>

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

// A descriptor is text that people read; the XML reader takes no more either.
constexpr std::uint64_t kMaxTextBytes = std::uint64_t{64} << 20U;
// Chunked packages have a member per chunk; 100,000 is far beyond any real one and bounds what a listing takes.
constexpr std::size_t kMaxMembers = 100000;
// The descriptor is the first member by the standard, and not far behind in packages that people tar by hand.
constexpr std::size_t kLooks = 16;
constexpr std::size_t kBlock = std::size_t{1} << 20U;

// libarchive converts names with the thread's locale and gives null for UTF-8 names under "C".
class Utf8Locale {
 public:
  Utf8Locale() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ != nullptr) before_ = uselocale(locale_);
  }
  ~Utf8Locale() {
    if (locale_ == nullptr) return;
    uselocale(before_);
    freelocale(locale_);
  }
  Utf8Locale(const Utf8Locale &) = delete;
  Utf8Locale &operator=(const Utf8Locale &) = delete;

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

using Archive = std::unique_ptr<archive, decltype(&archive_read_free)>;

std::string reason(archive *a) {
  const char *text = archive_error_string(a);
  return text == nullptr ? "the tar cannot be read" : text::printable(text);
}

[[noreturn]] void broken(const std::filesystem::path &file, std::string message, std::string found) {
  throw Error(ErrorKind::malformed,
              {.where = {file, std::nullopt, {}},
               .message = std::move(message),
               .found = std::move(found),
               .expected = "an OVA: a complete tar, at most gzip'd as a whole",
               .advice = "Copy or download the file again; check its size and digest against the source."});
}

[[noreturn]] void unsafe(const std::filesystem::path &file, std::string message, const std::string &name) {
  throw Error(ErrorKind::unsafe,
              {.where = {file, std::nullopt, text::printable(name)},
               .message = std::move(message),
               .found = "\"" + text::printable(name) + "\"",
               .expected = "regular files with plain names inside the package",
               .advice = "Do not use this package unless you know who made it; unpack it by hand and "
                         "migrate the .ovf if you trust it."});
}

Archive open_tar(const std::filesystem::path &file) {
  Archive a(archive_read_new(), &archive_read_free);
  if (!a) throw Error(ErrorKind::io, {.message = "out of memory for reading the archive"});
  archive_read_support_format_tar(a.get());
  archive_read_support_filter_gzip(a.get());
  if (archive_read_open_filename(a.get(), file.c_str(), kBlock) != ARCHIVE_OK) {
    std::error_code ec;
    if (!std::filesystem::exists(file, ec)) {
      throw Error(ErrorKind::missing, {.where = {file, std::nullopt, {}}, .message = "the file does not exist"});
    }
    broken(file, "the file is not a tar", reason(a.get()));
  }
  return a;
}

// The member's name as UTF-8 bytes, "./" cut off. Invalid UTF-8 is given as it lies in the tar.
std::string name_of(archive_entry *entry) {
  const char *raw = archive_entry_pathname(entry);
  if (raw == nullptr) raw = archive_entry_pathname_utf8(entry);
  std::string name = raw == nullptr ? "" : raw;
  while (name.starts_with("./")) name.erase(0, 2);
  return name;
}

void check_name(const std::filesystem::path &file, const std::string &name) {
  if (name.empty()) unsafe(file, "a member of the archive has no name that can be read", name);
  if (name.front() == '/') unsafe(file, "a member of the archive has an absolute name", name);
  const std::filesystem::path path(name);
  if (std::any_of(path.begin(), path.end(), [](const auto &part) { return part == ".."; })) {
    unsafe(file, "a member of the archive leads out of the package", name);
  }
  if (std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    unsafe(file, "a member's name holds control characters", name);
  }
}

// Directories are harmless and skipped (false); everything else that is no regular file is refused.
bool is_file(const std::filesystem::path &file, archive_entry *entry, const std::string &name) {
  if (archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr) {
    unsafe(file, "a member of the archive is a link", name);
  }
  if (archive_entry_filetype(entry) == AE_IFDIR) return false;
  if (archive_entry_filetype(entry) != AE_IFREG) unsafe(file, "a member of the archive is a device or the like", name);
  if (archive_entry_sparse_count(entry) > 0) {
    throw Error(ErrorKind::unsupported,
                {.where = {file, std::nullopt, text::printable(name)},
                 .message = "a member of the archive is stored sparse and cannot be read in place",
                 .found = "a sparse member",
                 .expected = "members that lie in the archive whole, as OVA packages have them",
                 .advice = "Unpack the archive and migrate the .ovf in it, or pack it again without tar's --sparse."});
  }
  return true;
}

std::string lower_suffix(const std::string &name) {
  return text::lower_ascii(std::filesystem::path(name).extension().string());
}

std::string read_text(const std::filesystem::path &file, archive *a, const ArchiveMember &member) {
  if (member.size > kMaxTextBytes) {
    throw Error(ErrorKind::malformed, {.where = {file, std::nullopt, member.name},
                                       .message = "the member is too large for a descriptor or manifest",
                                       .found = std::to_string(member.size) + " bytes",
                                       .expected = "at most " + std::to_string(kMaxTextBytes) + " bytes"});
  }
  std::string out(static_cast<std::size_t>(member.size), '\0');
  std::size_t have = 0;
  while (have < out.size()) {
    const la_ssize_t got = archive_read_data(a, out.data() + have, out.size() - have);
    if (got <= 0) broken(file, "the archive ends inside \"" + member.name + "\"", reason(a));
    have += static_cast<std::size_t>(got);
  }
  return out;
}

// Steps to the next regular member; false at the end. `name` is set.
bool next_file(const std::filesystem::path &file, archive *a, archive_entry *&entry, std::string &name) {
  while (true) {
    const int status = archive_read_next_header(a, &entry);
    if (status == ARCHIVE_EOF) return false;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) broken(file, "the tar is damaged or cut off", reason(a));
    if ((archive_format(a) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_TAR) broken(file, "the file is not a tar", "");
    name = name_of(entry);
    if (name.empty() && archive_entry_filetype(entry) == AE_IFDIR) continue;  // "./"
    check_name(file, name);
    if (is_file(file, entry, name)) return true;
  }
}

}  // namespace

ArchiveListing list_archive(const std::filesystem::path &file) {
  const Utf8Locale utf8;
  const Archive a = open_tar(file);
  std::error_code ec;
  const std::uint64_t file_size = std::filesystem::file_size(file, ec);
  ArchiveListing out;
  std::set<std::string> seen;
  archive_entry *entry = nullptr;
  std::string name;
  while (next_file(file, a.get(), entry, name)) {
    // The pass-through filter counts as none; gzip is the only other one that open_tar() allows.
    out.gzip = archive_filter_code(a.get(), 0) == ARCHIVE_FILTER_GZIP;
    if (!seen.insert(name).second) unsafe(file, "two members of the archive have the same name", name);
    if (seen.size() > kMaxMembers) broken(file, "the archive has too many members", std::to_string(seen.size()));
    const la_int64_t size = archive_entry_size(entry);
    const la_int64_t offset = archive_filter_bytes(a.get(), 0);
    if (size < 0 || offset < 0) broken(file, "a member's size is not valid", "\"" + name + "\"");
    ArchiveMember member{name, static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(size), {}};
    if (!out.gzip && (member.offset > file_size || member.size > file_size - member.offset)) {
      broken(
          file, "the archive is cut off inside \"" + name + "\"",
          std::to_string(file_size) + " bytes in the file, " + std::to_string(member.offset + member.size) + " needed");
    }
    const std::string suffix = lower_suffix(name);
    if (suffix == ".cert") out.has_certificate = true;
    if (suffix == ".ovf" || suffix == ".mf") member.text = read_text(file, a.get(), member);
    out.members.push_back(std::move(member));
  }
  return out;
}

bool has_descriptor(const std::filesystem::path &file) {
  const Utf8Locale utf8;
  try {
    const Archive a = open_tar(file);
    archive_entry *entry = nullptr;
    std::string name;
    for (std::size_t i = 0; i < kLooks && next_file(file, a.get(), entry, name); ++i) {
      if (lower_suffix(name) == ".ovf") return true;
      // Going on in a compressed tar means inflating the member, which may be a whole disk.
      if (archive_filter_code(a.get(), 0) == ARCHIVE_FILTER_GZIP) return false;
    }
  } catch (const Error &) {
  }
  return false;
}

void stream_archive(const std::filesystem::path &file,
                    const std::function<void(const std::string &, std::span<const std::uint8_t>)> &sink) {
  const Utf8Locale utf8;
  const Archive a = open_tar(file);
  archive_entry *entry = nullptr;
  std::string name;
  std::vector<std::uint8_t> buffer(kBlock);
  while (next_file(file, a.get(), entry, name)) {
    while (true) {
      const la_ssize_t got = archive_read_data(a.get(), buffer.data(), buffer.size());
      if (got < 0) broken(file, "the archive is damaged inside \"" + name + "\"", reason(a.get()));
      if (got == 0) break;
      sink(name, std::span(buffer).first(static_cast<std::size_t>(got)));
    }
  }
}

}  // namespace ferry::ovf
