// SPDX-License-Identifier: Apache-2.0
// Conversion by our own readers, engine and writers: the part that reads the source and fills the target.
#include <algorithm>
#include <memory>
#include <utility>

#include "converters/copy/clone.hpp"
#include "converters/copy/clone_plan.hpp"
#include "converters/copy/engine.hpp"
#include "converters/copy/raw_sink.hpp"
#include "converters/copy/survey.hpp"
#include "converters/copy/target_file.hpp"
#include "converters/disk_steps.hpp"
#include "converters/findings.hpp"
#include "converters/images/source_file.hpp"
#include "converters/qcow2/writer.hpp"
#include "converters/verify/hash_pass.hpp"

#include "support/error.hpp"
#include "support/text.hpp"

namespace ferry::disk {

namespace {

constexpr std::uint64_t kSector = 512;  // bytes; what QEMU counts a disk's size in

std::uint64_t whole_sectors(std::uint64_t size) { return (size + kSector - 1) / kSector * kSector; }

class NativeConversion {
 public:
  NativeConversion(const ConvertRequest &request, Progress *progress, std::stop_token stop)
      : request_(request), progress_(progress), stop_(std::move(stop)) {
    chains_.reserve(request.snapshots.size() + 1);
    for (const SnapshotState &state : request.snapshots) open(state.medium);
    open(request.medium);
    for (const image::Chain &chain : chains_) states_.push_back(&chain);
    sources_ = copy::Sources(states_);
  }

  ConvertResult fill(copy::TargetFile &file) {
    ConvertResult result{.engine = Engine::native, .virtual_size = current().virtual_size()};
    collect_findings(result);
    std::unique_ptr<verify::HashPass> hash = start_hash();
    try {
      write(file, result);
    } catch (const Error &error) {
      // That the package is not what it was says more than which grain of it cannot be inflated.
      if (hash && error.kind() == ErrorKind::malformed) check_hash(hash->finish(), result);
      throw;
    }
    if (hash) check_hash(hash->finish(), result);
    return result;
  }

 private:
  [[nodiscard]] const image::Chain &current() const { return chains_.back(); }
  void open(const Medium &medium) { chains_.push_back(image::open_chain(medium, request_.open)); }

  void collect_findings(ConvertResult &result) const {
    for (const image::Chain &chain : chains_) {
      for (const auto &image : chain.images()) {
        for (const Finding &finding : image->info().findings) {
          if (std::ranges::find(result.findings, finding) == result.findings.end()) result.findings.push_back(finding);
        }
      }
    }
    if (result.virtual_size % kSector != 0) {
      result.findings.push_back(raise(kSizeRounded, {.file = current().images().back()->info().file},
                                      "The disk has " + std::to_string(result.virtual_size) +
                                          " bytes; the new one has " +
                                          std::to_string(whole_sectors(result.virtual_size)) + "."));
    }
  }

  void write(copy::TargetFile &file, ConvertResult &result) {
    std::unique_ptr<qcow2::Writer> qcow2;
    std::unique_ptr<copy::RawSink> raw;
    if (request_.format == TargetFormat::qcow2) {
      qcow2 = std::make_unique<qcow2::Writer>(file, layout());
    }
    copy::Options options{.threads = request_.threads, .sharing = sharing(file), .progress = progress_, .stop = stop_};
    if (request_.format == TargetFormat::raw) {
      raw = std::make_unique<copy::RawSink>(file, whole_sectors(result.virtual_size));
    }
    copy::Sink &sink = qcow2 ? static_cast<copy::Sink &>(*qcow2) : *raw;
    const copy::Survey survey = look_ahead(sink, options);
    options.clones = survey.clones.get();
    settle_sharing(survey, options, result);
    file.require_space(space_needed(survey, sink.unit(), options.sharing != copy::Sharing::never));
    if (qcow2 && options.sharing == copy::Sharing::never) file.allocate_ahead();

    copy::Outcome outcome;
    {
      const Step step(progress_, request_.target.filename().string() + ": converting", survey.data_bytes);
      outcome = copy::copy(sources_, sink, options);
    }
    result.bytes_shared = outcome.bytes_shared;
    result.bytes_written = qcow2 ? qcow2->finish() - outcome.bytes_shared : outcome.bytes_stored;
    result.mode = outcome.bytes_shared > 0 ? Mode::share : Mode::copy;
  }

  // What is to be done, for the space and the progress. Of compressed grains the header's count is enough: a walk
  // through the maps would read a marker at each of them.
  [[nodiscard]] copy::Survey look_ahead(const copy::Sink &sink, const copy::Options &options) const {
    const image::ImageInfo &info = current().images().back()->info();
    if (chains_.size() == 1 && current().images().size() == 1 && info.variant == "streamOptimized") {
      return {.data_bytes = info.allocated, .deflated_bytes = info.allocated};
    }
    return copy::survey(sources_, sink.unit(), options.sharing == copy::Sharing::never ? 0 : sink.clone_alignment(),
                        options.threads, options.stop);
  }

  [[nodiscard]] qcow2::Layout layout() const {
    qcow2::Layout out{.cluster_size = request_.cluster_size,
                      .compression = request_.compression,
                      .virtual_size = current().virtual_size()};
    for (std::size_t i = 0; i < request_.snapshots.size(); ++i) {
      out.snapshots.push_back({.name = request_.snapshots[i].name,
                               .created = request_.snapshots[i].created,
                               .virtual_size = chains_[i].virtual_size()});
    }
    return out;
  }

