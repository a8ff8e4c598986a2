// SPDX-License-Identifier: Apache-2.0
// OVA: a tar (POSIX ustar; in the wild also pax and GNU tar with large sizes) with the descriptor first (DMTF
// DSP0243, "OVF package" and "Distribution as a single file"). Known deviants: directories as members, "./" before
// each name, a gzip around the whole, descriptor not first.
#include "importers/ovf/archive.hpp"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <locale.h>
#include <memory>
#include <set>
#include <span>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "support/digest.hpp"
#include "support/file.hpp"
#include "support/text.hpp"

namespace ferry::ovf {
namespace {

// A descriptor is text that people read; the XML reader takes no more either.
constexpr std::uint64_t kMaxTextBytes = std::uint64_t{64} << 20U;
// Chunked packages have a member per chunk; 100,000 is far beyond any real one and bounds what a listing takes.
constexpr std::size_t kMaxMembers = 100000;
// The descriptor is the first member by the standard, and not far behind in packages that people tar by hand.
constexpr std::size_t kLooks = 16;
// A Vagrantfile and its like may stand before the descriptor of a compressed package, a disk is not passed over to see.
constexpr std::uint64_t kMostPassed = std::uint64_t{1} << 20U;
constexpr std::size_t kBlock = std::size_t{1} << 20U;
// A step of inflating, and of a look at what an archive is.
constexpr std::size_t kInflated = std::size_t{256} << 10U, kLookStep = std::size_t{16} << 10U;

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

[[noreturn]] void broken(const std::filesystem::path &file, std::string message, std::string found) {
  throw Error(ErrorKind::malformed,
              {.where = {file, std::nullopt, {}},
               .message = std::move(message),
               .found = std::move(found),
               .expected = "an OVA: a complete tar archive, plain or gzip'd as a whole",
               .advice = "Copy or download the file again; check its size and digest against the source."});
}

// The file as it lies on the disk, but for its head where that is known. A look adds what it reads to the head.
class RawFile final : public gzip::Input {
 public:
  explicit RawFile(const std::filesystem::path &file, const file::Head *head = nullptr, file::Head *grows = nullptr)
      : path_(file), head_(head), grows_(grows), open_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (!open_) {
      const int error = errno;
      const bool missing = error == ENOENT || error == ENOTDIR;
      throw Error(missing ? ErrorKind::missing : ErrorKind::io,
                  {.where = {file, std::nullopt, {}},
                   .message = missing ? "there is no such file"
                                      : "the file cannot be read: " + std::generic_category().message(error)});
    }
    const file::Status status = file::status_of(open_.get(), file);
    size_ = status.size;
    if (head_ != nullptr && head_->status != status) head_ = grows_ = nullptr;
  }
  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    auto *to = static_cast<char *>(into);
    if (head_ != nullptr && offset < head_->bytes.size()) {
      const std::size_t known = std::min<std::size_t>(length, head_->bytes.size() - offset);
      std::memcpy(to, head_->bytes.data() + offset, known);
      to += known;
      offset += known;
      length -= known;
    }
    const bool adds = grows_ != nullptr && offset == grows_->bytes.size();
    const std::span<const char> read(to, length);
    while (length > 0) {
      const ssize_t got = ::pread(open_.get(), to, length, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        throw Error(ErrorKind::io,
                    {.where = {path_, std::nullopt, {}},
                     .message = "the file cannot be read to its end",
                     .found = got < 0 ? std::generic_category().message(errno) : "the file became shorter"});
      }
      to += got;
      offset += static_cast<std::uint64_t>(got);
      length -= static_cast<std::size_t>(got);
    }
    if (adds) grows_->bytes.insert(grows_->bytes.end(), read.begin(), read.end());
  }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::filesystem::path &path() const override { return path_; }

 private:
  std::filesystem::path path_;
  const file::Head *head_;
  file::Head *grows_;
  file::Descriptor open_;
  std::uint64_t size_ = 0;
};

