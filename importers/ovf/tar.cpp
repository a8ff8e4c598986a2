// SPDX-License-Identifier: Apache-2.0
#include "importers/ovf/tar.hpp"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <cstring>
#include <exception>
#include <locale.h>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::ovf {
namespace {

// Bytes of a step: of what is not compressed, of inflated data, and of either for a look at what an archive is.
constexpr std::size_t kBlock = std::size_t{1} << 20U, kInflated = std::size_t{256} << 10U;
constexpr std::size_t kLookStep = std::size_t{16} << 10U;

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

// The file as it lies on the disk, but for its head where that is known. A look adds what it reads to the head.
class RawFile final : public gzip::Input {
 public:
  explicit RawFile(const std::filesystem::path &file, const file::Head *head = nullptr, file::Head *grows = nullptr)
      : path_(file), head_(head), grows_(grows), file_(on_host::open(file)) {
    if (head_ != nullptr && head_->status != file_->status()) head_ = grows_ = nullptr;
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
    file_->read(offset, to, length);
    if (adds) grows_->bytes.insert(grows_->bytes.end(), read.begin(), read.end());
  }
  [[nodiscard]] std::uint64_t size() const override { return file_->status().size; }
  [[nodiscard]] const std::filesystem::path &path() const override { return path_; }

 private:
  std::filesystem::path path_;
  const file::Head *head_;
  file::Head *grows_;
  std::shared_ptr<const on_host::File> file_;
};

// The member's name as UTF-8 bytes, "./" cut off. Invalid UTF-8 is given as it lies in the tar.
std::string name_of(archive_entry *entry) {
  const char *raw = archive_entry_pathname(entry);
  if (raw == nullptr) raw = archive_entry_pathname_utf8(entry);
  std::string name = raw == nullptr ? "" : raw;
  while (name.starts_with("./")) name.erase(0, 2);
  return name;
}

void check_name(const std::filesystem::path &file, const std::string &name) {
  if (name.empty()) unsafe_archive(file, "a member of the archive has no name that can be read", name);
  if (name.front() == '/') unsafe_archive(file, "a member of the archive has an absolute name", name);
  const std::filesystem::path path(name);
  if (std::any_of(path.begin(), path.end(), [](const auto &part) { return part == ".."; })) {
    unsafe_archive(file, "a member of the archive points outside the package", name);
  }
  if (std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    unsafe_archive(file, "a member's name contains control characters", name);
  }
}

// Directories are harmless and skipped (false); everything else that is no regular file is refused.
bool is_file(const std::filesystem::path &file, archive_entry *entry, const std::string &name) {
  if (archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr) {
    unsafe_archive(file, "a member of the archive is a link", name);
  }
  if (archive_entry_filetype(entry) == AE_IFDIR) return false;
  if (archive_entry_filetype(entry) != AE_IFREG)
    unsafe_archive(file, "a member of the archive is not a regular file", name);
  if (archive_entry_sparse_count(entry) > 0) {
    throw Error(ErrorKind::unsupported,
                {.where = {.file = file, .path = text::printable(name)},
                 .message = "a member of the archive is a sparse file, which cannot be read in place",
                 .found = "a sparse member",
                 .expected = "members that are stored in full, as in any OVA package",
                 .advice = "Unpack the archive and migrate the .ovf in it, or pack it again without tar's --sparse."});
  }
  return true;
}

}  // namespace

void broken_archive(const std::filesystem::path &file, std::string message, std::string found) {
  throw Error(ErrorKind::malformed,
              {.where = {.file = file},
               .message = std::move(message),
               .found = std::move(found),
               .expected = "an OVA: a complete tar archive, plain or gzip'd as a whole",
               .advice = "Copy or download the file again; check its size and digest against the source."});
}

void unsafe_archive(const std::filesystem::path &file, std::string message, const std::string &name) {
  throw Error(ErrorKind::unsafe,
              {.where = {.file = file, .path = text::printable(name)},
               .message = std::move(message),
               .found = "\"" + text::printable(name) + "\"",
               .expected = "regular files with plain names inside the package",
               .advice = "Do not use this package unless you know who made it; unpack it by hand and "
                         "migrate the .ovf if you trust it."});
}

