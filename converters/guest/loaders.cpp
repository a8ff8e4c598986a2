// SPDX-License-Identifier: Apache-2.0
// What EFI firmware can start: the programs in the folder EFI of a FAT volume, two folders deep, which is where
// Microsoft's lies.
#include "converters/guest/systems.hpp"

#include "support/text.hpp"

namespace ferry::guest {
namespace {

constexpr std::size_t kMostLoaders = 200;

void look_in(const FileSystem &files, const std::string &folder, int deeper, const ObservedVolume &volume,
             Observed &out) {
  for (const Entry &entry : files.list(folder)) {
    if (out.loaders.size() >= kMostLoaders) return;
    const std::string path = folder + "/" + entry.name;
    if (entry.folder) {
      if (deeper > 0) look_in(files, path, deeper - 1, volume, out);
    } else if (text::lower_ascii(entry.name).ends_with(".efi")) {
      std::string shown = "\\" + path;
      for (char &c : shown) c = c == '/' ? '\\' : c;
      out.loaders.push_back({volume.disk, volume.number, std::move(shown)});
    }
  }
}

}  // namespace

void look_for_loaders(const Mounted &volume, Observed &out) {
  ObservedVolume &seen = out.volumes[volume.volume];
  if (!seen.content.starts_with("fat")) return;
  try_to([&] { look_in(*volume.files, "EFI", 2, seen, out); },
         [&](std::string why) { seen.problem = "its loaders cannot be read: " + std::move(why); });
}

}  // namespace ferry::guest
