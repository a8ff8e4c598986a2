// SPDX-License-Identifier: Apache-2.0
// What the present and the old form of storage settings share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "importers/vbox/scope.hpp"

namespace ferry::vbox {

constexpr unsigned kMostDrivePorts = 4096;

// So far; all kinds of IDE are one.
[[nodiscard]] unsigned count_of_type(const Scope &scope, ControllerType type);
// Throws Error unsupported for one that is not known.
[[nodiscard]] ControllerType controller_type(const SettingsReader &element, const std::string &field);
// Where controller `index` is in the model.
[[nodiscard]] std::string controller_field(const Scope &scope, std::size_t index);

// For messages.
[[nodiscard]] std::string drive_name(const Controller &controller, const Drive &drive);
// Throws Error malformed when another drive is there.
void check_free(const Controller &controller, const Drive &drive, const Place &where);
// <Image uuid> or <HostDrive src>, below `element`.
void read_content(Scope &scope, const SettingsReader &element, const Controller &controller, const std::string &at,
                  Drive &drive);
// An <AttachedDevice>; `at` is the controller in the model.
void read_drive(Scope &scope, const SettingsReader &element, const std::string &at, Controller &controller);
// In the order of their places, which VirtualBox goes by, not of the file.
[[nodiscard]] std::vector<SettingsReader> drives_in_order(const SettingsReader &controller);
// What an attribute says as a number, for sorting only; reading it reports what is wrong with it.
[[nodiscard]] std::uint64_t sort_number(const SettingsReader &element, std::string_view attribute);

// ---- old_storage.cpp ----

void read_old_storage(Scope &scope);

}  // namespace ferry::vbox
