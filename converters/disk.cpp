// SPDX-License-Identifier: Apache-2.0
#include "converters/disk.hpp"

#include <algorithm>
#include <limits>

#include "converters/copy/survey.hpp"
#include "converters/disk_steps.hpp"
#include "converters/images/cache.hpp"
#include "converters/images/foreign.hpp"
#include "converters/serve/disk_view.hpp"

#include "support/error.hpp"
#include "support/on_host.hpp"

namespace ferry::disk {

namespace {

// Guest bytes with data. The map of compressed grains reads a marker at each of them, which inside a gzip'd package
// means to inflate all of it: there the header's count is enough.
std::uint64_t data_of(const image::Chain &chain) {
  const image::ImageInfo &top = chain.images().back()->info();
  const bool inflated = std::ranges::any_of(chain.files(), [](const auto &file) { return !file->identity(); });
  if (inflated && chain.images().size() == 1 && top.variant == "streamOptimized") return top.allocated;
  const image::Chain *state = &chain;
  return copy::survey(copy::Sources({&state, 1}), 65536, 0).data_bytes;
}

void check_request(const ConvertRequest &request) {
  const bool in_place = request.mode == Mode::overlay || request.mode == Mode::link;
  const auto refuse = [](const char *message) { throw Error(ErrorKind::usage, {.message = message}); };
  if (request.medium.chain.empty()) refuse("there is no image to convert");
  if (request.format == TargetFormat::raw && request.compression != Compression::none) {
    refuse("a raw image cannot be compressed");
  }
  if (request.format == TargetFormat::raw && !request.snapshots.empty()) refuse("a raw image cannot contain snapshots");
  if (request.mode == Mode::share && request.compression != Compression::none) {
    refuse("compressed blocks cannot be shared with the source");
  }
  if (in_place && !request.snapshots.empty()) refuse("an overlay or a linked image cannot keep snapshots");
  if (request.mode == Mode::overlay && request.format != TargetFormat::qcow2)
    refuse("only a qcow2 image can be an overlay");
}

class ReaderHere final : public SourceReader {
 public:
  DiskInfo inspect(const Medium &medium, const image::OpenOptions &open, Engine engine) override {
    return disk::inspect(medium, cached(open), engine);
  }
  Engine engine_for(const Medium &medium, const image::OpenOptions &open, Engine wanted) override {
    return choose_engine(medium, cached(open), wanted);
  }
  QemuSource for_qemu(const Medium &medium, const image::OpenOptions &open, bool with_force_size) override {
    return disk::for_qemu(medium, cached(open), with_force_size);
  }
  std::vector<std::uint8_t> zeros(const Medium &medium, const image::OpenOptions &open, std::uint32_t unit) override {
    return disk::zeros(medium, cached(open), unit);
  }
  ConvertResult fill(const ConvertRequest &request, copy::TargetFile &target, Progress *progress,
                     const std::stop_token &stop) override {
    ConvertRequest with_cache = request;
    with_cache.open = cached(request.open);
    return disk::fill(with_cache, target, progress, stop);
  }
  std::string compare(const Comparison &comparison, std::vector<file::Descriptor> connections, Progress *progress,
                      const std::stop_token &stop) override {
    Comparison with_cache = comparison;
    with_cache.open = cached(comparison.open);
    return disk::compare(with_cache, std::move(connections), progress, stop);
  }

 private:
  [[nodiscard]] image::OpenOptions cached(image::OpenOptions open) const {
    if (!open.cache) open.cache = cache_;
    return open;
  }

