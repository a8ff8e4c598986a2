// SPDX-License-Identifier: Apache-2.0
// Shared folders, by virtiofs where the user asks for it and the host can.
#include <algorithm>
#include <array>

#include "exporters/libvirt/map/mapping.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

// Folders that hold the system or everything that the user has: sharing them by a line in a file that may come from
// elsewhere gives the guest the host.
bool is_too_wide(const std::filesystem::path &path) {
  const std::filesystem::path normal = path.lexically_normal();
  const auto depth = std::distance(normal.begin(), normal.end());  // "/" counts as one
  if (!normal.is_absolute() || depth <= 2) return true;
  constexpr std::array<std::string_view, 8> kSystem = {"etc", "proc", "sys", "dev", "boot", "run", "root", "usr"};
  const std::string first = std::next(normal.begin())->string();
  if (std::find(kSystem.begin(), kSystem.end(), first) != kSystem.end()) return true;
  return first == "home" && depth <= 3;
}

// What the guest mounts a folder by: its name, cut to a virtiofs tag's 36 bytes, and not another folder's.
std::string unique_tag(const std::string &name, const std::vector<DomainFilesystem> &others) {
  constexpr std::size_t kLongest = 36;
  std::string tag = text::cut_utf8(name, kLongest);
  const auto taken = [&] { return std::ranges::find(others, tag, &DomainFilesystem::tag) != others.end(); };
  for (unsigned n = 2; taken(); ++n) {
    const std::string end = "-" + std::to_string(n);
    tag = text::cut_utf8(name, kLongest - end.size()) + end;
  }
  return tag;
}

void map_folder(Mapping &m, std::size_t i, const SharedFolder &folder, std::vector<std::string> &left_out) {
  const std::string field = field_at("shared_folders", i);
  if (is_too_wide(folder.host_path)) {
    m.drop(field, "this folder contains too much to be shared: '" + folder.host_path + "'");
    left_out.push_back(folder.name + " (it contains too much)");
    return;
  }
  // The virtiofs driver of libvirt cannot make a mount read-only before 11.0.
  if (!folder.writable && !m.host_has_libvirt(11, 0)) {
    m.drop(field, "this host's libvirt cannot share a folder read-only");
    left_out.push_back(folder.name + " (read-only)");
    return;
  }
  DomainFilesystem out{
      .source = folder.host_path, .tag = unique_tag(folder.name, m.domain.filesystems), .read_only = !folder.writable};
  out.address = m.slots.place(std::nullopt);
  m.translate(field, "virtiofs; in the guest: mount -t virtiofs " + out.tag + " /mnt");
  m.domain.filesystems.push_back(std::move(out));
  m.domain.shared_memory = true;
}

}  // namespace

void map_folders(Mapping &m) {
  const auto &folders = m.hardware.shared_folders;
  m.keep("shared_folders");
  if (folders.empty()) return;
  // As an ordinary user virtiofsd needs user namespaces, which libvirt sets up from 10.0 on.
  const bool possible = m.host.virtiofsd && unknown_or_has(m.host.filesystem_drivers, "virtiofs") &&
                        (!m.session() || m.host_has_libvirt(10, 0));
  std::vector<std::string> left_out;
  for (std::size_t i = 0; i < folders.size(); ++i) {
    if (m.options.shared_folders && possible) {
      map_folder(m, i, folders[i], left_out);
    } else {
      m.drop(field_at("shared_folders", i), "shared folders need VirtualBox's or VMware's tools");
      left_out.push_back(folders[i].name);
    }
  }
  if (left_out.empty()) return;
  std::string names;
  for (const std::string &name : left_out) names += (names.empty() ? "" : ", ") + name;
  m.raise(kFolderDropped, folders.front().origin, "Shared folders are left out: " + names + ".",
          m.options.shared_folders && !possible
              ? "Share the folder over SSH, or install libvirt 10.0 and virtiofsd, which virtiofs in a session needs."
              : "");
}

}  // namespace ferry::libvirt
