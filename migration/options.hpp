// SPDX-License-Identifier: Apache-2.0
// What the user asked for, for one machine. The command line and a batch manifest both fill it.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "converters/disk.hpp"
#include "exporters/choices.hpp"

#include "support/identity.hpp"

namespace ferry::migration {

// Disks that the new machine does without.
struct SkippedDisks {
  std::set<std::size_t> numbers;  // in the source's order, from 1
  bool missing = false;           // those whose image, or a part of it, is not there
  bool unsupported = false;       // those that are no image or of a kind that cannot be read: iSCSI, host devices
};

// What is done where a few bytes in the copy make the guest boot.
enum class GuestFixes { automatic, off, list };

enum class MacPolicy { keep, regenerate };
enum class UuidPolicy { keep, regenerate, given };

// Who the new machine is.
struct IdentityOptions {
  MacPolicy mac_policy = MacPolicy::keep;
  std::map<std::size_t, MacAddress> macs;  // by network card, from 0; none is a multicast address
  UuidPolicy uuid_policy = UuidPolicy::keep;
  Uuid uuid;               // UuidPolicy::given
  std::uint64_t seed = 0;  // of new addresses and UUIDs; 0: the planner takes one from the source
};

// What the new machine is made for. kubevirt: files alone, which the user takes to a cluster.
enum class TargetKind { libvirt, kubevirt };

struct Options {
  TargetKind target = TargetKind::libvirt;
  std::string connect = "qemu:///session";
  bool connect_given = false;                 // then it is asked even when nothing is to be defined
  std::optional<std::filesystem::path> dest;  // nullopt: the connection's image folder
  bool define = true;
  bool tpm_beside = false;  // the TPM's content goes into the destination, beside the script that will use it
  bool start = false;
  bool start_now = false;        // from the untouched source, which is copied behind it; `start` is true then
  bool served_overlays = false;  // overlays on all that we read, not only on what QEMU does; no option of its own
  std::uint64_t pull_limit = 0;  // of that copy: MiB a second; 0: none
  bool overwrite = false;
  bool verify = false;
  bool check_earlier = false;  // a batch: 'qemu-img check' what earlier runs made before it counts as done
  std::optional<std::string> name;
  IdentityOptions identity;
  target::Choices hardware;  // networks, buses and the like
  bool keep_snapshots = true;
  bool snapshots_given = false;            // --snapshots was
  bool skip_unreadable_snapshots = false;  // leave out those whose disks cannot be read; else they are a refusal
  bool newest_state = false;               // take images that continue the attached ones; see newer_state.hpp
  std::optional<bool> keep_disk_changes;   // of redo logs and immutable disks; see ImportOptions
  bool discard_saved_state = false;
  bool allow_modified_parent = false;  // see image::OpenOptions
  bool copy_removable = false;         // CD images are copied, not linked
  bool drop_removable = false;         // the drives of CDs and floppies stay empty
  SkippedDisks skip_disks;
  disk::Engine engine = disk::Engine::automatic;
  disk::Mode mode = disk::Mode::automatic;
  disk::Compression compression = disk::Compression::none;
  std::uint32_t cluster_size = 65536;  // bytes
  unsigned threads = 0;                // 0: as many as the machine has
  std::string ovf_configuration;
  std::map<std::string, std::string> ovf_properties;  // see ImportOptions
  std::optional<std::filesystem::path> firmware;      // of EFI machines without Secure Boot
  bool seed = true;                                   // a CD with what the source's platform hands to the guest
  bool show_values = false;  // reports show the values of settings that nobody knows; never those of secrets
  std::map<std::string, std::string> variables;  // of a QEMU script: what it does not say itself
  std::optional<std::filesystem::path> base;     // of a QEMU command's relative paths
  bool every_machine = false;                    // of such a file: a batch takes all
  std::optional<std::size_t> machine;            // of several in one file, from 1
  std::optional<std::filesystem::path> host_profile;
  std::vector<std::filesystem::path> search;         // where else images may be; absolute
  std::vector<std::filesystem::path> allow_outside;  // what may be used outside of the machine's folder; absolute
  bool look_inside = true;                           // at what is on the disks
  GuestFixes guest_fixes = GuestFixes::automatic;
  bool allow_in_use = false;  // a source that something writes to
  bool input_raw = false;     // images of unknown content are raw disks
  std::optional<std::filesystem::path> virtualbox_registry;
  std::vector<std::filesystem::path> trees;  // of machines, that the user named to be searched for them; no option
};

}  // namespace ferry::migration
