// SPDX-License-Identifier: Apache-2.0
// Linux, from the files of its root: os-release(5), fstab(5), crypttab(5), interfaces(5), netplan(5), keyfiles of
// NetworkManager, systemd.network(5), udev's persistent names, cloud-init's own; kernels and their initial RAM disks.
#include <algorithm>
#include <map>
#include <sstream>

#include "converters/guest/systems.hpp"
#include "model/guest_tools.hpp"

#include "support/byte_reader.hpp"
#include "support/text.hpp"

namespace ferry::guest {
namespace {

constexpr std::size_t kMostKernels = 32;
constexpr std::size_t kMostLines = 1000;    // of a file, that are kept
constexpr std::size_t kLongestLine = 1000;  // bytes: a longer one is none that we know
constexpr std::size_t kMostFiles = 64;      // of a folder of configuration

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> out;
  std::istringstream in{std::string(line)};
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

// Numbers in it count as numbers: 6.9 is older than 6.10.
bool is_older(const std::string &a, const std::string &b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (!is_digit(a[i]) || !is_digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
      continue;
    }
    const auto number = [&](const std::string &text, std::size_t &at) {
      const std::size_t begin = at;
      while (at < text.size() && is_digit(text[at])) ++at;
      const std::size_t first = std::min(text.find_first_not_of('0', begin), at);
      return text.substr(first, at - first);
    };
    const std::string left = number(a, i), right = number(b, j);
    if (left.size() != right.size()) return left.size() < right.size();
    if (left != right) return left < right;
  }
  return a.size() - i < b.size() - j;
}

class LinuxReader {
 public:
  LinuxReader(const FileSystem &root, ObservedLinux &out) : root_(root), out_(out) {}

  void read() {
    read_release();
    const std::vector<std::string> host = lines("etc/hostname");
    if (!host.empty()) out_.host_name = host.front();
    out_.architecture = architecture();
    for (const char *file : {"etc/fstab", "etc/crypttab"}) read_table(file);
    read_ifupdown("etc/network/interfaces");
    for (const std::string &file : files_in("etc/network/interfaces.d", "")) read_ifupdown(file);
    for (const std::string &file : files_in("etc/netplan", ".yaml")) read_netplan(file);
    for (const std::string &file : files_in("etc/NetworkManager/system-connections", ""))
      read_setting(file, "interface-name", "");
    for (const std::string &file : files_in("etc/sysconfig/network-scripts", "", "ifcfg-"))
      read_setting(file, "DEVICE", "lo");
    for (const std::string &file : files_in("etc/sysconfig/network", "", "ifcfg-")) add_suse(file);
    for (const std::string &file : files_in("etc/systemd/network", ".network")) read_networkd(file);
    read_cloud_init();
    read_tools();
  }

 private:
  // Without comments and blank lines; nothing where there is no such file, or it cannot be read.
  [[nodiscard]] std::vector<std::string> lines(const std::string &path) const {
    std::vector<std::string> out;
    try_to([&] {
      const SourcePtr file = root_.open(path);
      if (!file) return;
      std::istringstream in(read_text(*file));
      for (std::string line; std::getline(in, line) && out.size() < kMostLines;) {
        const std::string_view trimmed = text::trim(line);
        if (!trimmed.empty() && trimmed.front() != '#' && line.size() <= kLongestLine) out.push_back(line);
      }
    });
    return out;
  }

  [[nodiscard]] std::vector<std::string> files_in(const std::string &folder, std::string_view suffix,
                                                  std::string_view prefix = {}) const {
    std::vector<std::string> out;
    try_to([&] {
      for (const Entry &entry : root_.list(folder)) {
        if (!entry.folder && entry.name.ends_with(suffix) && entry.name.starts_with(prefix) && out.size() < kMostFiles)
          out.push_back(folder + "/" + entry.name);
      }
    });
    std::sort(out.begin(), out.end());
    return out;
  }

  [[nodiscard]] bool is_there(const std::string &path) const {
    bool out = false;
    try_to([&] { out = root_.open(path) != nullptr; });
    return out;
  }

  static std::string unquoted(std::string_view value) {
    value = text::trim(value);
    const bool quoted =
        value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.front() == value.back();
    return std::string(quoted ? value.substr(1, value.size() - 2) : value);
  }

