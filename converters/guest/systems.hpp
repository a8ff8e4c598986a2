// SPDX-License-Identifier: Apache-2.0
// What is read of each kind of system. Private to converters/guest.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "converters/guest/file_system.hpp"
#include "model/observed.hpp"

namespace ferry::guest {

// A volume whose file system can be read.
struct Mounted {
  std::size_t volume = 0;  // index in Observed::volumes
  std::unique_ptr<FileSystem> files;
};

// What an Error says, as a clause.
[[nodiscard]] std::string clause_of(const std::exception &error);
// Does it; what it throws, beside a lack of memory, is handed to `failed` as a clause.
void try_to(const std::function<void()> &what, const std::function<void(std::string)> &failed);
// The same where nothing needs to be said.
void try_to(const std::function<void()> &what);

// Adds the Windows of a volume, where it has one.
void look_for_windows(const Mounted &volume, Observed &out);
// Adds the Linux whose root the volume is; kernels may lie on another one.
void look_for_linux(const Mounted &volume, const std::vector<Mounted> &all, const Budget &budget, Observed &out);
// Adds the devices that a boot loader's configuration names by a path, as mounts: "root=/dev/sda1".
void look_for_boot_names(const Mounted &root, const std::vector<Mounted> &all, ObservedLinux &out);
// Adds what firmware can start of a FAT volume.
void look_for_loaders(const Mounted &volume, Observed &out);

// What opens a BitLocker volume. Throws malformed.
[[nodiscard]] std::vector<std::string> bitlocker_protectors(const Source &volume);

// The names of storage drivers in an initial RAM disk. Throws malformed and unsupported.
struct InitialDisk {
  std::vector<std::string> drivers;  // "virtio_blk", each once, sorted
  bool host_only = false;
};
[[nodiscard]] InitialDisk read_initial_disk(const Source &file, const Budget &budget);
// Whether a module's name is one of storage controllers' that a machine may boot from.
[[nodiscard]] bool is_storage_driver(const std::string &module);

}  // namespace ferry::guest
