// SPDX-License-Identifier: Apache-2.0
// Changes to a disk that lies under an overlay: the overlay has the clusters that they are in. Who may read the source
// fills a file of its own with them, and who makes the overlay takes them from there.
#include <cerrno>
#include <cstring>
#include <set>
#include <unistd.h>

#include "converters/copy/target_file.hpp"
#include "converters/disk_steps.hpp"
#include "converters/qcow2/writer.hpp"

#include "support/error.hpp"

namespace ferry::disk {
namespace {

// Numbers of the units that the changes lie in.
std::set<std::uint64_t> changed_units(const std::vector<DiskChange> &changes, std::uint64_t unit) {
  std::set<std::uint64_t> out;
  for (const DiskChange &change : changes) {
    for (std::size_t i = 0; i < change.after.size(); ++i) out.insert((change.offset + i) / unit);
  }
  return out;
}

}  // namespace

ConvertResult fill_changes(const ConvertRequest &request, copy::TargetFile &target) {
  const image::Chain chain = image::open_chain(request.medium, request.open);
  const std::uint64_t unit = request.cluster_size, size = chain.virtual_size();
  std::vector<std::uint8_t> bytes;
  target.resize((size + unit - 1) / unit * unit);
  for (const std::uint64_t number : changed_units(request.medium.changes, unit)) {
    bytes.resize(static_cast<std::size_t>(std::min(unit, size - number * unit)));
    chain.read(number * unit, bytes.data(), bytes.size());
    target.write(number * unit, bytes.data(), bytes.size());
  }
  return {.engine = Engine::native, .mode = Mode::overlay, .virtual_size = size};
}

void write_changes(const ConvertRequest &request, SourceReader &reader, qcow2::Writer &writer) {
  if (request.medium.changes.empty()) return;
  copy::TargetFile changed(std::filesystem::path(request.target) += ".changes");  // gone at the end
  (void)reader.fill(request, changed, nullptr, {});
  const std::uint64_t unit = request.cluster_size;
  const auto lane = writer.lane();
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(unit));
  for (const std::uint64_t number : changed_units(request.medium.changes, unit)) {
    const ssize_t got = pread(changed.fd(), bytes.data(), bytes.size(), static_cast<off_t>(number * unit));
    if (got != static_cast<ssize_t>(bytes.size()))
      throw Error(ErrorKind::io, {.where = {.file = changed.path()},
                                  .message = std::string("the changes to the disk cannot be read back: ") +
                                             (got < 0 ? std::strerror(errno) : "the file is too short")});
    const std::uint8_t *piece = bytes.data();
    const copy::Placement placement{.state = 0, .piece = 0, .unit = number};
    lane->store({.pieces = {&piece, 1}, .placements = {&placement, 1}});
  }
  lane->flush();
}

}  // namespace ferry::disk
