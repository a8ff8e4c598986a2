// SPDX-License-Identifier: Apache-2.0
// Who uses a file: locks of other processes, processes that have it open, VMware's lock files. /proc shows this user's
// processes only, unless root looks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ferry::file_users {

// Another process holds a lock on the file that keeps writers out: "a lock of process 4711", "a lock of QEMU's, or of a
// program of its kind" where the kernel does not say whose (open file description locks). nullopt: none, or the file
// cannot be opened.
[[nodiscard]] std::optional<std::string> lock_on(const std::filesystem::path &file);

// Who uses a regular file, so that moving or removing it would take it from under its feet: "the process 4711
// (qemu-system-x86) has it open for writing", "a process has locked it", for reading too; nullopt when nobody is seen.
// This process's own descriptors and locks do not count.
[[nodiscard]] std::optional<std::string> user_of(const std::filesystem::path &file);

// A process of a platform that runs virtual machines: VirtualBox, VMware, QEMU.
struct Process {
  std::uint32_t pid = 0;
  std::string name;     // of its program, as the kernel has it (15 bytes)
  std::string command;  // its arguments, separated by blanks
  struct File {
    std::uint64_t device = 0, inode = 0;
  };
  std::vector<File> written;  // files that it has open for writing; those of other users' processes are not seen
};
[[nodiscard]] std::vector<Process> machine_processes();

// What lies in FILE.lck, which VMware makes for a file that it uses: a folder with a file for each user, or a file.
struct VmwareLock {
  std::filesystem::path file;
  std::optional<std::uint32_t> pid;  // of the holder, on its own host
  std::string machine;               // the holder's host, as VMware names it
};
[[nodiscard]] std::vector<VmwareLock> vmware_locks(const std::filesystem::path &lock);
// The holder is gone: the lock lies on a file system of this host alone, and no process of VMware's has its pid.
[[nodiscard]] bool is_left_over(const VmwareLock &lock);

}  // namespace ferry::file_users
