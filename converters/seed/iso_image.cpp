// SPDX-License-Identifier: Apache-2.0
#include "converters/seed/iso_image.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <memory>

#include "support/error.hpp"

namespace ferry::seed {
namespace {

struct Close {
  void operator()(archive *writer) const { archive_write_free(writer); }
};
struct Free {
  void operator()(archive_entry *entry) const { archive_entry_free(entry); }
};

void demand(int result, archive *writer) {
  if (result == ARCHIVE_OK) return;
  const char *why = archive_error_string(writer);
  throw Error(ErrorKind::internal, {.message = std::string("libarchive does not write the CD: ") +
                                               (why == nullptr ? "it does not say why" : why)});
}

la_ssize_t append(archive *, void *into, const void *bytes, size_t length) {
  static_cast<std::string *>(into)->append(static_cast<const char *>(bytes), length);
  return static_cast<la_ssize_t>(length);
}

}  // namespace

std::string iso_image(const std::string &label, const std::vector<File> &files) {
  std::string out;
  const std::unique_ptr<archive, Close> writer(archive_write_new());
  demand(archive_write_set_format_iso9660(writer.get()), writer.get());
  demand(archive_write_set_format_option(writer.get(), "iso9660", "volume-id", label.c_str()), writer.get());
  demand(archive_write_open(writer.get(), &out, nullptr, append, nullptr), writer.get());
  for (const File &file : files) {
    const std::unique_ptr<archive_entry, Free> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), file.name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0400);  // passwords may be in it
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(file.content.size()));
    demand(archive_write_header(writer.get(), entry.get()), writer.get());
    if (archive_write_data(writer.get(), file.content.data(), file.content.size()) !=
        static_cast<la_ssize_t>(file.content.size()))
      demand(ARCHIVE_FATAL, writer.get());
  }
  demand(archive_write_close(writer.get()), writer.get());
  return out;
}

}  // namespace ferry::seed
