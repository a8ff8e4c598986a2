// SPDX-License-Identifier: Apache-2.0
// The descriptor's syntax: an envelope becomes one tree for each virtual system in it, with the sections under
// their OVF 1.x names whatever the version.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "importers/settings_reader.hpp"

namespace ferry::ovf {

// "DiskSection" also for OVF 0.9's <Section xsi:type="ovf:DiskSection_Type">, "VirtualSystem" and
// "VirtualSystemCollection" also for its <Content>.
[[nodiscard]] std::string section_name(const xml::Element &element);

// The envelope as one virtual system sees it: the shared sections, the collections around it, itself.
struct SystemTree {
  xml::Element envelope;
  std::optional<xml::Element> virtualbox_machine;  // taken out of it: VirtualBox's own description
};

// "0.9", "1" or "2" from the envelope's namespace; the namespace itself when it is none of them.
[[nodiscard]] std::string version_of(const xml::Element &envelope);

// Takes the descriptor apart. Throws Error malformed when the root is no envelope or no virtual system is in it.
[[nodiscard]] std::vector<SystemTree> split_systems(xml::Element envelope, const std::filesystem::path &file);

struct Section {
  std::string name;
  SettingsReader reader;
};
// The sections directly in an envelope, collection or system, in order; nested systems are not among them.
[[nodiscard]] std::vector<Section> sections(const SettingsReader &content);

// The collections from outside to inside, then the system itself.
[[nodiscard]] std::vector<SettingsReader> contents(const SettingsReader &envelope);

}  // namespace ferry::ovf
