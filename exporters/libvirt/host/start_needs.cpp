// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/start_needs.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>
#include <unistd.h>

#include "support/error.hpp"
#include "support/subprocess.hpp"
#include "support/text.hpp"
#include "support/xml.hpp"

namespace ferry::libvirt {
namespace {

namespace fs = std::filesystem;

std::string attribute(const xml::Element *element, std::string_view name) {
  const std::string *value = element == nullptr ? nullptr : element->attribute(name);
  return value == nullptr ? std::string() : *value;
}

// Bytes: memory and swap, beyond which the kernel gives nothing. 0: not known.
std::uint64_t most_memory() {
  std::ifstream in("/proc/meminfo");
  std::uint64_t out = 0;
  for (std::string line; std::getline(in, line);) {
    const bool counts = line.starts_with("MemTotal:") || line.starts_with("SwapTotal:");
    if (!counts) continue;
    std::string_view number = text::trim(std::string_view(line).substr(line.find(':') + 1));
    if (number.ends_with(" kB")) number.remove_suffix(3);
    out += text::parse_u64(number).value_or(0) * 1024;
  }
  return out;
}

class Needs {
 public:
  Needs(const target::Start &start, const std::set<std::string> &bridges, const fs::path &vhost_user)
      : start_(start),
        bridges_(bridges),
        vhost_user_(vhost_user),
        domain_(xml::parse(start.document, "domain")),
        devices_(domain_.child("devices")) {}

  void look() const {
    look_at_host();
    look_at_firmware();
    if (devices_ == nullptr) return;
    for (const xml::Element &device : devices_->children) {
      if (device.name == "disk") look_at_disk(device);
      if (device.name == "serial" || device.name == "parallel") look_at_port(device);
      if (device.name == "interface") look_at_card(device);
      if (device.name == "tpm") look_at_tpm(device);
      if (device.name == "filesystem") look_at_folder(device);
    }
  }

 private:
  [[noreturn]] static void cannot(const std::string &why, const std::string &found, std::string advice) {
    throw Error(ErrorKind::unsupported, {.message = "the machine cannot be started: " + why,
                                         .found = text::printable(found),
                                         .advice = std::move(advice) + " Or leave out --start."});
  }

  void look_at_host() const {
    if (attribute(&domain_, "type") == "kvm" && access("/dev/kvm", R_OK | W_OK) != 0)
      cannot("KVM cannot be opened", "/dev/kvm", "Give your user access to /dev/kvm (group kvm).");
    const xml::Element *emulator = devices_ == nullptr ? nullptr : devices_->child("emulator");
    if (emulator != nullptr && !emulator->text.empty() && !subprocess::is_program(emulator->text))
      cannot("its emulator does not exist", emulator->text, "Install QEMU (package qemu-system-x86).");
    const std::uint64_t most = most_memory();
    if (most != 0 && start_.memory > most)
      cannot("it needs more memory than this host has",
             text::human_bytes(start_.memory) + " of " + text::human_bytes(most), "Give it less in the source.");
  }

  void look_at_firmware() const {
    const xml::Element *os = domain_.child("os");
    if (os == nullptr) return;
    if (const xml::Element *loader = os->child("loader")) look_at_file(loader->text, "its firmware");
    look_at_file(attribute(os->child("nvram"), "template"), "the template of its firmware variables");
  }

  // `what` has been found to be needed; what the run makes is not there yet.
  void look_at_file(const std::string &file, const std::string &what) const {
    if (file.empty() || std::find(start_.made.begin(), start_.made.end(), fs::path(file)) != start_.made.end()) return;
    if (access(file.c_str(), R_OK) != 0)
      cannot(what + " cannot be read: " + std::generic_category().message(errno), file, "Check the file.");
  }

  void look_at_disk(const xml::Element &disk) const {
    const xml::Element *source = disk.child("source");
    look_at_file(attribute(source, "file"), "an image of its");
    look_at_file(attribute(source, "dev"), "a disk of its");
  }

  void look_at_port(const xml::Element &port) const {
    const std::string type = attribute(&port, "type"), path = attribute(port.child("source"), "path");
    if (type == "dev") look_at_file(path, "the device of a port");
    const bool makes = type == "file" || (type == "unix" && attribute(port.child("source"), "mode") != "connect");
    const fs::path folder = fs::path(path).parent_path();
    if (!makes || path.empty() || folder == start_.folder) return;  // the run makes that one
    if (access(folder.c_str(), W_OK | X_OK) != 0)
      cannot("the file of a port cannot be made: " + std::generic_category().message(errno), path,
             "Create the folder, or leave out --host-devices.");
  }

  void look_at_card(const xml::Element &card) const {
    const std::string bridge = attribute(card.child("source"), "bridge");
    if (!bridge.empty() && !bridges_.contains(bridge))
      cannot("qemu-bridge-helper does not open the bridge to your user", bridge,
             "Create the bridge and allow it in /etc/qemu/bridge.conf, or choose another network with --network.");
    if (attribute(card.child("backend"), "type") == "passt" && subprocess::find_program("passt").empty())
      cannot("its network needs passt", "no program of that name", "Install passt.");
  }

  void look_at_tpm(const xml::Element &tpm) const {
    if (attribute(tpm.child("backend"), "type") != "emulator") return;
    for (const char *program : {"swtpm", "swtpm_setup"}) {
      if (subprocess::find_program(program).empty())
        cannot("its TPM needs " + std::string(program), "no program of that name", "Install swtpm and swtpm-tools.");
    }
  }

  void look_at_folder(const xml::Element &shared) const {
    if (attribute(shared.child("driver"), "type") != "virtiofs") return;
    const xml::Element *binary = shared.child("binary");
    const std::string path = attribute(binary, "path");
    if (path.empty() ? !has_virtiofsd(vhost_user_) : !subprocess::is_program(path))
      cannot("its shared folders need virtiofsd", path.empty() ? "none in " + vhost_user_.string() : path,
             "Install virtiofsd, or leave out --shared-folders.");
    const std::string folder = attribute(shared.child("source"), "dir");
    std::error_code error;
    if (!fs::is_directory(folder, error) || access(folder.c_str(), R_OK | X_OK) != 0)
      cannot("a folder that it shares cannot be read", folder, "Create the folder, or leave out --shared-folders.");
  }

  const target::Start &start_;
  const std::set<std::string> &bridges_;
  const fs::path &vhost_user_;
  const xml::Element domain_;
  const xml::Element *devices_;
};

}  // namespace

void refuse_what_cannot_start(const target::Start &start, const std::set<std::string> &bridges,
                              const fs::path &vhost_user) {
  Needs(start, bridges, vhost_user).look();
}

}  // namespace ferry::libvirt
