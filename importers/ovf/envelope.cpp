// SPDX-License-Identifier: Apache-2.0
// OVF descriptors: DMTF DSP0243 1.0 to 2.1 (sections are elements of their own) and the 0.9 draft that VMware and
// VirtualBox wrote (all sections are <Section xsi:type="ovf:..._Type">, systems <Content xsi:type="...">). Known
// deviants: 0.9 namespaces with other prefixes, sections inside a virtual system that belong to the envelope.
#include "importers/ovf/envelope.hpp"

#include <algorithm>
#include <utility>

namespace ferry::ovf {
namespace {

constexpr std::string_view kXsi = "http://www.w3.org/2001/XMLSchema-instance";

// Each machine gets the shared sections with a ledger of its own; a package that multiplies many machines by long
// sections would fill the memory. Real packages have a few dozen machines and some thousand settings.
constexpr std::size_t kMaxShared = 1000000;  // settings of the shared sections, times machines
constexpr std::size_t kMaxWork = 50000000;   // settings of the whole descriptor, times machines

bool is_system(const std::string &name) { return name == "VirtualSystem"; }
bool is_collection(const std::string &name) {
  return name == "VirtualSystemCollection" || name == "MultipleVirtualSystem";  // the latter: 2.x drafts
}

void find_systems(const xml::Element &element, std::vector<const xml::Element *> &out) {
  for (const xml::Element &below : element.children) {
    const std::string name = section_name(below);
    if (is_system(name)) out.push_back(&below);
    if (is_collection(name)) find_systems(below, out);
  }
}

bool contains(const xml::Element &element, const xml::Element *target) {
  return &element == target || std::any_of(element.children.begin(), element.children.end(),
                                           [&](const xml::Element &below) { return contains(below, target); });
}

// A copy without the other virtual systems.
xml::Element pruned(const xml::Element &element, const xml::Element *system) {
  xml::Element out{element.name, element.space, element.text, element.line, element.path, element.attributes, {}};
  for (const xml::Element &below : element.children) {
    const std::string name = section_name(below);
    if (!is_system(name) && !is_collection(name)) {
      out.children.push_back(below);
    } else if (&below == system) {
      out.children.push_back(below);
    } else if (is_collection(name) && contains(below, system)) {
      out.children.push_back(pruned(below, system));
    }
  }
  return out;
}

std::size_t weight(const xml::Element &element) {
  std::size_t sum = 1 + element.attributes.size();
  for (const xml::Element &below : element.children) sum += weight(below);
  return sum;
}

void check_size(const xml::Element &envelope, const std::vector<const xml::Element *> &systems, const Place &where) {
  const std::size_t all = weight(envelope);
  std::size_t own = 0;
  for (const xml::Element *system : systems) own += weight(*system);
  if ((all - own) * systems.size() <= kMaxShared && all * systems.size() <= kMaxWork) return;
  throw Error(ErrorKind::unsupported,
              {.where = where,
               .message = "the package has too many machines for its size",
               .found = std::to_string(systems.size()) + " machines, " + std::to_string(all) + " settings",
               .expected = "a few dozen machines",
               .advice = "Split the package into several."});
}

xml::Element *only_system(xml::Element &element) {
  for (xml::Element &below : element.children) {
    const std::string name = section_name(below);
    if (is_system(name)) return &below;
    if (is_collection(name)) {
      if (xml::Element *found = only_system(below)) return found;
    }
  }
  return nullptr;
}

SystemTree take_virtualbox_machine(xml::Element envelope) {
  SystemTree out{std::move(envelope), std::nullopt};
  xml::Element &system = *only_system(out.envelope);
  const auto machine = std::find_if(system.children.begin(), system.children.end(), [](const xml::Element &below) {
    return below.name == "Machine" && below.space.find("virtualbox.org") != std::string::npos;
  });
  if (machine != system.children.end()) {
    out.virtualbox_machine = std::move(*machine);
    system.children.erase(machine);
  }
  return out;
}

}  // namespace

std::string section_name(const xml::Element &element) {
  if (element.name != "Section" && element.name != "Content") return element.name;
  for (const xml::Attribute &attr : element.attributes) {
    if (attr.name != "type" || attr.space != kXsi) continue;
    std::string name = attr.value.substr(attr.value.rfind(':') + 1);  // npos + 1 is 0
    if (name.ends_with("_Type")) name.resize(name.size() - 5);
    return name;
  }
  return element.name;
}

std::string version_of(const xml::Element &envelope) {
  const std::string &space = envelope.space;
  if (space == "http://www.vmware.com/schema/ovf/1/envelope") return "0.9";
  if (space == "http://schemas.dmtf.org/ovf/1/envelope") return "1";  // as ovftool's first versions wrote it
  if (space == "http://schemas.dmtf.org/ovf/envelope/1") return "1";
  if (space == "http://schemas.dmtf.org/ovf/envelope/1/") return "1";  // oVirt
  if (space == "http://schemas.dmtf.org/ovf/envelope/2") return "2";
  return space;
}

std::vector<SystemTree> split_systems(xml::Element envelope, const std::filesystem::path &file) {
  if (envelope.name != "Envelope") {
    throw Error(ErrorKind::malformed, {.where = {.file = file, .line = envelope.line, .path = envelope.path},
                                       .message = "the file is not an OVF descriptor",
                                       .found = "<" + envelope.name + ">",
                                       .expected = "<Envelope>"});
  }
  std::vector<const xml::Element *> systems;
  find_systems(envelope, systems);
  if (systems.empty()) {
    throw Error(ErrorKind::malformed, {.where = {.file = file, .line = envelope.line, .path = envelope.path},
                                       .message = "the package describes no virtual machine",
                                       .found = "an envelope without a VirtualSystem",
                                       .expected = "at least one VirtualSystem",
                                       .advice = "Export the machine again."});
  }
  std::vector<SystemTree> out;
  if (systems.size() == 1) {
    out.push_back(take_virtualbox_machine(std::move(envelope)));
    return out;
  }
  check_size(envelope, systems, {file, envelope.line, envelope.path});
  for (const xml::Element *system : systems) out.push_back(take_virtualbox_machine(pruned(envelope, system)));
  return out;
}

std::vector<Section> sections(const SettingsReader &content) {
  std::vector<Section> out;
  for (const SettingsReader &below : content.children()) {
    std::string name = section_name(below.element());
    if (!is_system(name) && !is_collection(name)) out.push_back({std::move(name), below});
  }
  return out;
}

std::vector<SettingsReader> contents(const SettingsReader &envelope) {
  std::vector<SettingsReader> out;
  std::vector<SettingsReader> level = envelope.children();
  while (!level.empty()) {
    const auto next = std::find_if(level.begin(), level.end(), [](const SettingsReader &below) {
      const std::string name = section_name(below.element());
      return is_system(name) || is_collection(name);
    });
    if (next == level.end()) break;
    out.push_back(*next);
    if (is_system(section_name(next->element()))) break;
    // The assignment of `level` from one of its own elements' children needs the element to live on.
    const SettingsReader inner = *next;
    level = inner.children();
  }
  return out;
}

}  // namespace ferry::ovf
