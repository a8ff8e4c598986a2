// SPDX-License-Identifier: Apache-2.0
// What every importer is given and gives back.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/machine.hpp"

#include "support/file.hpp"
#include "support/file_names.hpp"

namespace ferry {

struct ImportOptions {
  // VirtualBox's own registry file (VirtualBox.xml) to resolve media and linked clones; empty: look for it where
  // VirtualBox keeps it ($VBOX_USER_HOME, ~/.config/VirtualBox, ~/.VirtualBox), and do without when it is not there.
  std::filesystem::path virtualbox_registry;
  bool use_host_registry = true;  // false: never look outside the source (tests, recorded plans)
  // The snapshots are wanted: a list of them that the system refuses to read is an error, not a finding.
  bool snapshots_needed = false;
  // Where else images may be: folders of the user's, mounted Windows drives.
  names::Places places;
  // What becomes of a disk's changes that its platform has not made a part of it: a redo log of VMware's, the image
  // over an immutable disk of VirtualBox's. true: they become one; false: they are left behind; nullopt: so they are
  // too, and nobody has asked for that.
  std::optional<bool> keep_disk_changes;
  // OVF: which deployment option selects the Items; empty: the default one.
  std::string ovf_configuration;
  // OVF: values of properties, by their key, with or without the product's class and instance.
  std::map<std::string, std::string> ovf_properties;
  // Of the source, from the look at what it is; null: none was kept.
  std::shared_ptr<const file::Head> head;
  // QEMU commands: values of variables and arguments that the text leaves open; where relative paths begin; which of
  // several machines of one file (from 1).
  std::map<std::string, std::string> set;
  std::optional<std::filesystem::path> base;
  std::optional<std::size_t> machine;
};

}  // namespace ferry
