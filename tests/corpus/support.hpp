// SPDX-License-Identifier: Apache-2.0
// The corpus of real machines, planned: what the tests of this folder share.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exporters/libvirt/host/connection.hpp"
#include "migration/plan.hpp"
#include "migration/source.hpp"
#include "tests/kit/corpus.hpp"
#include "tests/kit/folder.hpp"

namespace ferry::corpus {

using Scratch = ferry::test::TempFolder;

// Unpacks "virtualbox-6.1" and gives its root; the images are sparse. An empty path when tar or xz is missing.
[[nodiscard]] std::filesystem::path unpack(const std::string &name, const Scratch &scratch);

// Settings files, with backups, and packages below `root`, sorted.
[[nodiscard]] std::vector<std::filesystem::path> machine_files(const std::filesystem::path &root);

// Looks at nothing but the source and, in an unpacked archive, its VirtualBox.xml.
[[nodiscard]] ImportOptions import_options(const std::filesystem::path &file, const std::filesystem::path &root);

// The recorded Debian 12.
[[nodiscard]] const libvirt::HostProfile &host();

// libvirt's QEMU driver in this process; nullptr where there is none.
[[nodiscard]] libvirt::Connection *real_libvirt();

// "relative path" -> digest, of all expected.sha256 below `root`. OVA members are "x.ova!member".
[[nodiscard]] std::map<std::string, std::string> expected_digests(const std::filesystem::path &root);

}  // namespace ferry::corpus
