// SPDX-License-Identifier: Apache-2.0
// The plan: what a migration would do. A pure function of the machine, what was read of its media, the options
// and the host profile. The dry run prints it, the run executes it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "converters/disk.hpp"
#include "converters/firmware/carry.hpp"
#include "exporters/target.hpp"
#include "migration/options.hpp"
#include "migration/places.hpp"
#include "migration/seed.hpp"
#include "migration/source_files.hpp"
#include "migration/survey.hpp"
#include "model/machine.hpp"

namespace ferry::migration {

// One disk to be made, with all the states that go into it.
struct DiskPlan {
  std::string field;  // of the drive whose medium is the active state
  Medium medium;
  disk::DiskInfo info;
  std::filesystem::path target;  // final place; the source itself in link mode
  std::string format;            // libvirt's name: "qcow2"
  disk::Mode mode = disk::Mode::automatic;
  std::vector<disk::SnapshotState> snapshots;
  std::uint64_t needed = 0;                     // bytes, at most: what all its states hold, each image once
  std::optional<disk::Underlay> underlay = {};  // of --start-now
};

// A CD or floppy image that is copied as it is.
struct CopyPlan {
  ImageFile image;
  std::filesystem::path target;
};

struct FirmwarePlan {
  target::Firmware target;
  firmware::Selection variables;  // of the source's store, to be carried over; empty: the template as it is
  std::filesystem::path content;  // what the new store is made of, where it is not the template
  std::optional<Medium> image;    // that is a qcow2 image: what is in it is meant
  std::filesystem::path joint;    // of which the loader and the store are made: variables, and behind them code
};

struct SnapshotPlan {
  std::size_t snapshot = 0;  // index in the machine
  std::string name;          // on the target
  std::string xml;           // for virDomainSnapshotCreateXML
  bool current = false;
  std::optional<FirmwarePlan> firmware = {};  // with a store of its own; else it starts with the machine's
};

// A drive of the new machine, and the file that it is of; empty: nothing is in it.
struct PlannedDrive {
  target::Disk disk;
  std::filesystem::path file;
};

struct MachinePlan {
  ImportedMachine imported;  // with the ledger settled
  std::string name;
  std::filesystem::path dest;
  std::filesystem::path store_folder;    // the folder of its variable stores: dest, or the session's own
  bool definition_apart = false;         // it is kept beside the run's journal, and not in dest
  std::optional<Observed> observed;      // the survey's
  std::vector<std::string> guest_fixes;  // what is changed in the copy, for people; DiskPlan::medium has the bytes
  std::vector<DiskPlan> disks;
  std::vector<CopyPlan> copies;
  std::optional<SeedPlan> seed;
  std::optional<FirmwarePlan> firmware;
  bool start_now = false;        // it reads its source, and is copied behind it
  std::uint64_t pull_limit = 0;  // of that: MiB a second; 0: none
  bool has_tpm = false;
  std::filesystem::path tpm_folder;     // the machine's own; empty: it is not ours to touch
  std::vector<std::uint8_t> tpm_state;  // of the source, to be carried over; empty: none
  firmware::TpmKind tpm_kind = firmware::TpmKind::v2;
  std::vector<SnapshotPlan> snapshots;  // parents before children
  std::filesystem::path document;       // where the target's description of the machine goes
  std::string domain_xml;               // which it is: libvirt's XML, or a manifest
  std::vector<std::string> next_steps;  // the target's own, instead of libvirt's
  Uuid domain_uuid;
  std::string board;  // the target's name of the kind of machine
  std::vector<PlannedDrive> drives;
  std::vector<target::Nic> nics;
  std::vector<target::ListenPort> listen;  // ports of the host that the machine needs to run
  std::uint64_t memory = 0;                // bytes that the new machine gets
  std::vector<Finding> findings;           // of the importer, the media, the exporter and the plan itself
  std::uint64_t space_needed = 0;
  std::optional<std::uint64_t> space_available;
  std::vector<std::filesystem::path> files;  // everything that is written into dest and store_folder
  std::vector<ovf::ManifestEntry> manifest;  // to be checked
  std::vector<SourceFile> source_files;      // as they were when the plan was made; filled by plan_source()
  std::shared_ptr<Reader> reader;            // the survey's
  std::size_t number = 0;                    // of the machine in its source
};

// Throws Error: encrypted, missing (a disk), unsupported, conflict (name, UUID or MAC taken; with the option that
// solves it), usage (an option names a NIC that is not there), no_space.
[[nodiscard]] MachinePlan make_plan(ImportedMachine imported, const Survey &survey, const Options &options,
                                    const target::Target &target, const target::Taken &taken);
// Beside all that the target has.
[[nodiscard]] MachinePlan make_plan(ImportedMachine imported, const Survey &survey, const Options &options,
                                    const target::Target &target);

}  // namespace ferry::migration
