// SPDX-License-Identifier: Apache-2.0
#include "migration/touched_files.hpp"

#include <array>

#include "importers/vbox/vbox.hpp"
#include "migration/survey.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// What stands beside the settings under their name and is read, or would be missed.
constexpr std::array kCompanions{".mf", ".cert", ".vmsd", ".vmxf", ".nvram", ".vbox-prev"};

void add_hardware(const Hardware &hardware, std::vector<fs::path> &out) {
  for (const DriveRef &ref : drives_of(hardware, "")) {
    if (!ref.drive->medium) continue;
    for (const ImageFile &image : ref.drive->medium->chain) {
      for (const FileRange &piece : image.pieces) out.push_back(piece.file);
    }
  }
  if (hardware.firmware.nvram_file) out.push_back(*hardware.firmware.nvram_file);
}

}  // namespace

std::vector<fs::path> input_files(const Machine &machine, const Options &options) {
  std::vector<fs::path> out{machine.source.file};
  for (const char *suffix : kCompanions) out.push_back(fs::path(machine.source.file).replace_extension(suffix));
  add_hardware(machine.hardware, out);
  if (machine.saved_state) out.push_back(machine.saved_state->file);
  for (const Snapshot &snapshot : machine.snapshots) {
    add_hardware(snapshot.hardware, out);
    if (snapshot.saved_state) out.push_back(snapshot.saved_state->file);
  }
  if (const fs::path registry = vbox::host_registry(); !registry.empty()) out.push_back(registry);
  if (options.host_profile) out.push_back(*options.host_profile);
  if (options.virtualbox_registry) out.push_back(*options.virtualbox_registry);
  return out;
}

std::vector<fs::path> planned_files(const MachinePlan &plan) {
  std::vector<fs::path> out = plan.files;
  for (const DiskPlan &disk : plan.disks) {
    out.insert(out.end(), disk.info.files.begin(), disk.info.files.end());
    for (const disk::SnapshotState &state : disk.snapshots) {
      for (const ImageFile &image : state.medium.chain) {
        for (const FileRange &piece : image.pieces) out.push_back(piece.file);
      }
    }
    out.push_back(disk.target);
  }
  for (const CopyPlan &copy : plan.copies) out.push_back(copy.target);
  return out;
}

}  // namespace ferry::migration
