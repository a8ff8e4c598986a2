// SPDX-License-Identifier: Apache-2.0
#include "migration/survey.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "migration/in_use.hpp"
#include "migration/look_inside.hpp"
#include "migration/outside.hpp"
#include "migration/scsi_firmware.hpp"
#include "migration/shared_images.hpp"
#include "migration/source.hpp"

#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// What --disk-mode link would do, which makes nothing: it refuses what QEMU does not read rightly by itself, and says
// that the new machine depends on the source. The fault is the option's then, not the disk's.
std::vector<Finding> look_at_in_place(const Medium &medium, const image::OpenOptions &open, const Options &options,
                                      Reader &reader) {
  disk::ConvertRequest request;
  request.medium = medium;
  request.mode = disk::Mode::link;
  request.engine = options.engine;
  request.open = open;
  try {
    return disk::convert(request, reader, nullptr, {}).findings;
  } catch (const Error &error) {
    if (error.kind() != ErrorKind::unsupported) throw;
    ErrorDetail detail = error.detail();
    detail.message = "--disk-mode overlay and link cannot take this disk: " + detail.message;
    detail.advice = "Leave out --disk-mode, so that the disk is converted.";
    throw Error(ErrorKind::usage, std::move(detail));
  }
}

MediumFacts medium_facts(MediumLook look, const Medium &medium, const image::OpenOptions &open, const Options &options,
                         Reader &reader) {
  MediumFacts facts;
  if (look.failure) {
    facts.error = look.failure->error();
    return facts;
  }
  facts.info = std::move(look.info);
  if (options.mode != disk::Mode::link && options.mode != disk::Mode::overlay) return facts;
  try {
    if (options.served_overlays) {
      facts.underlay = disk::underlay_of(medium, open, reader);
    } else {
      facts.info->findings = look_at_in_place(medium, open, options, reader);
    }
  } catch (const Error &error) {
    facts = {std::nullopt, error};
  }
  return facts;
}

// Disks outside are facts, because --skip-disk may leave them out; everything else that may not be used refuses.
void judge_places(const Machine &machine, const Options &options, Survey &out) {
  std::vector<OutsideFile> used;
  for (OutsideFile &file : files_outside(machine, options)) {
    if (file.is_removable && options.drop_removable) continue;
    if (!options.keep_snapshots && file.field.starts_with("snapshots.")) continue;
    if (!file.judgement.refused()) {
      used.push_back(std::move(file));
    } else if (file.is_disk) {
      out.media.emplace(file.field, MediumFacts{std::nullopt, refusal(file)});
    } else {
      throw refusal(file);
    }
  }
  out.findings = findings_of(used);
}

// Disks that are looked at together, so that the images that they share cross to the reader once. Not all of them: of
// two hundred snapshots in a row each has two hundred images.
constexpr std::size_t kDisksAtOnce = 16;

// The disks of all states.
void look_at_drives(const Machine &machine, const image::OpenOptions &open, const Options &options, Survey &out) {
  std::vector<std::string> fields;
  std::vector<Medium> media;
  const auto look = [&] {
    std::vector<MediumLook> looks = out.reader->look(media, open, options.engine);
    for (std::size_t i = 0; i < media.size(); ++i)
      out.media.emplace(fields[i], medium_facts(std::move(looks[i]), media[i], open, options, *out.reader));
    fields.clear();
    media.clear();
  };
  const auto collect = [&](const Hardware &hardware, const std::string &prefix) {
    for (const DriveRef &ref : drives_of(hardware, prefix)) {
      if (out.media.contains(ref.field)) continue;  // it may not even be opened
      if (ref.drive->kind != DriveKind::disk || !ref.drive->medium) continue;
      fields.push_back(ref.field);
      media.push_back(*ref.drive->medium);
      if (media.size() == kDisksAtOnce) look();
    }
  };
  collect(machine.hardware, "hardware");
  for (std::size_t i = 0; options.keep_snapshots && i < machine.snapshots.size(); ++i)
    collect(machine.snapshots[i].hardware, "snapshots." + std::to_string(i) + ".hardware");
  look();
}

// Those that have a file.
template <class Visit>
void for_each_image(const Hardware &hardware, const Visit &visit) {
  for (const DriveRef &ref : drives_of(hardware, "")) {
    if (!ref.drive->medium) continue;
    for (const ImageFile &image : ref.drive->medium->chain) {
      if (!image.pieces.empty()) visit(image);
    }
  }
}

// All files of the disks: also those that a descriptor names.
std::set<fs::path> parts_of(const Survey &survey) {
  std::set<fs::path> out;
  for (const auto &[field, facts] : survey.media) {
    if (facts.info) out.insert(facts.info->files.begin(), facts.info->files.end());
  }
  return out;
}

// Images of the machine of which the package's manifest says nothing, by the names that the package gives them.
std::vector<std::string> images_without(const std::vector<ovf::ManifestEntry> &manifest, const Machine &machine) {
  std::vector<std::string> out;
  for_each_image(machine.hardware, [&](const ImageFile &image) {
    const bool listed = std::all_of(image.pieces.begin(), image.pieces.end(), [&](const FileRange &piece) {
      return std::any_of(manifest.begin(), manifest.end(), [&](const auto &entry) { return entry.range == piece; });
    });
    if (!listed) out.push_back(image.declared_location);
  });
  return out;
}

