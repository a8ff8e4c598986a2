// SPDX-License-Identifier: Apache-2.0
// Media registries: which image files exist, and which is whose differencing child.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "importers/common.hpp"
#include "importers/settings_reader.hpp"
#include "importers/vbox/version.hpp"
#include "model/finding.hpp"
#include "model/medium.hpp"

namespace ferry::vbox {

enum class MediumKind { disk, dvd, floppy };

// One medium as a registry lists it.
struct RegisteredMedium {
  Uuid uuid;
  MediumKind kind = MediumKind::disk;
  std::optional<Uuid> parent;  // of a differencing image: the medium whose element holds this one
  std::string location, format;
  std::optional<std::string> type;  // of base images only
  bool auto_reset = false;
  bool encrypted = false;
  bool ambiguous = false;                         // the same file lists this UUID again with other content
  std::map<std::string, std::string> properties;  // without secrets
  std::filesystem::path folder;                   // of the settings file that lists it, absolute
  Place origin;
  // The element, when it stands in the machine's own file: its settings are in the machine's ledger.
  std::optional<SettingsReader> element;
};

// The media of one or several files. Of two files that list the same UUID the one that was read first counts.
class Registry {
 public:
  // Reads a <MediaRegistry> (or <DiskRegistry>, before 1.4). `keep_elements`: the reader's ledger is the machine's.
  // Throws Error malformed for media without a UUID or location.
  void read(const SettingsReader &registry, const std::filesystem::path &folder, bool keep_elements);

  [[nodiscard]] const RegisteredMedium *find(const Uuid &uuid) const;
  // Base image first, `uuid` last; empty when it is not listed.
  [[nodiscard]] std::vector<const RegisteredMedium *> chain(const Uuid &uuid) const;
  [[nodiscard]] const std::map<Uuid, RegisteredMedium> &all() const { return media_; }

 private:
  void read_disk(const SettingsReader &element, const std::optional<Uuid> &parent, const std::filesystem::path &folder,
                 bool keep_elements);
  void add(RegisteredMedium medium);
  std::map<Uuid, RegisteredMedium> media_;
};

// The machine's own registry, and behind it the other files of the host: opened only when a UUID is missing.
class MediaLibrary {
 public:
  // `machine_file` is absolute. Findings about unreadable files go to `findings`.
  MediaLibrary(std::filesystem::path machine_file, ImportOptions options, std::vector<Finding> &findings);

  Registry &own() { return own_; }
  // Base image first, the wanted one last; empty when no file lists it. Throws Error missing when the
  // VirtualBox.xml that the options name is not there.
  [[nodiscard]] std::vector<const RegisteredMedium *> chain(const Uuid &uuid);

 private:
  void open_global();
  void open_machine_listing(const Uuid &uuid, const std::filesystem::path &machine_file);
  void read_foreign(const std::filesystem::path &file, const std::string &bytes);
  std::filesystem::path machine_file_;
  ImportOptions options_;
  std::vector<Finding> &findings_;
  Registry own_, foreign_;
  bool global_opened_ = false;
  std::vector<std::filesystem::path> machines_;  // other machines of the host, absolute
  std::set<std::filesystem::path> read_;
};

// The <MachineEntry> elements of a parsed VirtualBox.xml in `folder`, with their files resolved for this host
// (as written, made absolute, when there is nothing).
[[nodiscard]] std::vector<std::pair<std::optional<Uuid>, std::filesystem::path>> machine_entries(
    const xml::Element &root, const std::filesystem::path &folder, const names::Places &places);

}  // namespace ferry::vbox