  void read_release() {
    for (const char *file : {"etc/os-release", "usr/lib/os-release"}) {
      for (const std::string &line : lines(file)) {
        const std::size_t equals = line.find('=');
        if (equals == std::string::npos) continue;
        const std::string key = line.substr(0, equals), value = unquoted(std::string_view(line).substr(equals + 1));
        if (key == "ID") out_.id = value;
        if (key == "VERSION_ID") out_.version = value;
        if (key == "PRETTY_NAME") out_.product = value;
      }
      if (!out_.id.empty()) return;
    }
  }

  // Of a program that every system has.
  [[nodiscard]] std::string architecture() const {
    std::string out;
    for (const char *file : {"usr/bin/env", "bin/sh", "usr/bin/sh", "sbin/init"}) {
      try_to([&] {
        const SourcePtr program = root_.open(file);
        const Bytes head = program ? read_up_to(*program, 0, 20) : Bytes();
        if (head.size() < 20 || head[0] != 0x7f || head[1] != 'E' || head[5] != 1) return;
        switch (ByteReader(head, {}).little<std::uint16_t>(18, "machine")) {
          case 3: out = "i686"; break;
          case 40: out = "armv7l"; break;
          case 62: out = "x86_64"; break;
          case 183: out = "aarch64"; break;
          case 243: out = "riscv64"; break;
          default: break;
        }
      });
      if (!out.empty()) break;
    }
    return out;
  }

  // fstab has the device first, crypttab the name.
  void read_table(const std::string &file) {
    const bool crypt = file == "etc/crypttab";
    for (const std::string &line : lines(file)) {
      const std::vector<std::string> words = words_of(line);
      if (words.size() < 2) continue;
      out_.mounts.push_back({"/" + file, words[crypt ? 1 : 0], words[crypt ? 0 : 1]});
    }
  }

  void add_interface(const std::string &file, std::string name) {
    if (name.empty() || name == "lo" || name.find_first_of("*?[") != std::string::npos) return;
    const auto same = [&](const ObservedInterface &one) { return one.name == name && one.file == "/" + file; };
    if (std::none_of(out_.interfaces.begin(), out_.interfaces.end(), same))
      out_.interfaces.push_back({"/" + file, std::move(name)});
  }

  void read_ifupdown(const std::string &file) {
    for (const std::string &line : lines(file)) {
      const std::vector<std::string> words = words_of(line);
      if (words.size() >= 2 && words[0] == "iface") add_interface(file, words[1]);
    }
  }

  // The names below "ethernets:". One with a "match:" below it is a name of netplan's own.
  void read_netplan(const std::string &file) {
    const auto indent_of = [](const std::string &line) { return line.find_first_not_of(' '); };
    const std::vector<std::string> all = lines(file);
    std::optional<std::size_t> section, level;
    std::string pending;
    for (const std::string &line : all) {
      const std::size_t indent = indent_of(line);
      const std::string_view trimmed = text::trim(line);
      if (section && indent <= *section) {
        add_interface(file, std::exchange(pending, {}));
        section.reset();
      }
      if (!section) {
        if (trimmed == "ethernets:") section = indent;
        level.reset();
        continue;
      }
      if (!level) level = indent;
      const std::size_t colon = trimmed.find(':');
      if (indent == *level && colon != std::string_view::npos) {
        add_interface(file, std::exchange(pending, unquoted(trimmed.substr(0, colon))));
        if (trimmed.find("match:", colon) != std::string_view::npos) pending.clear();
      } else if (indent > *level && trimmed.starts_with("match:")) {
        pending.clear();
      }
    }
    add_interface(file, pending);
  }

  void read_setting(const std::string &file, std::string_view key, std::string_view ignored) {
    for (const std::string &line : lines(file)) {
      const std::size_t equals = line.find('=');
      if (equals == std::string::npos || text::trim(std::string_view(line).substr(0, equals)) != key) continue;
      std::string value = unquoted(std::string_view(line).substr(equals + 1));
      if (value != ignored) add_interface(file, std::move(value));
    }
  }

