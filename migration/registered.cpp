// SPDX-License-Identifier: Apache-2.0
#include "migration/registered.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <system_error>

#include "importers/vbox/vbox.hpp"
#include "importers/vmx/vmx.hpp"
#include "migration/reader.hpp"

#include "support/file.hpp"
#include "support/folders.hpp"
#include "support/nearest.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// Rather a file's name than a machine's.
bool looks_like_path(const std::string &name) {
  const std::string lower = text::lower_ascii(name);
  constexpr std::array<std::string_view, 7> kSuffixes{".vbox", ".vmx", ".ovf", ".ova", ".box", ".xml", ".gz"};
  return name.find('/') != std::string::npos ||
         std::any_of(kSuffixes.begin(), kSuffixes.end(), [&](auto suffix) { return lower.ends_with(suffix); });
}

// A slip on the command line, and said as one: nothing was looked at that could be refused.
[[noreturn]] void no_such_file(const std::string &name) {
  std::vector<std::string> beside;
  std::error_code error;
  const fs::path folder = fs::path(name).parent_path();
  for (fs::directory_iterator at(folder.empty() ? "." : folder, error), end; !error && at != end; at.increment(error))
    beside.push_back(at->path().filename().string());
  const auto meant = text::nearest(fs::path(name).filename().string(), beside);
  throw Error(ErrorKind::usage,
              {.where = {.file = name},
               .message = "there is no such file",
               .expected = "a file, a folder, or the name of a machine that 'virt-ferry list' shows",
               .advice = meant ? "Did you mean '" + (folder / *meant).string() + "'?" : "Check the name."});
}

// A platform's registries: what cannot be read does not hide the others.
class RegistryReader {
 public:
  template <class List>
  void add(SourceKind kind, const List &list) {
    try {
      for (const auto &machine : list()) {
        std::error_code error;
        out.machines.push_back({machine.name, kind, machine.file, fs::exists(machine.file, error)});
      }
    } catch (const Error &error) {
      out.unreadable.push_back(error);
    }
  }
  Registered out;
};

void read_windows(const fs::path &root, RegistryReader &reader) {
  const fs::path users = root / "Users";
  const names::Places places{{}, {{'c', root}}};
  std::vector<fs::path> homes;
  for (const fs::directory_entry &entry : file::entries_of(users)) {
    std::error_code error;
    if (entry.is_directory(error) && !entry.is_symlink(error)) homes.push_back(entry.path());
  }
  std::sort(homes.begin(), homes.end());
  for (const fs::path &home : homes) {
    std::error_code error;
    if (const fs::path registry = home / ".VirtualBox" / "VirtualBox.xml"; fs::is_regular_file(registry, error))
      reader.add(SourceKind::vbox, [&] { return vbox::registered_machines(registry, places); });
    reader.add(SourceKind::vmx, [&] { return vmx::windows_machines(home / "AppData" / "Roaming" / "VMware", places); });
  }
}

}  // namespace

Registered registered_machines(const fs::path &windows_root) { return registered_in_worker(windows_root); }

Registered read_registered(const fs::path &windows_root) {
  RegistryReader reader;
  if (!windows_root.empty()) {
    read_windows(windows_root, reader);
    return std::move(reader.out);
  }
  if (const fs::path registry = vbox::host_registry(); !registry.empty())
    reader.add(SourceKind::vbox, [&registry] { return vbox::registered_machines(registry); });
  if (const auto home = folders::home())
    reader.add(SourceKind::vmx, [&home] { return vmx::registered_machines(*home); });
  return std::move(reader.out);
}

namespace {

std::optional<std::vector<fs::path>> &told_folders() {
  static std::optional<std::vector<fs::path>> folders;
  return folders;
}

}  // namespace

const std::vector<fs::path> &registered_folders() {
  if (told_folders()) return *told_folders();
  static const std::vector<fs::path> kFolders = [] {
    std::vector<fs::path> out;
    for (const fs::path &file : registered_files()) out.push_back(file.parent_path());
    return out;
  }();
  return kFolders;
}

std::vector<fs::path> registered_files() {
  std::vector<fs::path> out;
  const auto add = [&out](const auto &list) {
    try {
      for (const auto &file : list()) out.push_back(file);
    } catch (const Error &) {  // 'virt-ferry list' says what is wrong with it
    }
  };
  add([] {
    const fs::path registry = vbox::host_registry();
    return registry.empty() ? std::vector<fs::path>{} : vbox::registered_files(registry);
  });
  add([] {
    std::vector<fs::path> files;
    if (const auto home = folders::home()) {
      for (const vmx::RegisteredMachine &machine : vmx::registered_machines(*home)) files.push_back(machine.file);
    }
    return files;
  });
  return out;
}

void set_registered_folders(std::vector<fs::path> folders) { told_folders() = std::move(folders); }

RegisteredMachine machine_by_name(const std::string &name) {
  std::vector<RegisteredMachine> matches;
  std::string known;
  std::vector<std::string> names;
  const Registered registered = registered_machines();
  for (const RegisteredMachine &machine : registered.machines) {
    if (machine.name == name) matches.push_back(machine);
    known += (known.empty() ? "" : ", ") + machine.name;
    names.push_back(machine.name);
  }
  if (matches.size() == 1) return matches.front();
  if (matches.size() > 1) {
    throw Error(ErrorKind::usage,
                {.message = "several registered machines are called \"" + text::printable(name) + "\"",
                 .found = matches[0].file.string() + ", " + matches[1].file.string(),
                 .advice = "Give the file instead."});
  }
  if (looks_like_path(name)) no_such_file(name);
  if (!registered.unreadable.empty()) throw Error(registered.unreadable.front());
  const auto meant = text::nearest(name, names);
  throw Error(
      ErrorKind::missing,
      {.where = {.file = name},
       .message = "there is no such file, and no registered machine has this name",
       .expected = known.empty() ? "a .vbox, .vmx, .ovf, .ova or .box file" : "a file, or one of: " + known,
       .advice = meant ? "Did you mean '" + *meant + "'?" : "'virt-ferry list' shows the machines of this host."});
}

}  // namespace ferry::migration