// An archive that is open for reading. A compressed one is inflated here, not by libarchive, so that one pass lists it
// and makes the index.
class Tar {
 public:
  explicit Tar(const std::filesystem::path &file, const file::Head *head = nullptr)
      : Tar(file, head, nullptr, kInflated, kBlock) {}
  // For a look at its beginning, whose bytes are added to `head`, which may be null.
  static std::unique_ptr<Tar> look(const std::filesystem::path &file, file::Head *head) {
    return std::unique_ptr<Tar>(new Tar(file, head, head, kLookStep, kLookStep));
  }
  Tar(const Tar &) = delete;
  Tar &operator=(const Tar &) = delete;

  [[nodiscard]] archive *get() const { return archive_.get(); }
  [[nodiscard]] bool is_gzip() const { return indexer_ != nullptr; }
  [[nodiscard]] std::uint64_t file_size() const { return raw_.size(); }
  // Of what is left too.
  [[nodiscard]] gzip::Index index() { return indexer_->finish(); }
  // Throws why libarchive gave up: what our own reading threw, or what it says itself.
  [[noreturn]] void fail(const std::string &message) const {
    if (failed_) std::rethrow_exception(failed_);
    const char *text = archive_error_string(get());
    broken(raw_.path(), message, text == nullptr ? "the tar archive cannot be read" : text::printable(text));
  }

 private:
  // The steps are bytes: of inflated data, and of what is not compressed.
  Tar(const std::filesystem::path &file, const file::Head *head, file::Head *grows, std::size_t inflated_step,
      std::size_t plain_step)
      : raw_(file, head, grows), archive_(archive_read_new(), &archive_read_free) {
    if (!archive_) throw Error(ErrorKind::io, {.message = "out of memory for reading the archive"});
    archive_read_support_format_tar(get());
    if (gzip::is_gzip(raw_)) indexer_ = std::make_unique<gzip::Indexer>(raw_);
    buffer_.resize(indexer_ ? inflated_step : plain_step);
    archive_read_set_read_callback(get(), &read);
    archive_read_set_skip_callback(get(), &skip);
    archive_read_set_callback_data(get(), this);
    if (archive_read_open1(get()) != ARCHIVE_OK) fail("the file is not a tar archive");
  }

  // Nothing may be thrown through libarchive, which is C.
  static la_ssize_t read(archive *a, void *self, const void **into) {
    auto &tar = *static_cast<Tar *>(self);
    try {
      *into = tar.buffer_.data();
      if (!tar.indexer_) {
        const auto now =
            static_cast<std::size_t>(std::min<std::uint64_t>(tar.buffer_.size(), tar.raw_.size() - tar.at_));
        if (now > 0) tar.raw_.read(tar.at_, tar.buffer_.data(), now);
        tar.at_ += now;
        return static_cast<la_ssize_t>(now);
      }
      std::size_t got = 0;
      while (got < tar.buffer_.size() && !tar.indexer_->ended())
        got += tar.indexer_->step(tar.buffer_.data() + got, tar.buffer_.size() - got);
      return static_cast<la_ssize_t>(got);
    } catch (...) {
      tar.failed_ = std::current_exception();
      archive_set_error(a, EIO, "the file cannot be read");
      return ARCHIVE_FATAL;
    }
  }
  // Gives how many bytes were skipped; what is left is read.
  static la_int64_t skip(archive * /*a*/, void *self, la_int64_t wanted) {
    auto &tar = *static_cast<Tar *>(self);
    if (tar.indexer_ || wanted < 0) return 0;
    const std::uint64_t now = std::min(static_cast<std::uint64_t>(wanted), tar.raw_.size() - tar.at_);
    tar.at_ += now;
    return static_cast<la_int64_t>(now);
  }

  RawFile raw_;
  std::uint64_t at_ = 0;  // of what is not compressed
  std::unique_ptr<gzip::Indexer> indexer_;
  std::vector<std::uint8_t> buffer_;
  std::exception_ptr failed_;
  std::unique_ptr<archive, decltype(&archive_read_free)> archive_;  // goes first: it uses the others
};