  // openSUSE's wicked: the name is the file's.
  void add_suse(const std::string &file) {
    constexpr std::string_view kPrefix = "etc/sysconfig/network/ifcfg-";
    const std::string name = file.substr(kPrefix.size());
    if (name.find('.') == std::string::npos) add_interface(file, name);  // not "ifcfg-eth0.bak"
  }

  void read_networkd(const std::string &file) {
    bool in_match = false;
    for (const std::string &line : lines(file)) {
      const std::string_view trimmed = text::trim(line);
      if (trimmed.front() == '[') in_match = trimmed == "[Match]";
      if (!in_match || !trimmed.starts_with("Name=")) continue;
      for (std::string &name : words_of(trimmed.substr(5))) add_interface(file, std::move(name));
    }
  }

  void read_cloud_init() {
    out_.cloud_init = is_there("etc/cloud/cloud.cfg") && !is_there("etc/cloud/cloud-init.disabled");
    if (!out_.cloud_init) return;
    const std::vector<std::string> id = lines("var/lib/cloud/data/instance-id");
    if (!id.empty()) out_.instance_id = id.front();
  }

  void read_tools() {
    for (const LinuxTool &tool : kLinuxTools) {
      const bool known = std::find(out_.tools.begin(), out_.tools.end(), tool.name) != out_.tools.end();
      if (!known && is_there(tool.file)) out_.tools.emplace_back(tool.name);
    }
  }

  const FileSystem &root_;
  ObservedLinux &out_;
};

// ---- kernels ----

// A kernel's file beside its initial RAM disk's.
struct FoundKernel {
  ObservedKernel kernel;
  const FileSystem *files = nullptr;
  std::string path;  // of its initial RAM disk; empty: there is none
};

std::vector<Entry> entries_of(const FileSystem &files, const std::string &folder) {
  std::vector<Entry> out;
  try_to([&] { out = files.list(folder); });
  return out;
}

// As distributions name it for a kernel of that version.
std::optional<std::string> initial_disk_of(const std::string &version, const std::vector<std::string> &names) {
  for (const std::string &name :
       {"initrd.img-" + version, "initramfs-" + version + ".img", "initrd-" + version, "initramfs-" + version}) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return name;
  }
  return std::nullopt;
}

// "vmlinuz-6.1.0-10-amd64" and what belongs to it, in a folder of them.
void add_named(const FileSystem &files, const std::string &folder, std::vector<FoundKernel> &out) {
  std::vector<std::string> names;
  for (const Entry &entry : entries_of(files, folder)) {
    if (!entry.folder) names.push_back(entry.name);
  }
  for (const std::string &name : names) {
    const bool kernel = name.starts_with("vmlinuz-") || name.starts_with("vmlinux-");
    if (!kernel || out.size() >= kMostKernels) continue;
    FoundKernel one{{.version = name.substr(8)}, &files, ""};
    // A rescue system has everything, and nobody starts it.
    if (one.kernel.version.find("rescue") != std::string::npos) continue;
    if (const auto initial = initial_disk_of(one.kernel.version, names)) {
      one.path = folder + "/" + *initial;
      one.kernel.initramfs = "/boot/" + *initial;
    }
    out.push_back(std::move(one));
  }
}

// kernel-install(8)'s: a folder that is called as the machine's ID, in it one for each version, with "linux" and
// "initrd".
void add_installed(const FileSystem &files, const std::string &folder, const std::string &machine,
                   std::vector<FoundKernel> &out) {
  if (machine.empty()) return;
  const std::string all = (folder.empty() ? "" : folder + "/") + machine;
  for (const Entry &version : entries_of(files, all)) {
    if (!version.folder || out.size() >= kMostKernels) continue;
    FoundKernel one{{.version = version.name}, &files, ""};
    bool kernel = false;
    for (const Entry &entry : entries_of(files, all + "/" + version.name)) {
      kernel = kernel || entry.name == "linux";
      if (!entry.folder && entry.name.starts_with("initrd") && one.path.empty())
        one.path = all + "/" + version.name + "/" + entry.name;
    }
    if (!kernel) continue;
    if (!one.path.empty()) one.kernel.initramfs = "/" + one.path;
    out.push_back(std::move(one));
  }
}

