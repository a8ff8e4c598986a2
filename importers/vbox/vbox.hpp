// SPDX-License-Identifier: Apache-2.0
// VirtualBox machine settings (.vbox), every settings version.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "importers/common.hpp"

#include "support/xml.hpp"

namespace ferry::vbox {

// Reads a .vbox file (or a machine settings file named .xml by old versions). One machine.
// Throws Error malformed/missing/encrypted/unsupported with file, line and path.
[[nodiscard]] ImportedMachine import_file(const std::filesystem::path &file, const ImportOptions &options);

// Reads a `vbox:Machine` element that stands inside an OVF. Its media carry no files: each drive's medium has one
// image with uuid and declared_location only, for the OVF importer to replace. `nvram` gets the path that <NVRAM> names
// on the exporter's host, when the machine uses its variables.
[[nodiscard]] ImportedMachine import_embedded(const xml::Element &machine, const std::filesystem::path &ovf_file,
                                              const ImportOptions &options, std::string *nvram = nullptr);

// True when `head` (the first KiB of a file, or more) looks like VirtualBox settings.
[[nodiscard]] bool looks_like_vbox(std::string_view head);

// A machine that VirtualBox.xml registers on this host.
struct RegisteredMachine {
  std::filesystem::path file;  // of its .vbox
  Uuid uuid;
  std::string name;  // from the .vbox; the file's stem when that cannot be read
};
// Reads the MachineRegistry of a VirtualBox.xml; `places` maps the drives of a Windows host. Throws Error malformed/io.
[[nodiscard]] std::vector<RegisteredMachine> registered_machines(const std::filesystem::path &virtualbox_xml,
                                                                 const names::Places &places = {});
// Their files alone, none of which is opened.
[[nodiscard]] std::vector<std::filesystem::path> registered_files(const std::filesystem::path &virtualbox_xml,
                                                                  const names::Places &places = {});
// Where VirtualBox.xml is for the current user; empty when there is none.
[[nodiscard]] std::filesystem::path host_registry();

}  // namespace ferry::vbox