[[noreturn]] void unsafe(const std::filesystem::path &file, std::string message, const std::string &name) {
  throw Error(ErrorKind::unsafe,
              {.where = {file, std::nullopt, text::printable(name)},
               .message = std::move(message),
               .found = "\"" + text::printable(name) + "\"",
               .expected = "regular files with plain names inside the package",
               .advice = "Do not use this package unless you know who made it; unpack it by hand and "
                         "migrate the .ovf if you trust it."});
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
    unsafe(file, "a member of the archive points outside the package", name);
  }
  if (std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    unsafe(file, "a member's name contains control characters", name);
  }
}

// Directories are harmless and skipped (false); everything else that is no regular file is refused.
bool is_file(const std::filesystem::path &file, archive_entry *entry, const std::string &name) {
  if (archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr) {
    unsafe(file, "a member of the archive is a link", name);
  }
  if (archive_entry_filetype(entry) == AE_IFDIR) return false;
  if (archive_entry_filetype(entry) != AE_IFREG) unsafe(file, "a member of the archive is not a regular file", name);
  if (archive_entry_sparse_count(entry) > 0) {
    throw Error(ErrorKind::unsupported,
                {.where = {file, std::nullopt, text::printable(name)},
                 .message = "a member of the archive is a sparse file, which cannot be read in place",
                 .found = "a sparse member",
                 .expected = "members that are stored in full, as in any OVA package",
                 .advice = "Unpack the archive and migrate the .ovf in it, or pack it again without tar's --sparse."});
  }
  return true;
}

std::string lower_suffix(const std::string &name) {
  return text::lower_ascii(std::filesystem::path(name).extension().string());
}

std::string read_text(const std::filesystem::path &file, const Tar &tar, const ArchiveMember &member) {
  if (member.size > kMaxTextBytes) {
    throw Error(ErrorKind::malformed, {.where = {file, std::nullopt, member.name},
                                       .message = "the member is too large for a descriptor or manifest",
                                       .found = std::to_string(member.size) + " bytes",
                                       .expected = "at most " + std::to_string(kMaxTextBytes) + " bytes"});
  }
  std::string out(static_cast<std::size_t>(member.size), '\0');
  std::size_t have = 0;
  while (have < out.size()) {
    const la_ssize_t got = archive_read_data(tar.get(), out.data() + have, out.size() - have);
    if (got <= 0) tar.fail("the archive ends inside \"" + member.name + "\"");
    have += static_cast<std::size_t>(got);
  }
  return out;
}

// Steps to the next regular member; false at the end. `name` is set.
bool next_file(const std::filesystem::path &file, const Tar &tar, archive_entry *&entry, std::string &name) {
  while (true) {
    const int status = archive_read_next_header(tar.get(), &entry);
    if (status == ARCHIVE_EOF) return false;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) tar.fail("the tar archive is damaged or truncated");
    if ((archive_format(tar.get()) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_TAR)
      broken(file, "the file is not a tar archive", "");
    name = name_of(entry);
    if (name.empty() && archive_entry_filetype(entry) == AE_IFDIR) continue;  // "./"
    check_name(file, name);
    if (is_file(file, entry, name)) return true;
  }
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
void hash_member(const Tar &tar, const std::string &manifest, ArchiveMember &member) {
  std::vector<std::pair<std::string, Digest>> digests;
  for (std::string &name : algorithms_of(manifest)) {
    Digest digest(name);
    digests.emplace_back(std::move(name), std::move(digest));
  }
  if (!member.text.empty()) {
    for (auto &[name, digest] : digests) digest.update(member.text.data(), member.text.size());
  }
  std::vector<std::uint8_t> buffer(kBlock);
  while (true) {
    const la_ssize_t got = archive_read_data(tar.get(), buffer.data(), buffer.size());
    if (got < 0) tar.fail("the archive is damaged inside \"" + member.name + "\"");
    if (got == 0) break;
    for (auto &[name, digest] : digests) digest.update(buffer.data(), static_cast<std::size_t>(got));
  }
  for (auto &[name, digest] : digests) member.digests.emplace(name, digest.finish());
}

}  // namespace

