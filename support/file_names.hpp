// SPDX-License-Identifier: Apache-2.0
// Names that other hosts write for a file that is here: Windows and ESX paths, another letter case, another Unicode
// normal form (macOS), a path of the host that the machine was copied from.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::names {

// True for "C:\...", "C:/...", "\\server\..." and "\\?\...".
[[nodiscard]] bool is_windows_path(std::string_view location);
// Back slashes become slashes and a drive letter goes when the text is a Windows path or has back slashes only;
// "[datastore] dir/disk.vmdk" (ESX) becomes "dir/disk.vmdk". Otherwise unchanged.
[[nodiscard]] std::string with_slashes(std::string_view location);
// The last part of a location in any of these forms.
[[nodiscard]] std::string last_name(std::string_view location);

// Windows drives of a mounted volume that `file` (absolute) lies on: its nearest folder above that holds both "Windows"
// and "Users" is C:; where that folder is called "c" (as WSL has it), its siblings of one letter are the other drives.
[[nodiscard]] std::map<char, std::filesystem::path> drives_around(const std::filesystem::path &file);

// Where else than beside the naming file a file may be.
struct Places {
  std::vector<std::filesystem::path> search;     // folders that the user named
  std::map<char, std::filesystem::path> drives;  // of Windows, lower-case letter -> where it is mounted
};

struct Found {
  std::optional<std::filesystem::path> file;  // absolute; something other than a folder is there
  std::vector<std::filesystem::path> tried;   // in order, with `file` last
  std::vector<std::filesystem::path> near;    // not found: files of a like name that lie where it was looked for
  bool elsewhere = false;                     // found, but not at the place that was written
  bool ambiguous = false;                     // several under the folders of Places; `near` has them

  // "it was looked for at A and B; near it lie C and D", for messages; printable.
  [[nodiscard]] std::string searched() const;
};

// `location` as written in a file that lies in `folder` (absolute). Tries, each also by folded names:
//  1. the place as written (for ESX: /vmfs/volumes/DATASTORE/...; for Windows: the drives of `places`);
//  2. ever shorter tails of it below `folder`, because machine folders are copied from host to host; those with a
//  folder
//     in them also below the folders of `places`, before the bare name is tried;
//  3. tails with a folder in them below the folder that holds `folder`: a sibling machine's;
//  4. the bare name in the folders of `places`, and anywhere below them.
// Nothing is opened. Percent signs and back slashes of POSIX names are taken literally first.
[[nodiscard]] Found find(std::string_view location, const std::filesystem::path &folder, const Places &places = {});

// A path that somebody typed, as the files spell it: names that only differ in their Unicode normal form look the same
// to whoever types them (files that come from macOS are decomposed). Unchanged where it exists, or nothing, or more
// than one thing, is there that looks the same.
[[nodiscard]] std::filesystem::path as_spelt(const std::filesystem::path &typed);

}  // namespace ferry::names
