// SPDX-License-Identifier: Apache-2.0
// A .vbox is not self-contained: a linked clone's and a multi-attach disk's images are listed in the source machine's
// file, and before settings version 1.11 all media are in VirtualBox.xml. This looks there, and only there:
// VirtualBox.xml, the machines that it registers, and the machines in the folders beside this one's.
#include <cstdlib>
#include <system_error>

#include "importers/vbox/findings.hpp"
#include "importers/vbox/location.hpp"
#include "importers/vbox/registry.hpp"
#include "importers/vbox/vbox.hpp"

#include "support/folders.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::vbox {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path &path) {
  std::error_code ignored;
  return on_host::is_regular_file(path, ignored);
}

// VirtualBox keeps each machine in a folder of its own below a common one, or below a group's folder there.
std::vector<fs::path> machines_beside(const fs::path &machine_file) {
  constexpr std::size_t kMost = 4096;  // a folder with more than this is no machine folder
  std::vector<fs::path> out;
  std::error_code failed;
  std::size_t left = kMost;
  for (const on_host::Entry &folder : on_host::list(machine_file.parent_path().parent_path(), failed, kMost)) {
    if (left == 0) break;
    --left;
    if (!folder.is_folder) continue;
    const std::vector<on_host::Entry> files = on_host::list(folder.path, failed, left);
    left -= files.size();
    for (const on_host::Entry &file : files) {
      if (file.is_file && file.path.extension() == ".vbox") out.push_back(file.path);
    }
  }
  return out;
}

}  // namespace

fs::path host_registry() {
  constexpr std::string_view kName = "VirtualBox.xml";
  std::vector<fs::path> folders;
  if (const char *own = std::getenv("VBOX_USER_HOME"); own != nullptr && *own != '\0') folders.emplace_back(own);
  if (const auto home = folders::home()) {
    folders.push_back(folders::config_home() / "VirtualBox");
    folders.push_back(*home / ".config" / "VirtualBox");
    folders.push_back(*home / ".VirtualBox");
    folders.push_back(*home / "Library" / "VirtualBox");
  }
  for (const fs::path &folder : folders) {
    if (is_file(folder / kName)) return folder / kName;
  }
  return {};
}

std::vector<std::pair<std::optional<Uuid>, fs::path>> machine_entries(const xml::Element &root, const fs::path &folder,
                                                                      const names::Places &places) {
  std::vector<std::pair<std::optional<Uuid>, fs::path>> out;
  const xml::Element *global = root.child("Global");
  const xml::Element *list = global == nullptr ? nullptr : global->child("MachineRegistry");
  if (list == nullptr) return out;
  for (const xml::Element &entry : list->children) {
    const std::string *src = entry.attribute("src");
    if (entry.name != "MachineEntry" || src == nullptr || src->empty()) continue;
    const std::string *uuid = entry.attribute("uuid");
    names::Found where = names::find(*src, folder, places);
    const fs::path written = on_host::joined(folder, names::with_slashes(*src));
    out.emplace_back(uuid == nullptr ? std::nullopt : Uuid::parse(text::trim(*uuid)),
                     where.file ? *where.file : written.lexically_normal());
  }
  return out;
}

namespace {

std::vector<std::pair<std::optional<Uuid>, fs::path>> registered_entries(const fs::path &virtualbox_xml,
                                                                         const names::Places &places) {
  const fs::path file = fs::absolute(virtualbox_xml);
  const xml::Element root = xml::parse(read_settings_file(file), file);
  if (root.name != "VirtualBox" || root.child("Global") == nullptr) {
    throw Error(ErrorKind::malformed, {.where = {.file = file, .line = root.line, .path = root.path},
                                       .message = "this is not VirtualBox's registry",
                                       .found = "<" + text::printable(root.name) + ">",
                                       .expected = "<VirtualBox> with <Global>"});
  }
  return machine_entries(root, file.parent_path(), places);
}

}  // namespace

