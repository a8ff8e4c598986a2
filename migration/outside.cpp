// SPDX-License-Identifier: Apache-2.0
#include "migration/outside.hpp"

#include <algorithm>
#include <set>

#include "migration/findings.hpp"
#include "migration/removable_media.hpp"
#include "migration/source.hpp"
#include "migration/survey.hpp"

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

std::string_view name_of(DriveKind kind) {
  switch (kind) {
    case DriveKind::cdrom: return "the CD image";
    case DriveKind::floppy: return "the floppy image";
    case DriveKind::disk: break;
  }
  return "the disk";
}

class Collector {
 public:
  Collector(const Machine &machine, const Options &options) : options_(options), limits_(limits_of(machine, options)) {}

  void add_state(const Hardware &hardware, const std::string &prefix) {
    for (const DriveRef &ref : drives_of(hardware, prefix)) {
      if (!ref.drive->medium) continue;
      const bool disk = ref.drive->kind == DriveKind::disk;
      for (const ImageFile &image : ref.drive->medium->chain) {
        if (!disk && is_platform_tools(image.declared_location)) continue;  // left out
        for (const FileRange &piece : image.pieces)
          add({ref.field, image.origin, std::string(name_of(ref.drive->kind)), disk, !disk, {}}, piece.file,
              ref.drive->kind);
      }
    }
    const Firmware &firmware = hardware.firmware;
    if (firmware.nvram_file)
      add({prefix + ".firmware.nvram_file", firmware.origin, "the file of firmware variables", false, false, {}},
          *firmware.nvram_file);
    if (hardware.tpm && hardware.tpm->state_file)
      add({prefix + ".tpm.state_file", hardware.tpm->origin, "the file of the TPM's state", false, false, {}},
          *hardware.tpm->state_file);
    if (hardware.kernel) {
      add({prefix + ".kernel.kernel", hardware.kernel->origin, "the kernel", false, false, {}},
          hardware.kernel->kernel);
      add({prefix + ".kernel.initrd", hardware.kernel->origin, "the initrd", false, false, {}},
          hardware.kernel->initrd);
    }
    if (!options_.hardware.map_host_devices) return;  // ports get files of their own
    for (const auto *ports : {&hardware.serial_ports, &hardware.parallel_ports}) {
      for (const CharPort &port : *ports) add_port(port, prefix);
    }
  }

  std::vector<OutsideFile> files;

 private:
  void add(OutsideFile file, const fs::path &path, DriveKind kind = DriveKind::disk) {
    if (path.empty()) return;
    file.judgement = reach::judge(path, limits_);
    // A CD is where its user downloaded it, seldom beside a machine.
    if (file.is_removable && file.judgement.verdict == reach::Verdict::outside &&
        is_removable_image(file.judgement.file, kind)) {
      file.judgement.verdict = reach::Verdict::own;
      file.judgement.why = "a file of yours outside the machine's folder";
    }
    if (file.judgement.verdict != reach::Verdict::inside) files.push_back(std::move(file));
  }

  // QEMU makes or truncates a port's file, so it need not be there to do harm: its folder is judged.
  void add_port(const CharPort &port, const std::string &prefix) {
    if (port.backend != CharPort::Backend::file || !port.path.starts_with('/')) return;
    std::error_code error;
    OutsideFile file{prefix + ".serial_ports", port.origin, "the file of a port", false, false, {}};
    if (fs::exists(port.path, error)) {
      add(std::move(file), port.path);
      return;
    }
    const bool allowed = reach::below(port.path, limits_.folder) ||
                         std::any_of(limits_.allowed.begin(), limits_.allowed.end(),
                                     [&](const fs::path &folder) { return reach::below(port.path, folder); });
    if (allowed) return;
    file.judgement = {reach::Verdict::outside, port.path, "a file outside the machine's folder"};
    files.push_back(std::move(file));
  }

  const Options &options_;
  const reach::Limits limits_;
};

template <class Visit>
void for_each_disk_image(Hardware &hardware, const Visit &visit) {
  for (Controller &controller : hardware.controllers) {
    for (Drive &drive : controller.drives) {
      if (drive.kind != DriveKind::disk || !drive.medium) continue;
      for (ImageFile &image : drive.medium->chain) visit(image);
    }
  }
}

void take_raw(ImageFile &image, const Options &options) {
  if (image.blank || image.encrypted) return;
  if (image.pieces.empty()) {
    const fs::path name = names::last_name(image.declared_location);
    if (text::lower_ascii(name.extension().string()) != ".vmdk") return;
    const std::string flat =
        (fs::path(names::with_slashes(image.declared_location)).parent_path() / (name.stem().string() + "-flat.vmdk"))
            .string();
    const names::Found found =
        names::find(flat, image.origin.file.parent_path(), places_of(options, image.origin.file));
    if (!found.file) return;
    image.pieces.push_back({*found.file, 0, std::nullopt});
    image.declared_format = ImageFormat::raw;
    return;
  }
  try {
    if (image::detect_format(image) == ImageFormat::unknown) image.declared_format = ImageFormat::raw;
  } catch (const Error &) {  // opening it for the plan says what is wrong
  }
}

}  // namespace

reach::Limits limits_of(const Machine &machine, const Options &options) {
  reach::Limits limits;
  limits.folder = machine.source.file.parent_path();
  limits.allowed = options.allow_outside;
  limits.allowed.insert(limits.allowed.end(), options.search.begin(), options.search.end());
  if (options.base) limits.allowed.push_back(*options.base);
  // A QEMU that runs has its files open already, because its user said so.
  if (reach::below(machine.source.file, "/proc")) limits.allowed.emplace_back("/");
  limits.trees = options.trees;
  if (!on_host::is_remote(limits.folder)) limits.registered = [] { return registered_folders(); };
  return limits;
}

std::vector<OutsideFile> files_outside(const Machine &machine, const Options &options) {
  Collector collector(machine, options);
  collector.add_state(machine.hardware, "hardware");
  for (std::size_t i = 0; i < machine.snapshots.size(); ++i)
    collector.add_state(machine.snapshots[i].hardware, "snapshots." + std::to_string(i) + ".hardware");
  return std::move(collector.files);
}

Error refusal(const OutsideFile &file) {
  Error error = reach::refusal(file.judgement, file.where, file.what);
  if (!file.is_removable) return error;
  ErrorDetail detail = error.detail();
  detail.advice += " Or leave the drives of CDs and floppies empty with --removable none.";
  return {error.kind(), std::move(detail)};
}

std::vector<Finding> findings_of(const std::vector<OutsideFile> &files) {
  std::vector<Finding> out;
  std::set<fs::path> said;
  for (const OutsideFile &file : files) {
    if (!said.insert(file.judgement.file).second) continue;
    out.push_back(raise(
        file.judgement.refused() ? kOutsideRefused
        : file.is_removable      ? kRemovableOutside
                                 : kOutsideOwn,
        file.where, file.what + " is " + text::printable(file.judgement.file.string()) + ", " + file.judgement.why));
  }
  return out;
}

void take_raw_images(Machine &machine, const Options &options) {
  if (!options.input_raw) return;
  const auto take = [&](ImageFile &image) { take_raw(image, options); };
  for_each_disk_image(machine.hardware, take);
  for (Snapshot &snapshot : machine.snapshots) for_each_disk_image(snapshot.hardware, take);
}

}  // namespace ferry::migration
