// SPDX-License-Identifier: Apache-2.0
// Conversion by our own engine, but for the reading: the target is made, looked at by QEMU's programs, and gets its
// name.
#include <array>
#include <cerrno>
#include <cstring>
#include <unistd.h>

#include "converters/copy/target_file.hpp"
#include "converters/disk_steps.hpp"
#include "converters/findings.hpp"
#include "converters/qcow2/format.hpp"
#include "converters/verify/nbd_server.hpp"
#include "converters/verify/read_back.hpp"

#include "support/byte_reader.hpp"
#include "support/error.hpp"

namespace ferry::disk {

namespace {

// Who filled the target had read what may be hostile. Whatever came of that, it must not lead QEMU to other files.
void refuse_what_leads_elsewhere(const copy::TargetFile &file) {
  constexpr std::uint64_t kIncompatibleDataFile = 1U << 2U;
  std::array<std::uint8_t, 104> header{};  // bytes: version 3's, without extensions
  const ssize_t count = pread(file.fd(), header.data(), header.size(), 0);
  if (count < 0) {
    throw Error(ErrorKind::io, {.where = {.file = file.final_path()},
                                .message = std::string("the new image cannot be read: ") + std::strerror(errno),
                                .advice = "Check the disk that it is on."});
  }
  const bool whole = count == static_cast<ssize_t>(header.size());
  const auto number = [&header](std::size_t at, std::size_t length) {
    std::uint64_t out = 0;
    for (std::size_t i = at; i < at + length; ++i) out = out << 8U | header[i];
    return out;
  };
  const bool plain = whole && number(0, 4) == qcow2::kMagic && number(4, 4) == qcow2::kVersion && number(8, 8) == 0 &&
                     (number(72, 8) & kIncompatibleDataFile) == 0;
  if (plain) return;
  throw Error(ErrorKind::internal, {.where = {.file = file.final_path()},
                                    .message = "the image that was written refers to other files",
                                    .advice = "Keep the source, and report this as a bug in virt-ferry."});
}

void check_target(const ConvertRequest &request, const copy::TargetFile &file, ConvertResult &result,
                  const std::stop_token &stop) {
  if (request.format != TargetFormat::qcow2) return;
  const qemu_img::Context context{.stop = stop};
  if (qemu_img::available(context)) return qemu_img::require_clean(file.path(), request.target, context);
  result.findings.push_back(raise(kNotChecked, {.file = request.target}, "There is no qemu-img on this host."));
}

void verify_target(const ConvertRequest &request, const copy::TargetFile &file, SourceReader &reader,
                   Progress *progress, const std::stop_token &stop, ConvertResult &result) {
  const Step step(progress, request.target.filename().string() + ": verifying",
                  result.virtual_size * (request.snapshots.size() + 1));
  const qemu_img::Source target{.format = request.format == TargetFormat::qcow2 ? ImageFormat::qcow2 : ImageFormat::raw,
                                .range = {.file = file.path()}};
  Comparison comparison{.target = request.target,
                        .snapshot = std::nullopt,
                        .expected = std::nullopt,
                        .virtual_size = result.virtual_size,
                        .threads = request.threads,
                        .open = request.open};
  for (const SnapshotState &state : request.snapshots) {
    comparison.snapshot = state.name;
    comparison.expected = state.medium;
    static_cast<void>(read_back(comparison, target, reader, progress, stop));
  }
  comparison.snapshot.reset();
  comparison.expected = request.medium;
  comparison.digest = true;
  result.sha256 = read_back(comparison, target, reader, progress, stop);
}

}  // namespace

std::size_t connections_for(unsigned threads) { return verify::Connections::wanted(threads); }

std::string read_back(const Comparison &comparison, const qemu_img::Source &target, SourceReader &reader,
                      Progress *progress, const std::stop_token &stop) {
  const verify::NbdServer server(target, comparison.snapshot);
  std::vector<file::Descriptor> connections;
  for (std::size_t i = 0; i < connections_for(comparison.threads); ++i) connections.push_back(server.connect());
  return reader.compare(comparison, std::move(connections), progress, stop);
}

std::string compare(const Comparison &comparison, std::vector<file::Descriptor> connections, Progress *progress,
                    const std::stop_token &stop) {
  std::optional<image::Chain> chain;
  if (comparison.expected) chain.emplace(image::open_chain(*comparison.expected, comparison.open));
  verify::Connections server(std::move(connections));
  // A snapshot is served with the current state's size.
  return verify::read_back(
      {.target = comparison.target,
       .snapshot = comparison.snapshot,
       .expected = chain ? &*chain : nullptr,
       .virtual_size = chain ? std::min(chain->virtual_size(), comparison.virtual_size) : comparison.virtual_size,
       .size_may_differ = comparison.snapshot.has_value(),
       .digest = comparison.digest,
       .threads = comparison.threads,
       .progress = progress,
       .stop = stop},
      server);
}

ConvertResult convert_native(const ConvertRequest &request, SourceReader &reader, Progress *progress,
                             const std::stop_token &stop) {
  copy::TargetFile file(request.target, request.replace);
  ConvertResult result = reader.fill(request, file, progress, stop);
  if (request.format == TargetFormat::qcow2) refuse_what_leads_elsewhere(file);
  if (request.check || request.verify) check_target(request, file, result, stop);
  if (request.verify) verify_target(request, file, reader, progress, stop, result);
  if (request.before_publish) request.before_publish();
  file.publish(request.durable);
  return result;
}

}  // namespace ferry::disk
