// SPDX-License-Identifier: Apache-2.0
// Names and labels are those of the installers: grub-install and shim-install write the folder's name ("debian",
// "ubuntu", "fedora"), systemd's bootctl "Linux Boot Manager", Windows "Windows Boot Manager". The path is the short
// form of the UEFI specification (2.10, 3.1.2): a node for the partition, by its GUID, and one for the file.
#include "converters/firmware/made_entries.hpp"

#include <algorithm>
#include <map>

#include "converters/firmware/boot_option.hpp"
#include "converters/firmware/findings.hpp"

#include "support/identity.hpp"
#include "support/text.hpp"

namespace ferry::firmware {
namespace {

// Of a folder's programs the first of these that is there: shim starts what stands beside it.
constexpr const char *kLoaders64[] = {"shimx64.efi",         "shim.efi",    "grubx64.efi", "grub.efi",
                                      "systemd-bootx64.efi", "bootmgfw.efi"};
constexpr const char *kLoadersArm[] = {"shimaa64.efi",         "shim.efi",    "grubaa64.efi", "grub.efi",
                                       "systemd-bootaa64.efi", "bootmgfw.efi"};
constexpr const char *kLoaders32[] = {"shimia32.efi", "grubia32.efi", "grub.efi", "systemd-bootia32.efi",
                                      "bootmgfw.efi"};

// The place of a loader among those of its folder; nullopt: it is none.
std::optional<std::size_t> rank_of(const std::string &name, const std::string &architecture) {
  const auto rank = [&](const auto &loaders) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < std::size(loaders); ++i) {
      if (text::iequals_ascii(name, loaders[i])) return i;
    }
    return std::nullopt;
  };
  if (architecture == "aarch64") return rank(kLoadersArm);
  return architecture == "i386" ? rank(kLoaders32) : rank(kLoaders64);
}

struct Chosen {
  const SeenLoader *loader = nullptr;
  std::size_t rank = 0;
  std::string label;
  bool windows = false;
};

void little(std::vector<std::uint8_t> &out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

std::u16string wide(const std::string &utf8) {
  std::u16string out;
  for (const char32_t c : text::decode_utf8_lossy(utf8)) out += c < 0x10000 ? static_cast<char16_t>(c) : u'?';
  return out;
}

std::vector<std::uint8_t> path_of(const SeenLoader &loader, const Uuid &partition) {
  constexpr std::uint8_t kMedia = 4, kDrive = 1, kFile = 4, kGpt = 2, kGuid = 2;
  std::vector<std::uint8_t> out{kMedia, kDrive};
  little(out, 42, 2);
  little(out, loader.partition, 4);
  little(out, loader.start, 8);
  little(out, loader.length, 8);
  const Uuid on_disk = partition.swapped();
  out.insert(out.end(), on_disk.bytes.begin(), on_disk.bytes.end());
  out.insert(out.end(), {kGpt, kGuid, kMedia, kFile});
  const std::u16string file = wide(loader.file);
  little(out, 4 + 2 * (file.size() + 1), 2);
  for (const char16_t unit : file) little(out, unit, 2);
  little(out, 0, 2);
  out.insert(out.end(), {0x7f, 0xff, 4, 0});
  return out;
}

std::vector<Chosen> choose(const std::vector<SeenLoader> &loaders, const std::string &architecture) {
  std::map<std::pair<std::string, std::string>, Chosen> by_folder;  // of a partition
  for (const SeenLoader &one : loaders) {
    const std::size_t slash = one.file.rfind('\\');
    if (slash == std::string::npos || slash == 0 || !Uuid::parse(one.partition_id)) continue;
    const std::string folder = one.file.substr(0, slash), name = one.file.substr(slash + 1);
    const auto rank = rank_of(name, architecture);
    const std::string lower = text::lower_ascii(folder);
    if (!rank || lower == "\\efi\\boot") continue;
    Chosen chosen{&one, *rank, folder.substr(folder.rfind('\\') + 1), lower == "\\efi\\microsoft\\boot"};
    if (chosen.windows) chosen.label = "Windows Boot Manager";
    if (lower == "\\efi\\systemd") chosen.label = "Linux Boot Manager";
    const auto [at, is_new] = by_folder.emplace(std::pair(one.partition_id, lower), chosen);
    if (!is_new && chosen.rank < at->second.rank) at->second = chosen;
  }
  std::vector<Chosen> out;
  for (const auto &[folder, chosen] : by_folder) out.push_back(chosen);
  std::stable_sort(out.begin(), out.end(), [](const Chosen &a, const Chosen &b) { return !a.windows && b.windows; });
  return out;
}

}  // namespace

Selection entries_for(const std::vector<SeenLoader> &loaders, const std::string &architecture, const Place &where) {
  Selection out;
  std::string list;
  for (const Chosen &one : choose(loaders, architecture)) {
    constexpr std::size_t kMost = 16;
    if (out.order.size() >= kMost) break;
    const auto number = static_cast<std::uint16_t>(out.order.size());
    constexpr std::uint32_t kActive = 1;
    const BootOption option{.attributes = kActive,
                            .description = wide(one.label),
                            .path = path_of(*one.loader, *Uuid::parse(one.loader->partition_id)),
                            .optional = {},
                            .file = wide(one.loader->file)};
    out.boot_entries.push_back({.name = boot_name(number),
                                .guid = kGlobalGuid,
                                .attributes = kAttributesRuntime,
                                .timestamp = {},
                                .data = serialise(option)});
    out.order.push_back(number);
    out.kept.push_back({number, one.label, one.loader->file});
    list += (list.empty() ? "" : ", ") + one.label + " (" + one.loader->file + ")";
  }
  if (!list.empty()) {
    out.findings.push_back(
        raise(kBootEntriesMade, where, "UEFI boot entries are made for what is on the disks: " + list));
  }
  return out;
}

}  // namespace ferry::firmware
