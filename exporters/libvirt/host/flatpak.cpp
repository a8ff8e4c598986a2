// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/flatpak.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "support/error.hpp"
#include "support/file.hpp"
#include "support/folders.hpp"
#include "support/subprocess.hpp"
#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBoxes = "org.gnome.Boxes", kVirtManager = "org.virt_manager.virt-manager";

fs::path folder_of(const std::string &application) {
  return folders::home().value_or(fs::path("/")) / ".var/app" / application;
}

// As D-Bus names: what flatpak itself takes, and no option of its.
void refuse_other_than_name(const std::string &application) {
  const bool plain = std::all_of(application.begin(), application.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
  if (plain && !application.empty() && application.front() != '-' && application.find('.') != std::string::npos) return;
  throw Error(ErrorKind::usage, {.message = "this is not the name of a flatpak",
                                 .found = text::printable(application),
                                 .expected = "flatpak:" + std::string(kBoxes) + ", say"});
}

// libvirt gives the program a bare environment, in which flatpak finds neither the user's session nor its bus.
std::string environment() {
  constexpr std::array kNames{
      "DBUS_SESSION_BUS_ADDRESS", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_DIRS", "XDG_DATA_HOME",
      "XDG_RUNTIME_DIR"};
  std::string out;
  for (const char *name : kNames) {
    if (const char *value = std::getenv(name); value != nullptr)
      out += "export " + std::string(name) + "=" + text::shell_word(value) + "\n";
  }
  return out;
}

}  // namespace

FlatpakTunnel::FlatpakTunnel(const std::string &application) {
  refuse_other_than_name(application);
  const fs::path program = subprocess::find_program("flatpak");
  if (program.empty()) {
    throw Error(ErrorKind::unreachable,
                {.message = "libvirt cannot be reached in " + application + ": there is no flatpak",
                 .advice = "Use --connect qemu:///session for the libvirt of this computer."});
  }
  const fs::path script = folder_.path() / "tunnel";
  file::write_new(script, "#!/bin/sh\n" + environment() + "exec " + text::shell_word(program.string()) +
                              " run --command=virt-ssh-helper " + text::shell_word(application) + " qemu:///session\n");
  fs::permissions(script, fs::perms::owner_all);
}

std::string FlatpakTunnel::uri() const { return "qemu+ext:///session?command=" + (folder_.path() / "tunnel").string(); }

fs::path flatpak_image_folder(const std::string &application) {
  return folder_of(application) / (application == kBoxes ? "data/gnome-boxes/images" : "data/libvirt/images");
}

std::vector<std::string> flatpaks_with_libvirt() {
  std::vector<std::string> out;
  for (const std::string_view application : {kBoxes, kVirtManager}) {
    std::error_code error;
    if (fs::is_directory(folder_of(std::string(application)), error)) out.emplace_back(application);
  }
  return out;
}

}  // namespace ferry::libvirt