firmware::TpmKind tpm_kind(const Tpm &tpm) {
  return tpm.version == Tpm::Version::v1_2 ? firmware::TpmKind::old : firmware::TpmKind::v2;
}

// The folder need not exist yet: the nearest one above it that does tells how much room there is.
std::optional<std::uint64_t> room_at(fs::path folder) {
  std::error_code error;
  folder = fs::absolute(folder, error);
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  const fs::space_info space = fs::space(folder, error);
  if (error) return std::nullopt;
  return space.available;
}

}  // namespace

std::vector<DriveRef> drives_of(const Hardware &hardware, const std::string &prefix) {
  std::vector<DriveRef> out;
  for (std::size_t c = 0; c < hardware.controllers.size(); ++c) {
    const auto &drives = hardware.controllers[c].drives;
    for (std::size_t d = 0; d < drives.size(); ++d) {
      out.push_back({&drives[d], c, d, prefix + ".controllers." + std::to_string(c) + ".drives." + std::to_string(d)});
    }
  }
  return out;
}

std::optional<Medium> store_image(const Firmware &firmware) {
  if (!firmware.nvram_file || !firmware.nvram_qcow2) return std::nullopt;
  Medium out;
  out.origin = firmware.origin;
  ImageFile image;
  image.origin = firmware.origin;
  image.declared_location = firmware.nvram_file->string();
  image.declared_format = ImageFormat::qcow2;
  image.pieces.push_back({*firmware.nvram_file, 0, std::nullopt});
  out.chain.push_back(std::move(image));
  return out;
}

image::OpenOptions open_options(const Machine &machine, const Options &options) {
  image::OpenOptions open;
  open.allow_modified_parent = options.allow_modified_parent;
  open.allowed_folders.push_back(machine.source.file.parent_path());
  open.limits = limits_of(machine, options);
  open.places = places_of(options, machine.source.file);
  // Each once: the base of a chain is in every state, and of two hundred states there are twenty thousand images.
  std::set<std::pair<fs::path, std::uint64_t>> seen;
  const auto collect = [&](const Hardware &hardware) {
    for_each_image(hardware, [&](const ImageFile &image) {
      if (seen.emplace(image.pieces.front().file, image.pieces.front().offset).second)
        open.known_images.push_back(image);
    });
  };
  collect(machine.hardware);
  for (const Snapshot &snapshot : machine.snapshots) collect(snapshot.hardware);
  return open;
}

Survey survey(const ImportedMachine &imported, const Options &options, const fs::path &dest) {
  const Source &source = imported.machine.source;
  return survey(read_further(imported, options, Newer::ignore), options, dest,
                reader_here({source.kind, source.file}, options));
}

Survey survey(const ReadMachine &read, const Options &options, const fs::path &dest, std::shared_ptr<Reader> reader) {
  if (read.failure) throw read.failure->error();
  const Machine &machine = read.imported.machine;
  Survey out{.reader = std::move(reader), .number = read.number};
  judge_places(machine, options, out);
  out.manifest = read.manifest;
  out.has_manifest = !read.manifest.empty();
  if (out.has_manifest) out.unlisted = images_without(read.manifest, machine);
  const image::OpenOptions open = open_options(machine, options);
  look_at_drives(machine, open, options, out);
  if (options.look_inside) look_inside(machine, options, out);
  for (Finding &finding : refuse_in_use(machine, options, *out.reader, parts_of(out)))
    out.findings.push_back(std::move(finding));
  find_shared_images(machine, machine.hardware, "hardware", out);
  if (options.keep_snapshots) {
    for (std::size_t i = 0; i < machine.snapshots.size(); ++i) {
      const std::string prefix = "snapshots." + std::to_string(i) + ".hardware";
      find_shared_images(machine, machine.snapshots[i].hardware, prefix, out);
    }
  }
  const Hardware &hardware = machine.hardware;
  // A store of QEMU's own is copied as it is, with the firmware that it belongs to.
  const bool own_store = machine.source.kind == SourceKind::qemu && hardware.firmware.loader_file.has_value();
  if (const auto image = store_image(hardware.firmware)) {
    const MediumLook look = out.reader->look({*image}, open, disk::Engine::automatic).front();
    out.store = MediumFacts{look.info, look.failure ? std::optional(look.failure->error()) : std::nullopt};
  } else if (!own_store && (hardware.firmware.type != FirmwareType::bios || hardware.tpm)) {
    if (const auto store = firmware::nvram_source(hardware.firmware)) out.nvram = out.reader->read_nvram(*store);
  }
  if (hardware.tpm && hardware.tpm->state_file) {
    out.tpm = out.reader->read_tpm(*hardware.tpm->state_file, tpm_kind(*hardware.tpm));
  } else if (out.nvram) {
    out.tpm = out.nvram->tpm;
  }
  for (std::size_t i = 0; options.keep_snapshots && i < machine.snapshots.size(); ++i) {
    const Firmware &firmware = machine.snapshots[i].hardware.firmware;
    if (firmware.type == FirmwareType::bios || firmware.nvram_file == hardware.firmware.nvram_file) continue;
    if (const auto store = firmware::nvram_source(firmware)) {
      out.snapshot_nvram.emplace(i, out.reader->read_nvram(*store));
    }
  }
  out.scsi_firmware = find_scsi_firmware(hardware, options);
  out.available = room_at(dest);
  return out;
}

}  // namespace ferry::migration
