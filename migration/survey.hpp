// SPDX-License-Identifier: Apache-2.0
// What must be read from the disk before a plan can be made: headers of media, room at the destination.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "converters/disk.hpp"
#include "converters/firmware/carry.hpp"
#include "exporters/target.hpp"
#include "migration/options.hpp"
#include "migration/reader.hpp"
#include "model/machine.hpp"

namespace ferry::migration {

// Either what a medium holds or why it cannot be read.
struct MediumFacts {
  std::optional<disk::DiskInfo> info;
  std::optional<Error> error;
  std::optional<disk::Underlay> underlay = {};  // with --start-now
};

struct Survey {
  std::map<std::string, MediumFacts> media;      // by the drive's field: "hardware.controllers.0.drives.1"
  std::optional<firmware::NvramContents> nvram;  // UEFI variables of the source, when it has a store
  std::optional<MediumFacts> store;              // of a store of QEMU's that is an image
  std::optional<firmware::TpmContents> tpm;      // of the source's TPM, where its state can be read
  std::map<std::size_t, firmware::NvramContents> snapshot_nvram;  // of UEFI snapshots that have a store of their own
  std::optional<Observed> observed;                               // what is on the disks; nullopt: nobody looked
  std::map<std::size_t, Observed> snapshot_observed;              // of snapshots in whose copies Windows may be changed
  std::vector<Finding> findings;                                  // files that lie outside of the machine's folder
  std::vector<target::FirmwareImage> scsi_firmware;               // see scsi_firmware.hpp
  bool has_manifest = false;
  std::vector<ovf::ManifestEntry> manifest;
  std::vector<std::string> unlisted;       // images that the manifest does not list
  std::optional<std::uint64_t> available;  // bytes free at the destination
  std::shared_ptr<Reader> reader;          // of the source, for the work to go on with
  std::size_t number = 0;                  // of the machine in its source
};

// A drive of some state of the machine.
struct DriveRef {
  const Drive *drive = nullptr;
  std::size_t controller = 0, index = 0;
  std::string field;  // "snapshots.1.hardware.controllers.0.drives.1"
};
// All drives of `hardware`, whose field is `prefix`.
[[nodiscard]] std::vector<DriveRef> drives_of(const Hardware &hardware, const std::string &prefix);

// The image that a store of QEMU's is, where it is one.
[[nodiscard]] std::optional<Medium> store_image(const Firmware &firmware);

[[nodiscard]] image::OpenOptions open_options(const Machine &machine, const Options &options = {});

// Reads; writes nothing. Errors of single media are facts, not exceptions. `reader`: of this machine's source.
[[nodiscard]] Survey survey(const ReadMachine &machine, const Options &options, const std::filesystem::path &dest,
                            std::shared_ptr<Reader> reader);
// In this process.
[[nodiscard]] Survey survey(const ImportedMachine &imported, const Options &options, const std::filesystem::path &dest);

}  // namespace ferry::migration
