// SPDX-License-Identifier: Apache-2.0
// What the format readers share among themselves; users of images include image.hpp only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "converters/images/image.hpp"
#include "converters/images/source_file.hpp"

#include "support/byte_reader.hpp"

namespace ferry::image {

inline constexpr std::uint64_t kSectorSize = 512;  // bytes; the unit of VMDK, VHD and VHDX tables

// What an image says of its own identity and of its parent's. Absent: the format or the file does not say.
struct Linkage {
  std::optional<Uuid> id, modification;                        // of this image; a nil modification is a value too
  std::optional<Uuid> parent_id, parent_modification;          // of the parent, as it was when this image was made
  std::optional<Uuid> parent_id_alternative;                   // VHDX parent_linkage2
  std::optional<std::uint32_t> cid, parent_cid;                // VMDK content ids
  std::optional<std::uint32_t> time_stamp, parent_time_stamp;  // VHD, seconds since 2000
  std::vector<std::string> parent_names;  // hints, UTF-8, '/' between parts; never followed unchecked
};

// An image of one of our formats.
class FormatImage : public Image {
 public:
  [[nodiscard]] const ImageInfo &info() const final { return info_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const SourceFile>> &files() const final { return files_; }
  [[nodiscard]] const Linkage &linkage() const { return linkage_; }
  // Goes through the tables once: every offset inside the file, no block stored over another; counts
  // info().allocated. Throws malformed.
  virtual void check_tables() = 0;
  // The registry's name for an image that carries none of its own (raw).
  void set_registry_id(const Uuid &id) {
    if (!linkage_.id) linkage_.id = id;
  }
  // check_tables(), but not a second time for an image that several chains have.
  void check_once();
  // One that is there already (of another chain that the image is in) is not added again.
  void add_finding(Finding finding);

 protected:
  [[nodiscard]] const SourceFile &file() const { return *files_.front(); }
  // Takes over the first file: its path and size go into info().
  void add_file(std::shared_ptr<const SourceFile> source);

  ImageInfo info_;
  Linkage linkage_;
  std::vector<std::shared_ptr<const SourceFile>> files_;

 private:
  bool checked_ = false;
};

// Appends `extent`, merged with the last one when both continue in guest and file. Empty extents are dropped.
void append(std::vector<Extent> &out, const Extent &extent);

// One row of a header's list of checks: throws malformed with the value and the limit unless `holds`. Its arguments
// cost more than the check: for tables of millions of entries it is written `if (!holds) require(false, ...)`.
void require(bool holds, const Place &where, const char *message, std::uint64_t found, const std::string &expected);
// The same where what was found is not a number.
void require(bool holds, const Place &where, const char *message, const std::string &found,
             const std::string &expected);

// A place inside a file: "offset 0x200 (grain directory)".
[[nodiscard]] Place place_in(const SourceFile &file, std::uint64_t offset, const std::string &what);

// Remembers which block-sized slots of a file are taken, one bit each, to notice blocks stored over each other.
// Exact where blocks share their alignment, as all writers do; blocks of different alignment that overlap in
// part go unnoticed, and reading them is still inside the file. A file of more than 2^28 slots (32 MiB of
// bits) is not watched.
class OverlapWatch {
 public:
  OverlapWatch(std::uint64_t file_size, std::uint64_t block_size);
  // False when the slot of `offset` was taken already.
  [[nodiscard]] bool take(std::uint64_t offset);

 private:
  std::uint64_t block_size_;
  std::vector<bool> taken_;
};

[[nodiscard]] inline std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) {
  return value / by + (value % by != 0 ? 1 : 0);
}
[[nodiscard]] inline bool is_power_of_two(std::uint64_t value) { return value != 0 && (value & (value - 1)) == 0; }
[[nodiscard]] inline bool inside(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
  return offset <= size && length <= size - offset;
}

// The readers. Each opens `source` as its format and throws malformed, unsupported or unsafe.
// The chain with these bytes otherwise; it reads what lies around them. Throws malformed where DiskChange::before is
// not what is there.
[[nodiscard]] Chain with_changes(const Chain &chain, const std::vector<DiskChange> &changes);
[[nodiscard]] std::shared_ptr<FormatImage> open_raw(std::shared_ptr<const SourceFile> source, ImageFormat format);
// A disk of declared_capacity that no file stands behind (ImageFile::blank): zeros.
[[nodiscard]] std::shared_ptr<FormatImage> open_blank(const ImageFile &file);
[[nodiscard]] std::shared_ptr<FormatImage> open_vdi(std::shared_ptr<const SourceFile> source);
[[nodiscard]] std::shared_ptr<FormatImage> open_vhd(std::shared_ptr<const SourceFile> source);
[[nodiscard]] std::shared_ptr<FormatImage> open_vhdx(std::shared_ptr<const SourceFile> source);
[[nodiscard]] std::shared_ptr<FormatImage> open_vmdk(std::shared_ptr<const SourceFile> source,
                                                     const OpenOptions &options);

// As open_image(), but without check_tables(): the header only.
[[nodiscard]] std::shared_ptr<FormatImage> open_header(const ImageFile &file, const OpenOptions &options);

// The folders that something named by `image` may lie in, with links resolved.
[[nodiscard]] std::vector<std::filesystem::path> allowed_roots(const std::filesystem::path &image,
                                                               const OpenOptions &options);
// Whether something that an image names may be opened: below one of `roots`, or by options.limits.
[[nodiscard]] reach::Judgement reach_of(const std::filesystem::path &candidate,
                                        const std::vector<std::filesystem::path> &roots, const OpenOptions &options);
// `candidate` with links resolved, when it lies below one of `roots`.
[[nodiscard]] std::optional<std::filesystem::path> resolve_below(const std::filesystem::path &candidate,
                                                                 const std::vector<std::filesystem::path> &roots);

}  // namespace ferry::image
