// SPDX-License-Identifier: Apache-2.0
// Names on the target: of the domain, its files and its snapshots.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "migration/options.hpp"

namespace ferry::migration {

// A name that libvirt takes and that is safe as the beginning of a file name: no '/', no control characters, no
// leading '.' or '-', at most 200 bytes, never empty. The same text when it already is one.
[[nodiscard]] std::string safe_name(std::string_view name);

// A safe_name() whose first 20 bytes end with a character: libvirt cuts there for its runtime folder.
[[nodiscard]] std::string domain_name(std::string_view name);

// The name of a machine for that target, and of its files: a domain_name(), or for a cluster a label of RFC 1123 of at
// most 50 bytes.
[[nodiscard]] std::string machine_name(TargetKind target, std::string_view name);

// A snapshot name that libvirt takes (no '/', not empty) and that is not in `taken`; adds it there.
[[nodiscard]] std::string unique_snapshot_name(std::string_view name, std::set<std::string> &taken);

// "NAME.qcow2", "NAME-2.qcow2": GNOME Boxes ties a volume to a domain by the first form (seen with Boxes 43).
[[nodiscard]] std::filesystem::path disk_file(const std::string &name, std::size_t index, std::string_view suffix);

// "NAME_VARS.fd", "NAME_VARS-2.fd": UEFI variables.
[[nodiscard]] std::filesystem::path store_file(const std::string &name, std::size_t index);

// "NAME-seed.iso": what the guest is told.
[[nodiscard]] std::filesystem::path seed_file(const std::string &name);

// `pattern` with each "{name}" replaced by `name`.
[[nodiscard]] bool is_name_pattern(std::string_view pattern);
[[nodiscard]] std::string name_by_pattern(std::string_view pattern, std::string_view name);
// `base`, or the first of "base-2", "base-3" ... that is not in `taken`.
[[nodiscard]] std::string numbered_name(const std::string &base, const std::set<std::string> &taken);
// Whether `name` is `base` or one of its numbered forms.
[[nodiscard]] bool is_numbered_form(std::string_view name, std::string_view base);

}  // namespace ferry::migration
