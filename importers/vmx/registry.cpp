// SPDX-License-Identifier: Apache-2.0
// Which machines VMware's products list for a user. Workstation: ~/.vmware/inventory.vmls (vmlistN.config and
// .DisplayName; folders have Type "2" and no path). Player and older Workstation: ~/.vmware/preferences
// (pref.mruVMN.filename). Fusion: vmInventory in its support folder, in the same form. Server and ESX:
// /etc/vmware/hostd/vmInventory.xml (ConfigEntry/vmxCfgPath).
#include <set>

#include "importers/vmx/dictionary.hpp"
#include "importers/vmx/vmx.hpp"

#include "support/text.hpp"
#include "support/xml.hpp"

namespace ferry::vmx {
namespace {

class List {
 public:
  void add(const std::string &path, const std::string &name) {
    if (path.empty()) return;
    const auto found = names::is_windows_path(path) ? names::find(path, folder_, places_).file : std::nullopt;
    std::filesystem::path file = path;
    if (found) {
      file = *found;
    } else if (names::is_windows_path(path)) {
      file = root() / std::filesystem::path(names::with_slashes(path)).relative_path();
    }
    const std::string suffix = text::lower_ascii(file.extension().string());
    if (!file.is_absolute() || suffix != ".vmx" || !seen_.insert(file.lexically_normal()).second) return;
    machines.push_back({file.lexically_normal(), name.empty() ? file.stem().string() : name});
  }

  std::vector<RegisteredMachine> machines;

  explicit List(std::filesystem::path folder = "/", names::Places places = {})
      : folder_(std::move(folder)), places_(std::move(places)) {}

 private:
  // Where a path of Windows's is shown when nothing is there.
  [[nodiscard]] std::filesystem::path root() const {
    return places_.drives.empty() ? std::filesystem::path("/") : places_.drives.begin()->second;
  }

  std::filesystem::path folder_;
  names::Places places_;
  std::set<std::filesystem::path> seen_;
};

// Pairs PREFIX<N><path_key> with PREFIX<N><name_key> (all lower case), in the file's order.
void read_dictionary(const std::filesystem::path &file, std::string_view prefix, std::string_view path_key,
                     std::string_view name_key, List &list) {
  Dictionary dictionary;
  try {
    dictionary = parse_dictionary(read_text_file(file, kDictionaryLimit), file);
  } catch (const Error &) {
    return;  // a list that is not there or cannot be read lists nothing
  }
  for (const Setting &setting : dictionary.settings) {
    const std::string key = text::lower_ascii(setting.key);
    if (key.rfind(prefix, 0) != 0 || key.size() < prefix.size() + path_key.size()) continue;
    if (key.substr(key.size() - path_key.size()) != path_key) continue;
    const std::string wanted = key.substr(0, key.size() - path_key.size()) + std::string(name_key);
    std::string name;
    for (const Setting &other : dictionary.settings) {
      if (text::lower_ascii(other.key) == wanted) name = other.value;
    }
    list.add(setting.value, name);
  }
}

void read_host_inventory(const std::filesystem::path &file, List &list) {
  try {
    const xml::Element root = xml::parse(read_text_file(file, kDictionaryLimit), file);
    for (const xml::Element &entry : root.children) {
      const xml::Element *path = entry.child("vmxCfgPath");
      if (path != nullptr) list.add(path->text, {});
    }
  } catch (const Error &) {
    return;  // as above
  }
}

}  // namespace

std::vector<RegisteredMachine> registered_machines(const std::filesystem::path &home) {
  List list;
  read_dictionary(home / ".vmware" / "inventory.vmls", "vmlist", ".config", ".displayname", list);
  read_dictionary(home / "Library" / "Application Support" / "VMware Fusion" / "vmInventory", "vmlist", ".config",
                  ".displayname", list);
  read_dictionary(home / ".vmware" / "preferences", "pref.mruvm", ".filename", ".displayname", list);
  read_host_inventory("/etc/vmware/hostd/vmInventory.xml", list);
  return list.machines;
}

std::vector<RegisteredMachine> windows_machines(const std::filesystem::path &folder, const names::Places &places) {
  List list(folder, places);
  read_dictionary(folder / "inventory.vmls", "vmlist", ".config", ".displayname", list);
  read_dictionary(folder / "preferences.ini", "pref.mruvm", ".filename", ".displayname", list);
  return list.machines;
}

}  // namespace ferry::vmx