MediaLibrary::MediaLibrary(fs::path machine_file, ImportOptions options, std::vector<Finding> &findings)
    : machine_file_(std::move(machine_file)), options_(std::move(options)), findings_(findings) {}

void MediaLibrary::read_foreign(const fs::path &file, const std::string &bytes) {
  const xml::Element root = xml::parse(bytes, file);
  Ledger not_ours;  // the settings of another file are not this machine's account
  const SettingsReader reader = SettingsReader::open(root, file, not_ours);
  for (const std::string_view part : {"Global", "Machine"}) {
    const auto holder = reader.child(part);
    if (!holder) continue;
    for (const std::string_view name : {"MediaRegistry", "DiskRegistry"}) {
      if (const auto registry = holder->child(name)) foreign_.read(*registry, file.parent_path(), false);
    }
  }
  for (auto &[uuid, machine] : machine_entries(root, file.parent_path(), options_.places))
    machines_.push_back(std::move(machine));
}

void MediaLibrary::open_global() {
  if (global_opened_) return;
  global_opened_ = true;
  const bool named = !options_.virtualbox_registry.empty();
  // Another host's registry lists what is on that host, and this one's what is here.
  if (!named && (!options_.use_host_registry || on_host::is_remote(machine_file_))) return;
  const fs::path file = named ? fs::absolute(options_.virtualbox_registry) : host_registry();
  try {
    if (!file.empty()) read_foreign(file, read_settings_file(file));
  } catch (const Error &error) {
    if (named) throw;
    findings_.push_back(raise(kRegistryUnreadable, error.detail().where, error.what()));
  }
  for (fs::path &machine : machines_beside(machine_file_)) machines_.push_back(std::move(machine));
}

void MediaLibrary::open_machine_listing(const Uuid &uuid, const fs::path &file) {
  if (file == machine_file_ || !is_file(file) || !read_.insert(file).second) return;
  try {
    const std::string bytes = read_settings_file(file);
    // Parsing a thousand machines to find one disk would be slow: look for the UUID's letters first.
    if (text::lower_ascii(bytes).find(uuid.text()) == std::string::npos) {
      read_.erase(file);  // it may hold the next UUID
      return;
    }
    read_foreign(file, bytes);
  } catch (const Error &error) {
    findings_.push_back(raise(kRegistryUnreadable, error.detail().where, error.what()));
  }
}

std::vector<const RegisteredMedium *> MediaLibrary::chain(const Uuid &uuid) {
  auto found = own_.chain(uuid);
  if (!found.empty()) return found;
  open_global();
  found = foreign_.chain(uuid);
  // By index: reading a file may register more machines.
  for (std::size_t i = 0; found.empty() && i < machines_.size(); ++i) {
    const fs::path machine = machines_[i];
    open_machine_listing(uuid, machine);
    found = foreign_.chain(uuid);
  }
  return found;
}

std::vector<fs::path> registered_files(const fs::path &virtualbox_xml, const names::Places &places) {
  std::vector<fs::path> out;
  for (const auto &[uuid, machine] : registered_entries(virtualbox_xml, places)) out.push_back(machine);
  return out;
}

std::vector<RegisteredMachine> registered_machines(const fs::path &virtualbox_xml, const names::Places &places) {
  std::vector<RegisteredMachine> out;
  for (const auto &[uuid, machine] : registered_entries(virtualbox_xml, places)) {
    RegisteredMachine entry{machine, uuid.value_or(Uuid{}), machine.stem().string()};
    try {
      const xml::Element settings = xml::parse(read_settings_file(machine), machine);
      const xml::Element *element = settings.child("Machine");
      const std::string *name = element == nullptr ? nullptr : element->attribute("name");
      if (name != nullptr && !name->empty()) entry.name = *name;
    } catch (const Error &) {
      // A machine that cannot be read is still a machine that is registered: the stem names it.
    }
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace ferry::vbox