ArchiveListing list_archive(const std::filesystem::path &file, const file::Head *head) {
  const Utf8Locale utf8;
  Tar tar(file, head);
  ArchiveListing out;
  out.gzip = tar.is_gzip();
  std::set<std::string> seen;
  std::string manifest;
  archive_entry *entry = nullptr;
  std::string name;
  while (next_file(file, tar, entry, name)) {
    if (!seen.insert(name).second) unsafe(file, "two members of the archive have the same name", name);
    if (seen.size() > kMaxMembers) broken(file, "the archive has too many members", std::to_string(seen.size()));
    const la_int64_t size = archive_entry_size(entry);
    const la_int64_t offset = archive_filter_bytes(tar.get(), 0);
    if (size < 0 || offset < 0) broken(file, "a member's size is not valid", "\"" + name + "\"");
    ArchiveMember member{name, static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(size), {}, {}};
    if (!out.gzip && (member.offset > tar.file_size() || member.size > tar.file_size() - member.offset)) {
      broken(file, "the archive is truncated inside \"" + name + "\"",
             std::to_string(tar.file_size()) + " bytes in the file, " + std::to_string(member.offset + member.size) +
                 " needed");
    }
    const std::string suffix = lower_suffix(name);
    if (suffix == ".cert") out.has_certificate = true;
    if (suffix == ".ovf" || suffix == ".mf") member.text = read_text(file, tar, member);
    if (suffix == ".mf") manifest = member.text;
    if (out.gzip) hash_member(tar, manifest, member);
    out.members.push_back(std::move(member));
  }
  if (out.gzip) out.index = std::make_shared<const gzip::Index>(tar.index());
  return out;
}

namespace {

// As member_names(), but no further than to `last`, where that is not empty: a suffix.
std::vector<std::string> names_to(const std::string &last, const std::filesystem::path &file, file::Head *head,
                                  bool *more) {
  const Utf8Locale utf8;
  std::vector<std::string> out;
  try {
    const std::unique_ptr<Tar> opened = Tar::look(file, head);
    const Tar &tar = *opened;
    archive_entry *entry = nullptr;
    std::string name;
    std::uint64_t passed = 0;  // bytes
    while (out.size() < kLooks && next_file(file, tar, entry, name)) {
      out.push_back(name);
      if (!last.empty() && lower_suffix(name) == last) break;
      // Going on in a compressed tar means inflating the member, which may be a whole disk.
      if (tar.is_gzip()) passed += static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(entry), 0));
      if (passed <= kMostPassed) continue;
      if (more != nullptr) *more = true;
      break;
    }
  } catch (const Error &) {
  }
  return out;
}

}  // namespace

std::vector<std::string> member_names(const std::filesystem::path &file, bool *more) {
  return names_to({}, file, nullptr, more);
}

bool has_descriptor(const std::filesystem::path &file, file::Head *head) {
  bool more = false;
  const std::vector<std::string> names = names_to(".ovf", file, head, &more);
  const auto is = [&names](const auto &test) { return std::any_of(names.begin(), names.end(), test); };
  if (is([](const std::string &name) { return lower_suffix(name) == ".ovf"; })) return true;
  // Compressed, with the disk before the descriptor, as Vagrant packs its boxes for VirtualBox.
  const bool other = is([](const std::string &name) { return lower_suffix(name) == ".vmx" || name == "box.img"; });
  const bool disk = is([](const std::string &name) { return lower_suffix(name) == ".vmdk"; });
  return more && disk && !other;
}

void stream_archive(const std::filesystem::path &file,
                    const std::function<void(const std::string &, std::span<const std::uint8_t>)> &sink) {
  const Utf8Locale utf8;
  const Tar tar(file);
  archive_entry *entry = nullptr;
  std::string name;
  std::vector<std::uint8_t> buffer(kBlock);
  while (next_file(file, tar, entry, name)) {
    while (true) {
      const la_ssize_t got = archive_read_data(tar.get(), buffer.data(), buffer.size());
      if (got < 0) tar.fail("the archive is damaged inside \"" + name + "\"");
      if (got == 0) break;
      sink(name, std::span(buffer).first(static_cast<std::size_t>(got)));
    }
  }
}

}  // namespace ferry::ovf
