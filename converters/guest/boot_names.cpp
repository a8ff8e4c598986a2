// SPDX-License-Identifier: Apache-2.0
// The devices that Linux is told of by its boot loader: "root=" and "resume=" of the kernel's command line, in GRUB's
// configuration and what it is made from, in entries of the Boot Loader Specification, and in kernel-install's
// cmdline. Only paths are of interest: UUIDs and labels go with the disk.
#include <algorithm>
#include <sstream>
#include <string_view>

#include "converters/guest/systems.hpp"

#include "support/text.hpp"

namespace ferry::guest {
namespace {

constexpr std::size_t kMostLoaderEntries = 32;                          // of a folder
constexpr std::size_t kMostOfAConfiguration = std::size_t{512} << 10U;  // bytes

void take_names(const std::string &shown, const std::string &text, ObservedLinux &out) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (text::trim(line).starts_with('#')) continue;
    for (const char *key : {"root=", "resume="}) {
      for (std::size_t at = line.find(key); at != std::string::npos; at = line.find(key, at + 1)) {
        const bool begins = at == 0 || std::string_view(" \t\"'").find(line[at - 1]) != std::string_view::npos;
        const std::size_t from = at + std::string_view(key).size();
        const std::string device = line.substr(from, line.find_first_of(" \t\"'", from) - from);
        if (!begins || !device.starts_with("/dev/")) continue;
        const auto same = [&](const ObservedMount &one) { return one.file == shown && one.device == device; };
        if (std::none_of(out.mounts.begin(), out.mounts.end(), same))
          out.mounts.push_back({shown, device, std::string(key, std::string_view(key).size() - 1)});
      }
    }
  }
}

void read_file(const FileSystem &files, const std::string &path, const std::string &shown, ObservedLinux &out) {
  try_to([&] {
    if (const SourcePtr file = files.open(path)) take_names(shown, read_text(*file, kMostOfAConfiguration), out);
  });
}

void read_entries(const FileSystem &files, const std::string &folder, const std::string &shown, ObservedLinux &out) {
  std::vector<std::string> names;
  try_to([&] {
    for (const Entry &entry : files.list(folder))
      if (!entry.folder && entry.name.ends_with(".conf") && names.size() < kMostLoaderEntries)
        names.push_back(entry.name);
  });
  std::sort(names.begin(), names.end());
  for (const std::string &name : names) {
    read_file(files, (folder + "/").append(name), (shown + "/").append(name), out);
  }
}

// Below what is /boot: "boot/" of the root, or a volume of its own.
void read_boot(const FileSystem &files, const std::string &below, ObservedLinux &out) {
  for (const char *file : {"grub/grub.cfg", "grub2/grub.cfg"})
    read_file(files, below + file, std::string("/boot/") + file, out);
  read_entries(files, below + "loader/entries", "/boot/loader/entries", out);
}

}  // namespace

void look_for_boot_names(const Mounted &root, const std::vector<Mounted> &all, ObservedLinux &out) {
  for (const char *file : {"etc/default/grub", "etc/kernel/cmdline"})
    read_file(*root.files, file, std::string("/") + file, out);
  read_boot(*root.files, "boot/", out);
  for (const Mounted &other : all)
    if (other.volume != root.volume) read_boot(*other.files, "", out);
}

}  // namespace ferry::guest
