// SPDX-License-Identifier: Apache-2.0
// Disks, whole: look at one, convert one. What migration and the `disk` command call; engines stand below.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "converters/compression.hpp"
#include "converters/images/image.hpp"
#include "converters/progress.hpp"

namespace ferry::disk {

enum class Engine { automatic, native, qemu_img };
enum class TargetFormat { qcow2, raw };
// copy: read and write. share: clone blocks (FICLONERANGE), an error where the file system cannot. automatic:
// share where possible, else copy. overlay: a qcow2 that is empty and backed by the untouched source, which
// QEMU must be able to read. link: the source image itself is used in place.
enum class Mode { automatic, copy, share, overlay, link };

// What is known of a medium before anything is written.
struct DiskInfo {
  std::vector<image::ImageInfo> chain;       // base first
  std::uint64_t virtual_size = 0;            // bytes, as the guest sees it
  std::uint64_t allocated = 0;               // guest bytes with data, through the chain; at most
  std::uint64_t scratch = 0;                 // bytes at the target that a conversion needs besides
  Engine engine = Engine::native;            // which one will read it
  std::vector<std::filesystem::path> files;  // all that it is read from: images, parents, extents
  std::vector<Finding> findings;
};

// Reads headers and tables only. Throws as image::open_chain does.
[[nodiscard]] DiskInfo inspect(const Medium &medium, const image::OpenOptions &options, Engine engine);

// A further state of the disk that becomes an internal snapshot.
struct SnapshotState {
  std::string name;          // unique in the image; libvirt's snapshot name
  std::int64_t created = 0;  // seconds since 1970
  Medium medium;
};

// The digest of the attached image's file (an OVA's member), computed while it is converted.
struct SourceDigest {
  std::string algorithm;  // a name that digest_kind() knows
  std::string expected;   // hex; another result is an Error malformed. Empty: only report it
  Place where{};          // what that error names: the manifest's line
};

// How QEMU reads a disk that lies under an overlay.
struct Underlay {
  enum class By { file, part, server };
  By by = By::file;
  std::uint64_t virtual_size = 0;        // bytes
  std::filesystem::path file;            // canonical; of a server empty
  std::string format = "raw";            // QEMU's driver name
  std::uint64_t offset = 0, length = 0;  // of a part: bytes of the file
  std::filesystem::path socket;          // of a server (converters/serve), and its export there
  std::string name;
};

struct ConvertRequest {
  Medium medium;                         // the current state
  std::vector<SnapshotState> snapshots;  // written in this order; native engine and qcow2 only
  std::filesystem::path target;          // is created; nothing of it is left when anything fails
  bool replace = false;                  // the target may exist, and stays as it is until the new one is whole
  TargetFormat format = TargetFormat::qcow2;
  Engine engine = Engine::automatic;
  Mode mode = Mode::automatic;
  std::optional<Underlay> underlay;  // of Mode::overlay: looked for already; nullopt: QEMU must read the image itself
  Compression compression = Compression::none;
  std::uint32_t cluster_size = 65536;  // bytes, a power of two from 4096 to 2 MiB
  unsigned threads = 0;                // 0: as many as the machine has
  // Waits until the target is on the disk before it gets its name, so that not even a power failure can leave a
  // broken file under it. Without, the end is as cp's and qemu-img's: the kernel writes it when it likes.
  bool durable = true;
  bool verify = false;  // read the target back and compare, every state of it
  // Let `qemu-img check` look at a qcow2 before it gets its name; part of `verify`. Without a qemu-img on the host, a
  // finding says that nothing was checked. (What qemu-img itself wrote is always checked.)
  bool check = false;
  // Of medium.chain.back(), which must be in one piece and not gzip'd: throws unsupported otherwise.
  std::optional<SourceDigest> source_digest;
  image::OpenOptions open;
  // Asked when the target is whole and has no name yet: throws when it is not to get one. Not asked for overlays.
  std::function<void()> before_publish;
};

struct ConvertResult {
  Engine engine = Engine::native;
  Mode mode = Mode::copy;
  std::uint64_t virtual_size = 0;            // bytes
  std::uint64_t bytes_written = 0;           // into the target
  std::uint64_t bytes_shared = 0;            // cloned, not copied
  std::optional<std::string> sha256;         // of the whole guest content, when verify was asked for
  std::optional<std::string> source_digest;  // hex, when asked for
  std::vector<Finding> findings;
};

class SourceReader;

// How QEMU can read a disk: by itself, where it does so rightly, as a file or a part of one; else from a server, whose
// socket and export are the caller's to fill in. Throws as inspect(), and unsupported for what only QEMU reads and
// cannot in its place.
[[nodiscard]] Underlay underlay_of(const Medium &medium, const image::OpenOptions &options, SourceReader &reader);

// Mode::overlay and link do without any copying; they throw unsupported, with the reason, for a source that QEMU
// does not read rightly by itself. Mode::link makes no target.
// Throws Error: as inspect(); no_space; io; subprocess; verify; cancelled when `stop` is requested. On any
// throw the target does not exist afterwards.
ConvertResult convert(const ConvertRequest &request, Progress *progress, const std::stop_token &stop);

}  // namespace ferry::disk
