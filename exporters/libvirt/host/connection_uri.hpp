// SPDX-License-Identifier: Apache-2.0
// What the URI of a libvirt connection says: whose daemon it is and where that runs. The one place that decides it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ferry::libvirt {

struct ConnectionUri {
  std::string driver, transport, host, path;  // driver[+transport]:[//[user@]host]/path; parameters are not kept
                                              // "flatpak:org.gnome.Boxes" has the application for a path

  // Never fails: what is no URI has an empty driver.
  [[nodiscard]] static ConnectionUri parse(std::string_view uri);

  // The hypervisor runs on this machine.
  [[nodiscard]] bool is_local() const;
  // Machines run with a user's rights: no cgroups, no ports below 1024, bridges only through QEMU's helper. True for
  // every path but /system, since that is the safe assumption (/embed runs in the process that opens it).
  [[nodiscard]] bool is_session() const;
  // The session daemon that an application has of its own (flatpak.hpp).
  [[nodiscard]] bool is_flatpak() const;
  // The session daemon of the user who runs this process: its files lie in that user's home.
  [[nodiscard]] bool is_own_session() const;
};

// Where the session daemon of the user who runs this keeps the state of TPMs: one folder for each machine, named by its
// UUID (libvirt's qemu_tpm.c).
[[nodiscard]] std::filesystem::path session_tpm_folders();
// Where that session keeps the variable stores that it makes itself.
[[nodiscard]] std::filesystem::path session_store_folder();

}  // namespace ferry::libvirt
