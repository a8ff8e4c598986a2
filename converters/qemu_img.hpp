// SPDX-License-Identifier: Apache-2.0
// qemu-img as an engine: for formats that are not read natively, for checking what was written, and as the oracle in
// tests. It is always called with explicit drivers, an argument vector, limits and a deadline; no file name is ever
// parsed by it ("json:", "nbd:", commas and colons in names are harmless).
//
// Every function here throws Error: missing (qemu-img is not installed; the advice names the package), subprocess
// (it failed; the message carries its stderr), cancelled (deadline or stop), malformed (its output makes no sense),
// unsupported (a source that qemu-img cannot address: several pieces, gzip).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "converters/copy/target_file.hpp"
#include "converters/disk.hpp"
#include "converters/images/image.hpp"
#include "converters/progress.hpp"

#include "support/cage.hpp"

namespace ferry::qemu_img {

// An image as qemu-img is to open it. `format` decides the driver and is never guessed.
struct Source {
  ImageFormat format = ImageFormat::raw;
  FileRange range;  // a whole file, or a part of one (a disk inside an OVA)
  // Further files that belong to the image (a VMDK's extents) and that QEMU may therefore open; no other.
  std::vector<std::filesystem::path> extents = {};
};

// From a medium's image. `format` is what the content says (image::detect_format), not what the source declares.
// Throws unsupported for an image in several pieces or gzip'd, and for a format that qemu-img has no driver for;
// missing for one without pieces.
[[nodiscard]] Source source_of(const ImageFile &file, ImageFormat format);

// qemu-img's name of a format: "vpc" for VHD. Throws unsupported when there is none (iscsi, host_device, unknown).
[[nodiscard]] std::string_view driver_name(ImageFormat format);

// The value for --image-opts: "driver=vmdk,file.driver=file,file.filename=/a,,b.vmdk".
// For QEMU's other programs too.
[[nodiscard]] std::string image_options(const Source &source);

// How long and with which program. The defaults are right except in tests.
struct Context {
  std::string program = "qemu-img";
  std::chrono::milliseconds query_deadline = std::chrono::seconds(60);  // info
  std::chrono::milliseconds read_deadline = std::chrono::hours(24);     // check, compare, convert
  // Bytes: a hostile header must not eat the host. More than it uses, for each of its threads asks for 128 MiB.
  std::uint64_t query_address_space = std::uint64_t{4} << 30;
  std::uint64_t query_cpu_seconds = 30;
  std::uint64_t data = std::uint64_t{8} << 30;  // bytes, of those that convert, compare, serve: as a worker's
  std::stop_token stop;
};

[[nodiscard]] bool available(const Context &context = {});

// For a program of QEMU's that serves an image to those who connect to a socket that it is given.
[[nodiscard]] std::shared_ptr<const cage::Cage> cage_of_server(const std::string &program, const Source &served);

// "7.2.22"; throws missing.
[[nodiscard]] std::string version(const Context &context = {});

struct Info {
  std::string format;              // the driver's name
  std::uint64_t virtual_size = 0;  // bytes, as QEMU sees it (see misread_reason: not always the guest's)
  std::uint64_t actual_size = 0;   // bytes on the disk
  std::uint64_t cluster_size = 0;  // bytes; 0: the format has none
  std::optional<std::string> backing_file, backing_format, data_file;
  bool encrypted = false, dirty = false, corrupt = false;
  std::vector<std::string> snapshots;  // names, as they come
  std::vector<std::string> extents;    // VMDK: the files that hold the data
  std::string json;                    // the whole answer
};
// Reads the image's header only; backing files are not opened.
[[nodiscard]] Info info(const Source &source, const Context &context = {});

struct ConvertRequest {
  Source source;
  std::filesystem::path target;  // absolute; must not exist
  disk::TargetFormat format = disk::TargetFormat::qcow2;
  disk::Compression compression = disk::Compression::none;
  std::uint32_t cluster_size = 65536;  // bytes; qcow2 only
  std::uint64_t virtual_size = 0;      // bytes, for the progress; 0: info() is asked
};
// Writes the target under a temporary name beside it, checks it (qcow2: `qemu-img check`), and only then gives it its
// name. Progress::begin is called with the virtual size, advance as qemu-img says how far it is. On any throw nothing
// is left. Also throws: unsafe (the source has a backing or data file), conflict (the target exists), io.
// A caller first asks misread_reason().
void convert(const ConvertRequest &request, Progress *progress, const Context &context = {});
// The same into `target`, made for request.target, which the caller publishes.
void convert(const ConvertRequest &request, const copy::TargetFile &target, Progress *progress,
             const Context &context = {});

// Copies what the qcow2 `file` (absolute) reads of other images into it, so that it stands alone. The header is changed
// last: cut off, the image is as it was, and this can be called again. Internal snapshots would lose what they have of
// the others: the caller sees to it that there are none. `progress` is told percent. In the cage only `file` may be
// written, and what the headers name may be read; a server of disks (converters/serve) that the header names at a
// socket is connected to. Throws subprocess (also while another program has the image), cancelled.
void fill(const std::filesystem::path &file, const std::function<void(unsigned)> &progress,
          const Context &context = {});

struct CheckResult {
  bool supported = true;  // false: the format has no check (raw)
  std::uint64_t corruptions = 0, leaks = 0, errors = 0;
  std::uint64_t image_end = 0;  // bytes
  std::string json;
  [[nodiscard]] bool clean() const { return corruptions == 0 && leaks == 0 && errors == 0; }
};
// Never repairs. Findings of the check are in the result, not thrown.
[[nodiscard]] CheckResult check(const Source &source, const Context &context = {});
// Throws verify when the check of the qcow2 `written` finds anything; the error names `target`, which it will become.
void require_clean(const std::filesystem::path &written, const std::filesystem::path &target,
                   const Context &context = {});

struct Difference {
  std::string message;  // "Content mismatch at offset 65536!"; empty: the guest sees the same in both
  explicit operator bool() const { return !message.empty(); }
};
// Compares the guests' view of two images; `strict` holds for size and allocation too.
[[nodiscard]] Difference compare(const Source &left, const Source &right, bool strict, const Context &context = {});

// An extent line of a VMDK descriptor.
struct DescriptorExtent {
  std::string access;         // "RW", "RDONLY", "NOACCESS"
  std::string type;           // "SPARSE", "FLAT", "ZERO", "VMFS"
  std::string file;           // as written
  std::uint64_t sectors = 0;  // of 512 bytes; 0: not told
};

// What qemu-img reads wrongly although it exits 0, or must not be let at. Empty: it reads this image rightly.
// Otherwise one sentence why not, for an Error unsupported. `image` is what the image's own header says; `extents` are
// the descriptor's, for VMDK.
[[nodiscard]] std::string misread_reason(const image::ImageInfo &image, std::span<const DescriptorExtent> extents = {});

// Why QEMU must not even be asked about a VMDK: it could open a file that the image names and our reader does not see.
// `files` are the image's, `descriptor` is ImageInfo::file. Empty: it sees what we do.
[[nodiscard]] std::string names_reason(std::span<const std::shared_ptr<const image::SourceFile>> files,
                                       const std::filesystem::path &descriptor);
// In what QEMU's view of an image differs from ours; empty: in nothing. For an image without a parent.
[[nodiscard]] std::string differing_view(const Info &theirs, const image::ImageInfo &ours,
                                         std::span<const std::filesystem::path> files);

}  // namespace ferry::qemu_img
