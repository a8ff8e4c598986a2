// SPDX-License-Identifier: Apache-2.0
// Vagrant boxes (https://developer.hashicorp.com/vagrant/docs/boxes/format): a tar, mostly gzip'd, whose members come
// in any order, or the folder that Vagrant unpacked one into. metadata.json names the provider, which decides what else
// is in it:
//   virtualbox      an OVF package: read by importers/ovf
//   vmware_desktop  (also vmware_fusion, vmware_workstation) a .vmx and its .vmdk files: read by importers/vmx
//   libvirt         disk images and no description of the hardware: the machine is what vagrant-libvirt makes of it
// The Vagrantfile in the box is a Ruby program. It is not run: lines that assign plain values are taken.
// Facts: vagrant-libvirt's documentation and its domain.xml.erb [read]; boxes of Debian, Fedora and bento [seen].
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "importers/common.hpp"

#include "support/gzip.hpp"

namespace ferry::vagrant {

// An archive that may be a box. One for VirtualBox is, too, where its disk comes before its descriptor. Never throws.
// `head`: as ovf::looks_like_ova() has it.
[[nodiscard]] bool looks_like_box(const std::filesystem::path &file, file::Head *head = nullptr);
// The metadata.json of a box for libvirt that is unpacked.
[[nodiscard]] bool looks_like_metadata(std::string_view text);

// Reads a box, or the metadata.json of one that is unpacked. Throws Error malformed/missing/unsupported, and what the
// importers of OVF packages and .vmx files throw.
[[nodiscard]] std::vector<ImportedMachine> import_file(const std::filesystem::path &file, const ImportOptions &options);

// Where the files of a machine are that lies in a box; nullptr for machines that do not.
class Box;
[[nodiscard]] const Box *box_of(const ImportedMachine &imported);

}  // namespace ferry::vagrant
