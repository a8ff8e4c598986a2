// SPDX-License-Identifier: Apache-2.0
#include "migration/make_files.hpp"

#include <algorithm>

#include "converters/firmware/carry.hpp"
#include "importers/ovf/ovf.hpp"
#include "migration/plan_files.hpp"

#include "support/file.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

disk::ConvertRequest request_for(const DiskPlan &disk, const MachinePlan &plan, const Options &options,
                                 const fs::path &target) {
  disk::ConvertRequest request;
  request.medium = disk.medium;
  request.snapshots = disk.snapshots;
  request.target = target;
  request.engine = options.engine;
  request.mode = disk.mode;
  request.underlay = disk.underlay;
  request.compression = options.compression;
  request.cluster_size = options.cluster_size;
  request.threads = options.threads;
  request.verify = options.verify;
  request.check = true;
  request.open = open_options(plan.imported.machine, options);
  return request;
}

disk::ConvertRequest request_for(const CopyPlan &copy, const MachinePlan &plan, const fs::path &target) {
  disk::ConvertRequest request;
  request.medium.chain = {copy.image};
  request.medium.chain.front().declared_format = ImageFormat::raw;
  request.target = target;
  request.format = disk::TargetFormat::raw;
  request.open = open_options(plan.imported.machine);
  return request;
}

// Writes the code of an image that has both, and its variables beside the store that they become.
fs::path take_apart(const FirmwarePlan &plan, const fs::path &loader, const fs::path &store) {
  constexpr std::uint64_t kLargest = std::uint64_t{64} << 20U;  // bytes
  const std::uint64_t split = plan.target.descriptor.joint;
  const auto text = [&](std::uint64_t offset, std::optional<std::uint64_t> length) {
    const std::vector<std::uint8_t> bytes = file::read_range({plan.joint, offset, length}, kLargest);
    return std::string(bytes.begin(), bytes.end());
  };
  fs::path content = fs::path(store) += ".content";
  file::write_new(loader, text(split, std::nullopt));
  file::write_new(content, text(0, split));
  return content;
}

// The manifest's digest of a disk that is converted natively from one range of a file: the conversion checks it in
// the same pass. Such an entry is taken out of `manifest`.
std::optional<disk::SourceDigest> take_digest(const DiskPlan &disk, std::vector<ovf::ManifestEntry> &manifest) {
  if (disk.mode == disk::Mode::link || disk.mode == disk::Mode::overlay) return std::nullopt;
  if (disk.info.engine != disk::Engine::native || disk.medium.chain.empty()) return std::nullopt;
  const ImageFile &image = disk.medium.chain.back();
  if (image.pieces.size() != 1 || image.gzip || image.gzip_outer) return std::nullopt;
  const auto entry = std::find_if(manifest.begin(), manifest.end(), [&](const ovf::ManifestEntry &one) {
    return !one.gzip_outer && one.range == image.pieces.front();
  });
  if (entry == manifest.end()) return std::nullopt;
  disk::SourceDigest digest{.algorithm = entry->algorithm, .expected = entry->digest, .where = entry->where};
  manifest.erase(entry);
  return digest;
}

}  // namespace

void refuse_when_stopped(const MachinePlan &plan, const std::stop_token &stop) {
  if (!stop.stop_requested()) return;
  throw Error(ErrorKind::cancelled,
              {.where = {.file = plan.imported.machine.source.file}, .message = "the migration was interrupted"});
}

void make_files(const MakeRequest &request, Progress *progress, const std::stop_token &stop, RunResult &result) {
  const MachinePlan &plan = request.plan;
  const auto staged = [&request](const fs::path &file) { return request.staging / file.filename(); };
  const Source &source = plan.imported.machine.source;
  const std::shared_ptr<Reader> reader =
      plan.reader ? plan.reader : reader_of({source.kind, source.file}, request.options);
  std::vector<ovf::ManifestEntry> manifest = plan.manifest;
  std::vector<std::optional<disk::SourceDigest>> digests;
  for (const DiskPlan &disk : plan.disks) digests.push_back(take_digest(disk, manifest));
  // What no conversion checks on its way.
  if (!manifest.empty()) reader->verify_members(plan.number, manifest, stop);
  for (std::size_t i = 0; i < plan.disks.size(); ++i) {
    const DiskPlan &disk = plan.disks[i];
    if (disk.mode == disk::Mode::link) continue;
    refuse_when_stopped(plan, stop);
    disk::ConvertRequest convert = request_for(disk, plan, request.options, staged(disk.target));
    convert.source_digest = digests[i];
    disk::ConvertResult made = disk::convert(convert, *reader, progress, stop);
    result.findings.insert(result.findings.end(), made.findings.begin(), made.findings.end());
    result.disks[disk.target] = std::move(made);
  }
  for (const CopyPlan &copy : plan.copies) {
    refuse_when_stopped(plan, stop);
    (void)disk::convert(request_for(copy, plan, staged(copy.target)), *reader, progress, stop);
  }
  if (plan.seed) file::write_new(staged(plan.seed->target), seed::iso_image(plan.seed->label, plan.seed->files));
  for (const FirmwarePlan *store : stores(plan)) {
    const fs::path target = staged(store->target.nvram);
    fs::path content = store->content.empty() ? store->target.descriptor.nvram_template : store->content;
    if (store->image) {
      content = fs::path(target) += ".content";
      disk::ConvertRequest unpacked;
      unpacked.medium = *store->image;
      unpacked.target = content;
      unpacked.format = disk::TargetFormat::raw;
      unpacked.durable = false;
      unpacked.open = open_options(plan.imported.machine, request.options);
      (void)disk::convert(unpacked, *reader, nullptr, stop);
    }
    if (!store->joint.empty()) content = take_apart(*store, staged(store->target.descriptor.loader), target);
    const firmware::CarryResult carried = firmware::carry_variables(store->variables, content, target);
    if (store->image || !store->joint.empty()) fs::remove(content);
    result.findings.insert(result.findings.end(), carried.findings.begin(), carried.findings.end());
  }
  if (!plan.definition_apart) file::write_new(staged(plan.document.filename()), request.domain_xml);
}

}  // namespace ferry::migration
