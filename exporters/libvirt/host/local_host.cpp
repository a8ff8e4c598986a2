// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/local_host.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <linux/kvm.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <system_error>
#include <unistd.h>

#include "support/folders.hpp"
#include "support/subprocess.hpp"
#include "support/text.hpp"

namespace ferry::libvirt {

namespace {

struct BridgeRules {
  std::set<std::string> allowed, denied;  // "all" stands for every bridge
};

void read_bridge_rules(const std::filesystem::path &file, BridgeRules &rules, int depth) {
  constexpr int kMaxDepth = 16;
  if (depth > kMaxDepth) return;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string verb;
    std::string name;
    if (!(words >> verb >> name)) continue;
    if (verb == "allow") rules.allowed.insert(name);
    if (verb == "deny") rules.denied.insert(name);
    if (verb == "include") read_bridge_rules(name, rules, depth + 1);
  }
}

}  // namespace

bool has_render_node() {
  constexpr int kFirst = 128, kLast = 143;  // the kernel's numbers of such nodes
  for (int number = kFirst; number <= kLast; ++number) {
    const std::string node = "/dev/dri/renderD" + std::to_string(number);
    if (access(node.c_str(), R_OK | W_OK) == 0) return true;
  }
  return false;
}

std::filesystem::path session_image_folder() { return folders::data_home() / "libvirt" / "images"; }

std::optional<bool> kvm_works() {
  const int device = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (device < 0) return errno == EACCES || errno == EPERM ? std::nullopt : std::optional(false);
  const int machine = ioctl(device, KVM_CREATE_VM, 0UL);
  if (machine >= 0) close(machine);
  close(device);
  return machine >= 0;
}

KvmLack kvm_lack(std::string_view flags, int opened) {
  if (opened == EACCES || opened == EPERM) return KvmLack::access;
  const std::string padded = " " + std::string(flags) + " ";
  const bool can = padded.find(" vmx ") != std::string::npos || padded.find(" svm ") != std::string::npos;
  if (!can) return KvmLack::processor;
  return opened == 0 ? KvmLack::unknown : KvmLack::module;
}

KvmLack kvm_lack() {
  const int device = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  const int opened = device < 0 ? errno : 0;
  if (device >= 0) close(device);
  std::ifstream processors("/proc/cpuinfo");
  for (std::string line; std::getline(processors, line);) {
    const std::size_t colon = line.find(':');
    if (line.starts_with("flags") && colon != std::string::npos) return kvm_lack(line.substr(colon + 1), opened);
  }
  return opened == EACCES || opened == EPERM ? KvmLack::access : KvmLack::unknown;
}

bool has_virtiofsd(const std::filesystem::path &folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::ifstream stream(entry->path(), std::ios::binary);
    const auto json = nlohmann::json::parse(stream, nullptr, false);
    if (!json.is_object() || json.value("type", nlohmann::json()) != "fs") continue;
    const auto binary = json.value("binary", nlohmann::json());
    if (binary.is_string() && subprocess::is_program(binary.get<std::string>())) return true;
  }
  return false;
}

std::set<std::string> allowed_bridges(const std::filesystem::path &configuration,
                                      const std::set<std::string> &existing) {
  BridgeRules rules;
  read_bridge_rules(configuration, rules, 0);
  std::set<std::string> out;
  for (const std::string &bridge : existing) {
    const bool allowed = rules.allowed.contains("all") || rules.allowed.contains(bridge);
    const bool denied = rules.denied.contains("all") || rules.denied.contains(bridge);
    if (allowed && !denied) out.insert(bridge);
  }
  return out;
}

std::set<std::string> kernel_bridges() {
  std::set<std::string> out;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/sys/class/net", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (std::filesystem::is_directory(entry->path() / "bridge", ignored)) out.insert(entry->path().filename());
  }
  return out;
}

bool bridge_helper_is_privileged() {
  // Where QEMU installs it: Debian, Fedora and RHEL, Arch and openSUSE.
  for (const char *file :
       {"/usr/lib/qemu/qemu-bridge-helper", "/usr/libexec/qemu-bridge-helper", "/usr/lib/qemu-bridge-helper"}) {
    struct stat status {};
    if (stat(file, &status) != 0) continue;
    if ((status.st_mode & S_ISUID) != 0 && status.st_uid == 0) return true;
    if (getxattr(file, "security.capability", nullptr, 0) > 0) return true;
  }
  return false;
}

std::string host_os_name() {
  std::ifstream stream("/etc/os-release");
  constexpr std::string_view kEy = "PRETTY_NAME=";
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with(kEy)) continue;
    std::string value = line.substr(kEy.size());
    std::erase(value, '"');
    return text::printable(value);
  }
  return {};
}

bool host_has_ipv6() {
  std::error_code error;
  return std::filesystem::exists("/proc/net/if_inet6", error);
}

unsigned osinfo_db_release(const std::filesystem::path &folder) {
  std::ifstream stream(folder / "VERSION");
  unsigned release = 0;
  return stream >> release ? release : 0;
}

}  // namespace ferry::libvirt