  // Whether the file system clones between the source and the target at all.
  [[nodiscard]] copy::Sharing sharing(const copy::TargetFile &file) const {
    if (request_.mode == Mode::copy || request_.compression != Compression::none) return copy::Sharing::never;
    const std::uint32_t block = file.block_size();
    for (std::uint32_t i = 0; i < sources_.file_count(); ++i) {
      const auto descriptor = sources_.file(i).descriptor();
      if (descriptor.fd < 0 || sources_.file(i).size() + descriptor.base < block) continue;
      if (copy::can_clone(descriptor.fd, file.fd(), block)) {
        return request_.mode == Mode::share ? copy::Sharing::required : copy::Sharing::where_possible;
      }
    }
    if (request_.mode == Mode::share) refuse_to_share("the file system does not share blocks between these two files");
    return copy::Sharing::never;
  }

  [[noreturn]] void refuse_to_share(const char *found) const {
    throw Error(ErrorKind::unsupported, {.where = {.file = current().images().back()->info().file},
                                         .message = "the disk's blocks cannot be shared with the target",
                                         .found = found,
                                         .expected = "source and target on one Btrfs or XFS file system, and data "
                                                     "that is aligned and not compressed",
                                         .advice = "Use --disk-mode auto or copy."});
  }

  // Cloning is possible here; is it for these data?
  void settle_sharing(const copy::Survey &survey, copy::Options &options, ConvertResult &result) const {
    if (options.sharing == copy::Sharing::never || survey.clonable_bytes > 0 || survey.data_bytes == 0) return;
    if (request_.mode == Mode::share) refuse_to_share("no aligned, uncompressed data");
    options.sharing = copy::Sharing::never;
    result.findings.push_back(raise(kCopiedNotShared, {.file = current().images().back()->info().file},
                                    "The image's data is compressed, or not aligned to the file system's blocks."));
  }

  [[nodiscard]] std::uint64_t space_needed(const copy::Survey &survey, std::uint64_t unit, bool shares) const {
    const std::uint64_t states = states_.size();
    const std::uint64_t tables = survey.data_bytes / unit * (8 * states + 2) + (4 + 2 * states) * unit;
    if (request_.compression != Compression::none) return tables;  // nobody knows; writing says when it is full
    if (shares) return survey.data_bytes - survey.clonable_bytes + tables;
    // Holes of the source's files are not written.
    return std::min(survey.data_bytes - survey.deflated_bytes, survey.physical_bytes) + survey.deflated_bytes + tables;
  }

  // Over the file that the image is read through, where that is one: what is hashed is what is converted.
  [[nodiscard]] std::unique_ptr<verify::HashPass> start_hash() {
    if (!request_.source_digest) return nullptr;
    const ImageFile &image = request_.medium.chain.back();
    if (image.pieces.size() != 1 || image.gzip || image.gzip_outer) {
      throw Error(
          ErrorKind::unsupported,
          {.where = {.file = image.display_path()},
           .message =
               "the digest of an image that is gzip'd or in several pieces cannot be computed while it is converted",
           .advice = "Check the manifest beforehand."});
    }
    const FileRange &range = image.pieces.front();
    for (std::uint32_t i = 0; i < sources_.file_count(); ++i) {
      if (sources_.base(i) != range.offset || sources_.file(i).path() != range.file) continue;
      auto hash = std::make_unique<verify::HashPass>(request_.source_digest->algorithm, sources_.shared_file(i));
      sources_.listen(i, hash.get());
      return hash;
    }
    ImageFile whole;  // a VMDK's text descriptor, which no copying reads
    whole.pieces = {range};
    return std::make_unique<verify::HashPass>(request_.source_digest->algorithm,
                                              image::open_source(whole, request_.open.cache.get()));
  }

  void check_hash(const std::string &found, ConvertResult &result) const {
    result.source_digest = found;
    const SourceDigest &wanted = *request_.source_digest;
    if (wanted.expected.empty() || text::iequals_ascii(wanted.expected, found)) return;
    const ImageFile &image = request_.medium.chain.back();
    throw Error(
        ErrorKind::malformed,
        {.where = wanted.where.file.empty() ? Place{.file = image.display_path()} : wanted.where,
         .message = "\"" + text::printable(image.declared_location) + "\" does not match the manifest",
         .found = wanted.algorithm + " " + found,
         .expected = wanted.algorithm + " " + wanted.expected,
         .advice = "Download or export the package again, or remove the manifest if you changed the file yourself."});
  }

  const ConvertRequest &request_;
  Progress *progress_;
  std::stop_token stop_;
  std::vector<image::Chain> chains_;  // the snapshots', then the current state's
  std::vector<const image::Chain *> states_;
  copy::Sources sources_;  // of states_
};

}  // namespace

ConvertResult fill(const ConvertRequest &request, copy::TargetFile &target, Progress *progress,
                   const std::stop_token &stop) {
  if (request.mode == Mode::overlay) return fill_changes(request, target);
  return NativeConversion(request, progress, stop).fill(target);
}

}  // namespace ferry::disk
