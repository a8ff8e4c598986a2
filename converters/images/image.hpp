// SPDX-License-Identifier: Apache-2.0
// The extent map: what every image format compiles to, and all that copying, sharing, inflating, hashing and
// snapshot writing know of a format.
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/finding.hpp"
#include "model/medium.hpp"

#include "support/file_names.hpp"
#include "support/gzip.hpp"
#include "support/reach.hpp"

namespace ferry::image {

class Cache;

enum class ExtentKind : std::uint8_t {
  plain,     // the guest's bytes lie in the file as they are
  deflated,  // one zlib stream (RFC 1950) that inflates to exactly `length` bytes
  zero,      // the guest reads zeros, whatever a parent says
  parent,    // not in this image: the parent decides; zeros when there is none
};

// A range of guest bytes. Extents of one map are sorted, do not overlap and leave no gap.
struct Extent {
  std::uint64_t guest_offset = 0;   // bytes
  std::uint64_t length = 0;         // bytes
  std::uint64_t file_offset = 0;    // plain, deflated: where in the file
  std::uint32_t stored_length = 0;  // deflated: length of the zlib stream in bytes, at most
  std::uint16_t file = 0;           // plain, deflated: index in Chain::files (Image::files for one image)
  ExtentKind kind = ExtentKind::parent;
  friend bool operator==(const Extent &, const Extent &) = default;
};

// What an image's header says. Sizes are in bytes.
struct ImageInfo {
  std::filesystem::path file;  // the image, or its descriptor
  ImageFormat format = ImageFormat::unknown;
  std::string variant;             // "dynamic", "differencing", "streamOptimized", "twoGbMaxExtentSparse"
  std::uint64_t virtual_size = 0;  // as the source platform shows it to the guest
  std::uint64_t allocated = 0;     // guest bytes that this image itself holds (data, not zeros)
  std::uint64_t file_size = 0;     // of all its files
  std::uint64_t block_size = 0;    // allocation unit; 0 for flat formats
  std::optional<Uuid> uuid, parent_uuid;
  bool has_parent = false;
  std::string parent_hint;  // parentFileNameHint or parent locator, as written; never followed unchecked
  std::vector<Finding> findings;
};

// A file of an image, open or opened when it is read. Reads are positional and thread-safe.
class SourceFile : public gzip::Input {
 public:
  // Fills `length` bytes from `offset`; throws Error io/malformed when fewer are there.
  void read(std::uint64_t offset, void *into, std::size_t length) const override = 0;
  // A descriptor for cloning and splicing, and the offset in it at which this file begins; fd -1: none. It stays open
  // as long as `keeps` is held.
  struct Descriptor {
    int fd = -1;
    std::uint64_t base = 0;
    std::shared_ptr<const void> keeps = {};
  };
  [[nodiscard]] virtual Descriptor descriptor() const = 0;
  // Which file it is under any name, and where in it this one begins; nullopt where it is not the bytes of one file.
  struct Identity {
    std::uint64_t device = 0, inode = 0, base = 0;
    friend auto operator<=>(const Identity &, const Identity &) = default;
  };
  [[nodiscard]] virtual std::optional<Identity> identity() const { return std::nullopt; }
  [[nodiscard]] std::uint64_t size() const override = 0;
  [[nodiscard]] const std::filesystem::path &path() const override = 0;
};

// One image file. Immutable after opening; all const members may be called from many threads.
class Image {
 public:
  virtual ~Image() = default;
  [[nodiscard]] virtual const ImageInfo &info() const = 0;
  [[nodiscard]] virtual const std::vector<std::shared_ptr<const SourceFile>> &files() const = 0;
  // Appends to `out` the extents that cover exactly [begin, end) (clipped at virtual_size), merged where they
  // are contiguous in guest and file. Reads table parts as needed, so memory does not grow with the disk.
  // A window may cut a `plain`, `zero` or `parent` extent, never a `deflated` one: those are given whole, so
  // the first and last extent may reach beyond the window.
  virtual void map(std::uint64_t begin, std::uint64_t end, std::vector<Extent> &out) const = 0;
};

// A chain as the guest reads it: images laid over each other, base first.
class Chain {
 public:
  // Throws Error malformed when it is empty. Links are not checked here: open_chain() has done that.
  explicit Chain(std::vector<std::shared_ptr<const Image>> images);
  [[nodiscard]] const std::vector<std::shared_ptr<const Image>> &images() const { return images_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const SourceFile>> &files() const { return files_; }
  [[nodiscard]] std::uint64_t virtual_size() const;  // the last image's
  // As Image::map, with Extent::file counted through files(); only plain, deflated and zero come out. Where an
  // upper image hides part of a deflated extent, the visible rest is described by `visible_begin/visible_end`.
  struct VisibleExtent {
    Extent extent;                    // the stored extent, whole
    std::uint64_t visible_begin = 0;  // guest bytes that show: a part of the extent, inside the window
    std::uint64_t visible_end = 0;
  };
  void map(std::uint64_t begin, std::uint64_t end, std::vector<VisibleExtent> &out) const;
  // Guest bytes, through all layers, inflated where needed. For small reads and tests; copying uses map().
  void read(std::uint64_t offset, void *into, std::size_t length) const;

 private:
  std::vector<std::shared_ptr<const Image>> images_;
  std::vector<std::shared_ptr<const SourceFile>> files_;
  std::vector<std::uint16_t> first_file_;  // per image: index of its first file in files_
};

// An archive that all files of a machine lie in.
struct Archive {
  bool gzip = false;  // the ranges are of what it inflates to
  std::map<std::string, FileRange> members;
};

// What an image may reach, and where links may be looked for.
struct OpenOptions {
  // A descriptor's extents and a parent must lie below one of these folders (after resolving links); the
  // image's own folder is always allowed.
  std::vector<std::filesystem::path> allowed_folders;
  // What else the image may lead to: the machine's folder and those of the user's other machines.
  reach::Limits limits{};
  // Where else its parents and extents may be looked for.
  names::Places places{};
  // Images that a registry or the user names, by identity: where a parent may be found.
  std::vector<ImageFile> known_images;
  // Take a parent that has the right identity though its modification mark (VDI and VMDK modification UUID, VHD time
  // stamp, VMware content id) is not the one that the child noted: so after VirtualBox deleted a snapshot. Gives a
  // finding.
  bool allow_modified_parent = false;
  // Where the extents of a descriptor are, in place of a folder; nullptr: in folders.
  std::shared_ptr<const Archive> archive = {};
  // What the same run has read already; nullptr: everything is read anew.
  std::shared_ptr<Cache> cache = {};
};

// The largest disk that is read, in bytes: VirtualBox's and VMware's largest have 2 TiB and 62 TiB. A larger one is a
// lie that would keep us busy.
inline constexpr std::uint64_t kLargestDisk = std::uint64_t{64} << 40U;

// For content that a format rules out.
inline constexpr std::string_view kDamagedAdvice =
    "Copy or download the image again, or repair it with the software that made it.";

// Opens one image; `file.pieces` says where. The format is read from the content, never from the name; raw is
// taken only where file.declared_format says raw (or iso). Throws: missing (which file, where looked),
// malformed, unsupported (a format that only qemu-img reads: see needs_qemu_img()), encrypted, unsafe (an extent
// that leads out of the allowed folders, a host device).
[[nodiscard]] std::shared_ptr<const Image> open_image(const ImageFile &file, const OpenOptions &options);

// Opens a medium: its chain as listed, prepended by the parents that only the images name. Every link is
// verified by the format's own identities (VDI UUIDs, VMDK CID and ddb.uuid, VHD unique id and time stamp); a
// broken or doubtful link throws malformed and names both ends.
[[nodiscard]] Chain open_chain(const Medium &medium, const OpenOptions &options);

// The format, from the content alone; unknown when nothing matches (raw data).
[[nodiscard]] ImageFormat detect_format(const ImageFile &file, const OpenOptions &options = {});

}  // namespace ferry::image
