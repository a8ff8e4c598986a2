// SPDX-License-Identifier: Apache-2.0
// A Linux guest's initial RAM disk: cpio archives one behind the other, of which the first (processors' microcode) is
// mostly not compressed and the last is.
//
// Facts: the Linux kernel's Documentation/driver-api/early-userspace/buffer-format.rst. libarchive inflates what gzip,
// xz, zstd, lz4 or bzip2 made, and reads the archive.
#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <cstring>
#include <memory>
#include <set>

#include "converters/guest/systems.hpp"

#include "support/error.hpp"
#include "support/text.hpp"

namespace ferry::guest {
namespace {

constexpr std::uint64_t kLongestImage = std::uint64_t{512} << 20U;  // bytes of the file
constexpr std::size_t kMostMembers = 200000;                        // of an archive
constexpr std::size_t kArchiveStep = std::size_t{1} << 18U;         // bytes
constexpr std::string_view kNewCpio = "070701", kCheckedCpio = "070702";

// Drivers of disk controllers that a virtual machine can have, and of what lies below them.
constexpr std::string_view kDrivers[] = {
    "ahci",       "ata_piix",    "ata_generic", "nvme",     "virtio_blk", "virtio_scsi",  "virtio_pci",
    "vmw_pvscsi", "mptspi",      "mptsas",      "mpt3sas",  "sym53c8xx",  "megaraid_sas", "buslogic",
    "sd_mod",     "usb_storage", "uas",         "xhci_pci", "hv_storvsc", "xen_blkfront", "pata_acpi"};

// The part of the file from one place on, as libarchive reads it.
class ArchiveStream {
 public:
  ArchiveStream(const Source &file, std::uint64_t from, const Budget &budget)
      : file_(file), at_(from), budget_(budget) {}

  static la_ssize_t read(archive *, void *self, const void **buffer) {
    auto &stream = *static_cast<ArchiveStream *>(self);
    try {
      stream.budget_.check_time();
      stream.bytes_ = read_up_to(stream.file_, stream.at_, kArchiveStep);
    } catch (const Error &error) {
      stream.failed_ = std::make_unique<Error>(error);
      return -1;
    }
    stream.at_ += stream.bytes_.size();
    *buffer = stream.bytes_.data();
    return static_cast<la_ssize_t>(stream.bytes_.size());
  }
  void rethrow() const {
    if (failed_) throw Error(*failed_);
  }

 private:
  const Source &file_;
  std::uint64_t at_;
  const Budget &budget_;
  Bytes bytes_;
  std::unique_ptr<Error> failed_;
};

std::uint64_t hex8(const Bytes &header, std::size_t at) {
  std::uint64_t out = 0;
  for (std::size_t i = at; i < at + 8; ++i) {
    const auto digit = text::hex_digit(static_cast<char>(header[i]));
    if (!digit) malformed("a cpio archive's header cannot be understood");
    out = out * 16 + *digit;
  }
  return out;
}

bool is_cpio(const Bytes &bytes) {
  const std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  return text.starts_with(kNewCpio) || text.starts_with(kCheckedCpio);
}

void take_member(const std::string &path, InitialDisk &out, std::set<std::string> &drivers);

// Goes through an archive that is not compressed; where the next one begins.
std::uint64_t pass_plain(const Source &file, std::uint64_t at, InitialDisk &out, std::set<std::string> &drivers) {
  constexpr std::size_t kHeader = 110;  // bytes
  const auto padded = [](std::uint64_t value) { return (value + 3) / 4 * 4; };
  for (std::size_t i = 0; i < kMostMembers; ++i) {
    const Bytes header = read_exactly(file, at, kHeader);
    if (!is_cpio(header)) malformed("a cpio archive ends too early");
    const std::uint64_t size = hex8(header, 54), name_size = hex8(header, 94);
    if (name_size == 0 || name_size > 4096) malformed("a name in a cpio archive is too long");
    const Bytes name = read_exactly(file, at + kHeader, static_cast<std::size_t>(name_size) - 1);
    at += padded(kHeader + name_size) + padded(size);
    const std::string path(name.begin(), name.end());
    if (path == "TRAILER!!!") return at;
    take_member(path, out, drivers);
  }
  malformed("a cpio archive has too many members");
}

// "…/virtio_blk.ko.zst" -> "virtio_blk"; empty for what is no module.
std::string module_of(const std::string &path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const std::size_t suffix = name.find(".ko");
  if (suffix == std::string::npos) return {};
  std::string out = text::lower_ascii(name.substr(0, suffix));
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

void take_member(const std::string &path, InitialDisk &out, std::set<std::string> &drivers) {
  if (std::string module = module_of(path); is_storage_driver(module)) drivers.insert(std::move(module));
  // dracut's own notes of what it left out.
  if (path.ends_with("dracut/hostonly-kernel-modules.txt") || path.ends_with("dracut/hostonly-files"))
    out.host_only = true;
}

void read_compressed(const Source &file, std::uint64_t at, const Budget &budget, InitialDisk &out,
                     std::set<std::string> &drivers) {
  const std::unique_ptr<archive, int (*)(archive *)> reader(archive_read_new(), &archive_read_free);
  if (!reader) throw std::bad_alloc();
  for (const auto filter :
       {archive_read_support_filter_gzip, archive_read_support_filter_xz, archive_read_support_filter_lzma,
        archive_read_support_filter_zstd, archive_read_support_filter_lz4, archive_read_support_filter_bzip2})
    filter(reader.get());
  archive_read_support_format_cpio(reader.get());
  ArchiveStream stream(file, at, budget);
  if (archive_read_open(reader.get(), &stream, nullptr, &ArchiveStream::read, nullptr) != ARCHIVE_OK) {
    stream.rethrow();
    throw Error(ErrorKind::unsupported, {.message = "the initial RAM disk is packed in a way that is not known"});
  }
  archive_entry *entry = nullptr;
  for (std::size_t i = 0; i < kMostMembers; ++i) {
    const int result = archive_read_next_header(reader.get(), &entry);
    if (result == ARCHIVE_EOF) return;
    if (result < ARCHIVE_WARN) {
      stream.rethrow();
      const char *why = archive_error_string(reader.get());
      malformed("the initial RAM disk cannot be unpacked", why == nullptr ? "" : why);
    }
    budget.check_time();
    if (const char *name = archive_entry_pathname(entry); name != nullptr) take_member(name, out, drivers);
  }
}

}  // namespace

bool is_storage_driver(const std::string &module) {
  return std::find(std::begin(kDrivers), std::end(kDrivers), module) != std::end(kDrivers);
}

InitialDisk read_initial_disk(const Source &file, const Budget &budget) {
  if (file.size() > kLongestImage)
    throw Error(ErrorKind::unsupported,
                {.message = "the initial RAM disk is too large", .found = text::human_bytes(file.size())});
  InitialDisk out;
  std::set<std::string> drivers;
  std::uint64_t at = 0;
  while (at < file.size()) {
    budget.check_time();
    const Bytes head = read_up_to(file, at, 512);
    if (is_cpio(head)) {
      at = pass_plain(file, at, out, drivers);
    } else if (std::all_of(head.begin(), head.end(), [](std::uint8_t byte) { return byte == 0; })) {
      at += head.size();  // padding between archives
    } else {
      const auto begin = std::find_if(head.begin(), head.end(), [](std::uint8_t byte) { return byte != 0; });
      read_compressed(file, at + static_cast<std::uint64_t>(begin - head.begin()), budget, out, drivers);
      break;
    }
  }
  out.drivers.assign(drivers.begin(), drivers.end());
  return out;
}

}  // namespace ferry::guest