// "linux-lts" -> "6.6.30-1-lts": Arch's kernels are called as their packages, which stand beside their modules.
void name_versions(const FileSystem &root, std::vector<FoundKernel> &kernels) {
  std::map<std::string, std::string> versions;
  for (const Entry &entry : entries_of(root, "usr/lib/modules")) {
    if (!entry.folder || versions.size() >= kMostKernels) continue;
    try_to([&] {
      if (const SourcePtr file = root.open("usr/lib/modules/" + entry.name + "/pkgbase"))
        versions[std::string(text::trim(read_text(*file, kLongestLine)))] = entry.name;
    });
  }
  for (FoundKernel &one : kernels) {
    if (const auto known = versions.find(one.kernel.version); known != versions.end())
      one.kernel.version = known->second;
  }
}

std::string machine_id(const FileSystem &root) {
  std::string out;
  try_to([&] {
    if (const SourcePtr file = root.open("etc/machine-id"))
      out = std::string(text::trim(read_text(*file, kLongestLine)));
  });
  const auto is_hex = [](char c) { return text::hex_digit(c).has_value(); };
  return out.size() == 32 && std::all_of(out.begin(), out.end(), is_hex) ? out : std::string();
}

std::vector<FoundKernel> kernels_of(const Mounted &root, const std::vector<Mounted> &all) {
  const std::string machine = machine_id(*root.files);
  std::vector<FoundKernel> out;
  add_named(*root.files, "boot", out);
  for (const char *folder : {"boot", "efi"}) add_installed(*root.files, folder, machine, out);
  for (const Mounted &other : all) {
    if (other.volume == root.volume) continue;
    add_named(*other.files, "", out);
    add_installed(*other.files, "", machine, out);
  }
  name_versions(*root.files, out);
  std::sort(out.begin(), out.end(),
            [](const FoundKernel &a, const FoundKernel &b) { return is_older(b.kernel.version, a.kernel.version); });
  return out;
}

void add_builtin(const FileSystem &root, const std::string &version, std::vector<std::string> &drivers) {
  for (const char *modules : {"lib/modules/", "usr/lib/modules/"}) {
    const SourcePtr file = root.open(modules + version + "/modules.builtin");
    if (!file) continue;
    std::istringstream in(read_text(*file));
    for (std::string line; std::getline(in, line);) {
      std::string name = line.substr(line.rfind('/') + 1);
      name = name.substr(0, name.find(".ko"));
      std::replace(name.begin(), name.end(), '-', '_');
      const bool known = std::find(drivers.begin(), drivers.end(), name) != drivers.end();
      if (!known && is_storage_driver(name)) drivers.push_back(name);
    }
    std::sort(drivers.begin(), drivers.end());
    return;
  }
}

void look_for_kernels(const Mounted &root, const std::vector<Mounted> &all, const Budget &budget, ObservedLinux &out) {
  std::vector<FoundKernel> found = kernels_of(root, all);
  // The newest is what starts; the others cost time.
  if (!found.empty() && !found.front().path.empty()) {
    FoundKernel &first = found.front();
    try_to(
        [&] {
          const SourcePtr file = first.files->open(first.path);
          if (!file) return;
          InitialDisk inside = read_initial_disk(*file, budget);
          first.kernel.examined = true;
          first.kernel.drivers = std::move(inside.drivers);
          first.kernel.host_only = inside.host_only;
          try_to([&] { add_builtin(*root.files, first.kernel.version, first.kernel.drivers); });
        },
        [&](std::string why) { first.kernel.problem = std::move(why); });
  }
  for (FoundKernel &one : found) out.kernels.push_back(std::move(one.kernel));
}

}  // namespace

void look_for_linux(const Mounted &volume, const std::vector<Mounted> &all, const Budget &budget, Observed &out) {
  ObservedVolume &seen = out.volumes[volume.volume];
  try_to(
      [&] {
        const bool is_root = volume.files->open("etc/os-release") || volume.files->open("etc/fstab");
        if (!is_root) return;
        ObservedLinux found{.disk = seen.disk, .partition = seen.number};
        LinuxReader(*volume.files, found).read();
        look_for_boot_names(volume, all, found);
        look_for_kernels(volume, all, budget, found);
        out.linux_systems.push_back(std::move(found));
      },
      [&](std::string why) { seen.problem = "its files cannot be read: " + std::move(why); });
}

}  // namespace ferry::guest
