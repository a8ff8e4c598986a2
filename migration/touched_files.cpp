// SPDX-License-Identifier: Apache-2.0
#include "migration/touched_files.hpp"

#include <array>
#include <set>

#include "importers/vbox/vbox.hpp"
#include "migration/survey.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// What stands beside the settings under their name and is read, or would be missed.
constexpr std::array kCompanions{".mf", ".cert", ".vmsd", ".vmxf", ".nvram", ".vbox-prev"};

void add_hardware(const Hardware &hardware, std::set<fs::path> &out) {
  for (const DriveRef &ref : drives_of(hardware, "")) {
    if (!ref.drive->medium) continue;
    for (const ImageFile &image : ref.drive->medium->chain) {
      for (const FileRange &piece : image.pieces) out.insert(piece.file);
    }
  }
  if (hardware.firmware.nvram_file) out.insert(*hardware.firmware.nvram_file);
  if (hardware.tpm && hardware.tpm->state_file) out.insert(*hardware.tpm->state_file);
}

}  // namespace

std::vector<fs::path> input_files(const Machine &machine, const Options &options) {
  std::set<fs::path> out{machine.source.file};
  for (const char *suffix : kCompanions) out.insert(fs::path(machine.source.file).replace_extension(suffix));
  add_hardware(machine.hardware, out);
  if (machine.saved_state) out.insert(machine.saved_state->file);
  for (const Snapshot &snapshot : machine.snapshots) {
    add_hardware(snapshot.hardware, out);
    if (snapshot.saved_state) out.insert(snapshot.saved_state->file);
  }
  if (const fs::path registry = vbox::host_registry(); !registry.empty()) out.insert(registry);
  if (options.host_profile) out.insert(*options.host_profile);
  if (options.virtualbox_registry) out.insert(*options.virtualbox_registry);
  return {out.begin(), out.end()};
}

std::vector<fs::path> planned_files(const MachinePlan &plan) {
  std::set<fs::path> out(plan.files.begin(), plan.files.end());
  for (const DiskPlan &disk : plan.disks) {
    out.insert(disk.info.files.begin(), disk.info.files.end());
    for (const disk::SnapshotState &state : disk.snapshots) {
      for (const ImageFile &image : state.medium.chain) {
        for (const FileRange &piece : image.pieces) out.insert(piece.file);
      }
    }
    out.insert(disk.target);
  }
  for (const CopyPlan &copy : plan.copies) out.insert(copy.target);
  return {out.begin(), out.end()};
}

}  // namespace ferry::migration
