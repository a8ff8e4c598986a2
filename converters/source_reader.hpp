// SPDX-License-Identifier: Apache-2.0
// The part of the work on disks that reads the source. Where that is done is somebody else's business: in this process,
// or in one that may do nothing else. What needs other programs, or gives files their names, is not in it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "converters/copy/target_file.hpp"
#include "converters/disk.hpp"
#include "converters/qemu_img.hpp"

#include "support/file.hpp"

namespace ferry::disk {

// The only image of a medium, as QEMU may be given it.
struct QemuSource {
  qemu_img::Source source;
  image::ImageInfo info;
  std::vector<std::filesystem::path> files;  // of the image, where it is read natively
  bool has_descriptor = false;               // a VMDK whose extents a text names
  bool packed = false;                       // it lies compressed in an archive, and is to be unpacked first
};

// One state of a written image, and what it was made of.
struct Comparison {
  std::filesystem::path target;         // that messages name
  std::optional<std::string> snapshot;  // of the target; the current state without it
  std::optional<Medium> expected;       // nullopt: nothing to compare with, only the digest is wanted
  std::uint64_t virtual_size = 0;       // bytes, at most: of the current state
  bool digest = false;
  unsigned threads = 0;
  image::OpenOptions open;
};

class SourceReader {
 public:
  virtual ~SourceReader() = default;

  // Reads headers and tables only. Throws as image::open_chain does.
  [[nodiscard]] virtual DiskInfo inspect(const Medium &medium, const image::OpenOptions &open, Engine engine) = 0;

  // Which engine reads a medium. Only a single image of a format that we do not read goes to qemu-img unasked.
  [[nodiscard]] virtual Engine engine_for(const Medium &medium, const image::OpenOptions &open, Engine wanted) = 0;

  // Throws as image::open_image and image::check_qcow2_header; unsupported, saying why, where QEMU alone does not read
  // it rightly. `with_force_size`: QEMU is told a VHD's size.
  [[nodiscard]] virtual QemuSource for_qemu(const Medium &medium, const image::OpenOptions &open,
                                            bool with_force_size) = 0;

  // Which units of `unit` bytes of a disk read as zeros as far as its tables and the holes of its files say: bit i % 8
  // of byte i / 8 is unit i's. Throws as inspect().
  [[nodiscard]] virtual std::vector<std::uint8_t> zeros(const Medium &medium, const image::OpenOptions &open,
                                                        std::uint32_t unit) = 0;

  // Fills the target of a request that our own engine does, from its states, and takes the source's digest where that
  // was asked for; for an overlay, see fill_changes() in disk_steps.hpp. Throws as convert().
  virtual ConvertResult fill(const ConvertRequest &request, copy::TargetFile &target, Progress *progress,
                             const std::stop_token &stop) = 0;

  // Compares, over connected sockets of an NBD server (connections_for() of them). Returns the sha256 of the guest's
  // content where that was asked for. Throws verify, naming the first guest offset that differs.
  virtual std::string compare(const Comparison &comparison, std::vector<file::Descriptor> connections,
                              Progress *progress, const std::stop_token &stop) = 0;
};

[[nodiscard]] std::size_t connections_for(unsigned threads);

// In this process. With a cache, so that each image is opened once for all that is asked of it.
[[nodiscard]] std::shared_ptr<SourceReader> read_here();

// As convert() of disk.hpp, with another's reading.
ConvertResult convert(const ConvertRequest &request, SourceReader &reader, Progress *progress,
                      const std::stop_token &stop);

}  // namespace ferry::disk
