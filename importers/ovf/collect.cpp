// SPDX-License-Identifier: Apache-2.0
// Declarations: files, disks, networks and deployment configurations; properties are in properties.cpp (DSP0243
// "Envelope element", "DiskSection", "NetworkSection", "DeploymentOptionSection").
#include <algorithm>
#include <functional>

#include "importers/ovf/context.hpp"

#include "support/text.hpp"

namespace ferry::ovf {
namespace {

// Two declarations of one id that say different things: whoever refers to the id means one of them, and nobody can tell
// which. A declaration that is only repeated is harmless.
void refuse_duplicate(const SettingsReader &second, std::string_view what, const std::string &id,
                      const std::string &one, const std::string &other) {
  if (one == other) return;
  throw Error(
      ErrorKind::malformed,
      {.where = second.place(),
       .message = "two " + std::string(what) + " of the package have the id " + in_quotes(id),
       .found = one + " and " + other,
       .expected = "a different id for each",
       .advice =
           "Give one of them another id in the descriptor and wherever it is meant, or export the machine again."});
}

std::string href_of(const SettingsReader &file) { return in_quotes(peek_attribute(file, "href").value_or("")); }

// What makes a disk the one that it is, for messages: its file and where that lies, its parent and its size.
std::string described_disk(const Context &in, const SettingsReader &disk) {
  std::string out = "one without a file";
  if (const auto id = peek_attribute(disk, "fileRef")) {
    const auto hit = in.files.find(*id);
    out = "the file " + in_quotes(*id) + (hit == in.files.end() ? "" : ", " + href_of(hit->second));
  }
  if (const auto parent = peek_attribute(disk, "parentRef")) out += ", on top of " + in_quotes(*parent);
  if (const auto capacity = peek_attribute(disk, "capacity"))
    out +=
        ", of " + text::printable(*capacity + " " + peek_attribute(disk, "capacityAllocationUnits").value_or("bytes"));
  return out;
}

void collect_files(Context &in) {
  const auto references = in.envelope.child("References");
  if (!references) return;
  for (const SettingsReader &file : references->children("File")) {
    const auto id = peek_attribute(file, "id");
    if (id && !in.files.emplace(*id, file).second) {
      refuse_duplicate(file, "files", *id, href_of(in.files.at(*id)), href_of(file));
      in.raise(finding::kElementUnknown, file.place("id"),
               "two files of the package have the id " + in_quotes(*id) + "; the first one is used");
    }
  }
}

void collect_disks(Context &in, const Section &section) {
  for (const SettingsReader &disk : section.reader.children()) {
    const std::string &name = disk.element().name;
    if (name != "Disk" && name != "SharedDisk") continue;
    const auto id = peek_attribute(disk, "diskId");
    if (id && !in.disks.emplace(*id, disk).second) {
      refuse_duplicate(disk, "disks", *id, described_disk(in, in.disks.at(*id)), described_disk(in, disk));
      in.raise(finding::kElementUnknown, disk.place("diskId"),
               "two disks of the package have the id " + in_quotes(*id) + "; the first one is used");
    }
  }
}

// vCloud's <NetworkConfig networkName="..."> with <FenceMode>isolated</FenceMode>: bridged and natRouted lead out.
void collect_isolated(Context &in, const SettingsReader &section) {
  const std::function<bool(const xml::Element &)> fenced = [&](const xml::Element &element) {
    return (element.name == "FenceMode" && text::iequals_ascii(text::trim(element.text), "isolated")) ||
           std::any_of(element.children.begin(), element.children.end(), fenced);
  };
  for (const SettingsReader &network : section.children("NetworkConfig")) {
    const auto name = peek_attribute(network, "networkName");
    if (name && fenced(network.element())) in.isolated.insert(*name);
  }
}

void choose_configuration(Context &in, const Section &section) {
  std::vector<std::string> ids;
  std::string chosen;
  for (const SettingsReader &configuration : section.reader.children("Configuration")) {
    const auto id = peek_attribute(configuration, "id");
    if (!id) continue;
    ids.push_back(*id);
    const auto is_default = peek_attribute(configuration, "default");
    if (is_default && (*is_default == "true" || *is_default == "1") && chosen.empty()) chosen = *id;
  }
  if (ids.empty()) return;
  if (chosen.empty()) chosen = ids.front();  // DSP0243: without a default the first one is it
  std::string list;
  for (const std::string &id : ids) list += (list.empty() ? "" : ", ") + id;
  const std::string &wanted = in.options.ovf_configuration;
  if (!wanted.empty()) {
    if (std::find(ids.begin(), ids.end(), wanted) == ids.end()) {
      throw Error(ErrorKind::usage, {.where = section.reader.place(),
                                     .message = "the package has no such deployment configuration",
                                     .found = in_quotes(wanted),
                                     .expected = "one of " + text::printable(list)});
    }
    chosen = wanted;
  }
  in.configuration = chosen;
  in.raise(finding::kConfiguration, section.reader.place(),
           "the deployment configuration " + in_quotes(chosen) + " is used, out of " + text::printable(list));
}

}  // namespace

void collect_declarations(Context &in) {
  collect_files(in);
  std::vector<SettingsReader> levels{in.envelope};
  levels.insert(levels.end(), in.contents.begin(), in.contents.end());
  for (const SettingsReader &level : levels) {
    for (const Section &section : sections(level)) {
      if (section.name == "DiskSection" || section.name == "SharedDiskSection") collect_disks(in, section);
      if (section.name == "DeploymentOptionSection") choose_configuration(in, section);
      if (section.name == "NetworkConfigSection") collect_isolated(in, section.reader);
      if (section.name == "NetworkSection") {
        for (const SettingsReader &network : section.reader.children("Network")) {
          if (const auto name = peek_attribute(network, "name")) in.networks.emplace(*name, network);
        }
      }
    }
  }
  collect_properties(in);
}

std::optional<std::string> substitute(const Context &in, const std::string &text) {
  const std::string_view trimmed = text::trim(text);
  if (!trimmed.starts_with("${") || !trimmed.ends_with("}")) return std::string(trimmed);
  const auto hit = in.properties.find(std::string(trimmed.substr(2, trimmed.size() - 3)));
  if (hit == in.properties.end()) return std::nullopt;
  return hit->second;
}

std::string in_quotes(std::string_view text) { return "\"" + text::printable(text) + "\""; }

std::optional<std::string> peek(const SettingsReader &element, std::string_view child) {
  const xml::Element *found = element.element().child(child);
  if (found == nullptr || found->text.empty()) return std::nullopt;
  return found->text;
}

std::optional<std::string> peek_attribute(const SettingsReader &element, std::string_view name) {
  const std::string *value = element.element().attribute(name);
  if (value == nullptr || value->empty()) return std::nullopt;
  return *value;
}

}  // namespace ferry::ovf
