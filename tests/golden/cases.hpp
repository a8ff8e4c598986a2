// SPDX-License-Identifier: Apache-2.0
// The golden cases, fixtures/<importer>/<case>/, and the comparison with what is expected of them.
#pragma once

#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "model/machine.hpp"

namespace ferry::test {

// Their folders, sorted.
[[nodiscard]] std::vector<std::filesystem::path> golden_cases();
// "vbox_bios_ide": for INSTANTIATE_TEST_SUITE_P.
[[nodiscard]] std::string golden_case_name(const testing::TestParamInfo<std::filesystem::path> &tested);
// What the case's source holds. Throws Error as the importer does.
[[nodiscard]] std::vector<ImportedMachine> machines_of(const std::filesystem::path &folder);
// Fails where the file has another content; with UPDATE_GOLDEN in the environment it is written.
void compare_golden(const std::filesystem::path &file, const std::string &actual);

}  // namespace ferry::test
