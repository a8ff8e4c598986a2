// SPDX-License-Identifier: Apache-2.0
#include "migration/plan_files.hpp"

#include <system_error>

#include "support/on_host.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kReserve = 1U << 20U;  // bytes for each file: headers, tables, the store

std::uint64_t size_of(const fs::path &file) {
  std::error_code error;
  const std::uint64_t size = on_host::file_size(file, error);
  return error ? 0 : size;
}

}  // namespace

std::vector<const FirmwarePlan *> stores(const MachinePlan &plan) {
  std::vector<const FirmwarePlan *> out;
  if (plan.firmware) out.push_back(&*plan.firmware);
  for (const SnapshotPlan &snapshot : plan.snapshots) {
    if (snapshot.firmware) out.push_back(&*snapshot.firmware);
  }
  return out;
}

std::vector<fs::path> files_of(const MachinePlan &plan) {
  std::vector<fs::path> out;
  for (const DiskPlan &disk : plan.disks) {
    if (disk.mode != disk::Mode::link) out.push_back(disk.target);
  }
  for (const CopyPlan &copy : plan.copies) out.push_back(copy.target);
  if (plan.seed) out.push_back(plan.seed->target);
  for (const FirmwarePlan *store : stores(plan)) {
    out.push_back(store->target.nvram);
    if (!store->joint.empty()) out.push_back(store->target.descriptor.loader);
  }
  if (!plan.definition_apart) out.push_back(plan.document);
  return out;
}

std::uint64_t space_of(const MachinePlan &plan) {
  std::uint64_t out = 0;
  for (const DiskPlan &disk : plan.disks) {
    if (disk.mode == disk::Mode::link) continue;
    // An overlay is empty, and shared blocks take no room; `automatic` may have to copy after all.
    const bool takes_none = disk.mode == disk::Mode::overlay || disk.mode == disk::Mode::share;
    if (!takes_none || plan.start_now) out += disk.needed;
    out += kReserve;
  }
  for (const CopyPlan &copy : plan.copies) {
    for (const FileRange &piece : copy.image.pieces) out += piece.length ? *piece.length : size_of(piece.file);
  }
  for (const FirmwarePlan *store : stores(plan)) {
    out += kReserve;
    if (!store->joint.empty()) out += size_of(store->joint);
  }
  if (plan.seed) out += kReserve;
  return out;
}

}  // namespace ferry::migration