// A compressed archive is inflated here, not by libarchive, so that one pass lists it and makes the index.
class Tar::Stream {
 public:
  // The steps are bytes: of inflated data, and of what is not compressed.
  Stream(const std::filesystem::path &file, const file::Head *head, file::Head *grows, std::size_t inflated_step,
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
  Stream(const Stream &) = delete;
  Stream &operator=(const Stream &) = delete;

  [[nodiscard]] archive *get() const { return archive_.get(); }
  [[nodiscard]] const std::filesystem::path &path() const { return raw_.path(); }
  [[nodiscard]] bool is_gzip() const { return indexer_ != nullptr; }
  [[nodiscard]] std::uint64_t file_size() const { return raw_.size(); }
  // Of what is left too.
  [[nodiscard]] gzip::Index index() { return indexer_->finish(); }
  // Throws why libarchive gave up: what our own reading threw, or what it says itself.
  [[noreturn]] void fail(const std::string &message) const {
    if (failed_) std::rethrow_exception(failed_);
    const char *text = archive_error_string(get());
    broken_archive(raw_.path(), message, text == nullptr ? "the tar archive cannot be read" : text::printable(text));
  }

  std::string member;  // the name of the one that is read

 private:
  // Nothing may be thrown through libarchive, which is C.
  static la_ssize_t read(archive *a, void *self, const void **into) {
    auto &tar = *static_cast<Stream *>(self);
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
    auto &tar = *static_cast<Stream *>(self);
    if (tar.indexer_ || wanted < 0) return 0;
    const std::uint64_t now = std::min(static_cast<std::uint64_t>(wanted), tar.raw_.size() - tar.at_);
    tar.at_ += now;
    return static_cast<la_int64_t>(now);
  }

  Utf8Locale utf8_;
  RawFile raw_;
  std::uint64_t at_ = 0;  // of what is not compressed
  std::unique_ptr<gzip::Indexer> indexer_;
  std::vector<std::uint8_t> buffer_;
  std::exception_ptr failed_;
  std::unique_ptr<archive, decltype(&archive_read_free)> archive_;  // goes first: it uses the others
};

Tar::Tar(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
Tar::Tar(const std::filesystem::path &file, const file::Head *head)
    : Tar(std::make_unique<Stream>(file, head, nullptr, kInflated, kBlock)) {}
Tar Tar::look(const std::filesystem::path &file, file::Head *head) {
  return Tar(std::make_unique<Stream>(file, head, head, kLookStep, kLookStep));
}
Tar::~Tar() = default;

bool Tar::is_gzip() const { return stream_->is_gzip(); }
std::uint64_t Tar::file_size() const { return stream_->file_size(); }
gzip::Index Tar::index() { return stream_->index(); }

std::optional<Tar::Member> Tar::next() {
  const std::filesystem::path &file = stream_->path();
  archive *const tar = stream_->get();
  archive_entry *entry = nullptr;
  while (true) {
    const int status = archive_read_next_header(tar, &entry);
    if (status == ARCHIVE_EOF) return std::nullopt;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) stream_->fail("the tar archive is damaged or truncated");
    if ((archive_format(tar) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_TAR)
      broken_archive(file, "the file is not a tar archive", "");
    std::string name = name_of(entry);
    if (name.empty() && archive_entry_filetype(entry) == AE_IFDIR) continue;  // "./"
    check_name(file, name);
    if (!is_file(file, entry, name)) continue;
    const la_int64_t size = archive_entry_size(entry), offset = archive_filter_bytes(tar, 0);
    if (size < 0 || offset < 0) broken_archive(file, "a member's size is not valid", "\"" + name + "\"");
    stream_->member = name;
    return Member{std::move(name), static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(size)};
  }
}

std::size_t Tar::read(void *into, std::size_t length) {
  const la_ssize_t got = archive_read_data(stream_->get(), into, length);
  if (got < 0) stream_->fail("the archive is damaged inside \"" + stream_->member + "\"");
  return static_cast<std::size_t>(got);
}

}  // namespace ferry::ovf
