// SPDX-License-Identifier: Apache-2.0
#include "migration/running_process.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <string_view>
#include <system_error>

#include "support/reach.hpp"

namespace ferry::migration::process {
namespace {

namespace fs = std::filesystem;

// "/vms/web/disks/a.img" with "disks/a.img" taken off; empty where it does not end so.
fs::path before(const fs::path &file, const fs::path &name) {
  fs::path folder = file;
  auto part = name.end();
  while (part != name.begin()) {
    if (folder.filename() != *--part) return {};
    folder = folder.parent_path();
  }
  return folder;
}

}  // namespace

bool is_source(const fs::path &file) { return reach::below(file, "/proc"); }

std::vector<std::string> words_of(const fs::path &cmdline) {
  std::vector<std::string> out;
  std::ifstream in(cmdline, std::ios::binary);
  for (std::string word; std::getline(in, word, '\0');) out.push_back(word);
  return out;
}

std::vector<std::string> names_in(const std::string &word) {
  std::vector<std::string> out{word};
  for (const std::string_view ends : {",", ",=", ",=:", "\""}) {
    std::string name;
    for (std::size_t i = 0; i < word.size(); ++i) {
      const bool doubled = word[i] == ',' && word.substr(i + 1, 1) == ",";
      if (!doubled && ends.find(word[i]) != std::string_view::npos) {
        out.push_back(std::move(name));
        name.clear();
        continue;
      }
      name += word[i];
      i += doubled ? 1 : 0;
    }
    out.push_back(std::move(name));
  }
  return out;
}

std::vector<fs::path> open_files(const fs::path &cmdline) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator at(cmdline.parent_path() / "fd", error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    fs::path target = fs::read_symlink(at->path(), gone);
    if (!gone && target.is_absolute() && fs::is_regular_file(target, gone)) out.push_back(std::move(target));
  }
  return out;
}

fs::path folder_by_open_files(const std::vector<std::string> &words, const std::vector<fs::path> &open) {
  std::set<fs::path> names;
  for (const std::string &word : words) {
    for (const std::string &name : names_in(word)) {
      fs::path path = fs::path(name).lexically_normal();
      if (path.is_relative() && path.has_filename() && *path.begin() != "..") names.insert(std::move(path));
    }
  }
  std::map<fs::path, std::size_t> speak_for;
  for (const fs::path &name : names) {
    std::set<fs::path> folders;
    for (const fs::path &file : open) {
      if (fs::path folder = before(file, name); !folder.empty()) folders.insert(std::move(folder));
    }
    for (const fs::path &folder : folders) ++speak_for[folder];
  }
  const auto best = std::max_element(speak_for.begin(), speak_for.end(),
                                     [](const auto &a, const auto &b) { return a.second < b.second; });
  if (best == speak_for.end()) return {};
  const bool alone = std::count_if(speak_for.begin(), speak_for.end(),
                                   [&](const auto &one) { return one.second == best->second; }) == 1;
  return alone ? best->first : fs::path{};
}

fs::path folder_of(const fs::path &cmdline) {
  std::error_code error;
  fs::path own = fs::read_symlink(cmdline.parent_path() / "cwd", error);
  if (own != "/") return own;
  fs::path found = folder_by_open_files(words_of(cmdline), open_files(cmdline));
  return found.empty() ? own : found;
}

}  // namespace ferry::migration::process