  std::shared_ptr<image::Cache> cache_ = std::make_shared<image::Cache>();
};

}  // namespace

namespace {

// qemu-img opens files of this host.
void refuse_remote_for_qemu(const Medium &medium) {
  for (const FileRange &piece : medium.chain.back().pieces) {
    if (!on_host::is_remote(piece.file)) continue;
    throw Error(ErrorKind::unsupported, {.where = medium.chain.back().origin,
                                         .message = "a disk of this format is read by qemu-img, which reads files of "
                                                    "this host alone",
                                         .found = piece.file.string(),
                                         .expected = "VDI, VMDK, VHD, VHDX or a raw disk on another host",
                                         .advice = "Copy the machine's folder to this host, or mount it with sshfs, "
                                                   "and give that."});
  }
}

}  // namespace

Engine choose_engine(const Medium &medium, const image::OpenOptions &options, Engine wanted) {
  if (wanted != Engine::automatic) return wanted;
  const bool foreign = medium.chain.size() == 1 && !medium.chain.front().pieces.empty() &&
                       !medium.chain.front().blank &&
                       image::needs_qemu_img(image::detect_format(medium.chain.front(), options));
  return foreign ? Engine::qemu_img : Engine::native;
}

std::shared_ptr<SourceReader> read_here() { return std::make_shared<ReaderHere>(); }

DiskInfo inspect(const Medium &medium, const image::OpenOptions &options, Engine engine) {
  if (medium.chain.empty()) throw Error(ErrorKind::usage, {.message = "there is no image to read"});
  DiskInfo out{.engine = choose_engine(medium, options, engine)};
  if (out.engine == Engine::qemu_img) {
    refuse_remote_for_qemu(medium);
    const QemuSource source = for_qemu(medium, options, true);
    if (source.packed) out.scratch = source.info.file_size;
    out.chain.push_back(source.info);
    out.files = source.files;
    out.virtual_size = source.info.virtual_size;
    out.allocated = source.info.allocated != 0 ? source.info.allocated : source.info.file_size;
  } else {
    const image::Chain chain = image::open_chain(medium, options);
    for (const auto &image : chain.images()) out.chain.push_back(image->info());
    for (const auto &file : chain.files()) out.files.push_back(file->path());
    out.virtual_size = chain.virtual_size();
    out.allocated = data_of(chain);
  }
  for (const image::ImageInfo &info : out.chain) {
    out.files.push_back(info.file);  // a descriptor, which has no data of its own
    out.findings.insert(out.findings.end(), info.findings.begin(), info.findings.end());
  }
  return out;
}

std::vector<std::uint8_t> zeros(const Medium &medium, const image::OpenOptions &options, std::uint32_t unit) {
  constexpr std::uint64_t kAtOnce = 4096;  // units: their map is in memory
  const auto chain = std::make_shared<const image::Chain>(image::open_chain(medium, options));
  const serve::DiskView view(chain);
  const std::uint64_t size = view.size(), count = (size + unit - 1) / unit;
  std::vector<std::uint8_t> out((count + 7) / 8);
  for (std::uint64_t first = 0; first < count; first += kAtOnce) {
    std::uint64_t at = first * unit;
    const std::uint64_t end = std::min(size, at + kAtOnce * unit);
    for (const serve::Stretch &stretch : view.runs(at, end - at, std::numeric_limits<std::size_t>::max() - 1)) {
      const std::uint64_t stop = at + stretch.length;
      // Whole ones; the disk's last may be short.
      const std::uint64_t past = stop == size ? count : stop / unit;
      for (std::uint64_t i = (at + unit - 1) / unit; stretch.zero && i < past; ++i)
        out[i / 8] = static_cast<std::uint8_t>(out[i / 8] | 1U << (i % 8));
      at = stop;
    }
  }
  return out;
}

ConvertResult convert(const ConvertRequest &request, SourceReader &reader, Progress *progress,
                      const std::stop_token &stop) {
  check_request(request);
  if (request.mode == Mode::overlay || request.mode == Mode::link) return use_in_place(request, reader);
  if (reader.engine_for(request.medium, request.open, request.engine) == Engine::qemu_img)
    return convert_by_qemu_img(request, reader, progress, stop);
  return convert_native(request, reader, progress, stop);
}

ConvertResult convert(const ConvertRequest &request, Progress *progress, const std::stop_token &stop) {
  return convert(request, *read_here(), progress, stop);
}

}  // namespace ferry::disk
