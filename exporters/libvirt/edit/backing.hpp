// SPDX-License-Identifier: Apache-2.0
// Which disks of a domain still read another image than their own.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "exporters/virtio.hpp"

namespace ferry::libvirt::edit {

// Of a domain that runs, as libvirt shows it then: with what it has found under each image.
[[nodiscard]] std::vector<target::BackedDisk> backed_disks(const std::string &live_xml);
// All disks in files that can be written to, of a domain that does not: what is under them, their headers say.
[[nodiscard]] std::vector<target::BackedDisk> file_disks(const std::string &domain_xml);
// A domain's definition without what it says of images under those of `files`, which stand alone now; nullopt where it
// says nothing of that kind.
[[nodiscard]] std::optional<std::string> without_backing(const std::string &domain_xml,
                                                         const std::vector<std::filesystem::path> &files);

}  // namespace ferry::libvirt::edit
