// SPDX-License-Identifier: Apache-2.0
// The libvirt that a flatpak has of its own: GNOME Boxes and virt-manager are given out with one, which keeps its
// machines below ~/.var/app and is reached by no socket of the host's. libvirt's client can speak to a daemon over the
// standard input and output of a program ("qemu+ext"): here of virt-ssh-helper, which the application has, started by
// flatpak.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/temporary.hpp"

namespace ferry::libvirt {

// A program that leads to the session daemon of an application, as long as the object lives.
class FlatpakTunnel {
 public:
  // `application`: "org.gnome.Boxes". Throws Error usage for what is no application's name, unreachable where there is
  // no flatpak, io.
  explicit FlatpakTunnel(const std::string &application);
  // For virConnectOpen().
  [[nodiscard]] std::string uri() const;

 private:
  file::TemporaryFolder folder_;
};

// Where the application keeps images unless a pool of its says otherwise.
[[nodiscard]] std::filesystem::path flatpak_image_folder(const std::string &application);

// The applications of this user that have a libvirt of their own and were started once: "org.gnome.Boxes".
[[nodiscard]] std::vector<std::string> flatpaks_with_libvirt();

}  // namespace ferry::libvirt
