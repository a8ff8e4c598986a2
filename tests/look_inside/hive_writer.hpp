// SPDX-License-Identifier: Apache-2.0
// Writes hives of Windows' registry, small and whole: one bin, a cell for each key, list and value.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "tests/kit/files.hpp"

namespace ferry::test {

struct HiveValue {
  std::string name;
  std::variant<std::uint32_t, std::string, std::vector<std::string>> data;  // DWORD, text, texts
};

struct HiveKey {
  std::string name;
  std::vector<HiveValue> values = {};
  std::vector<HiveKey> children = {};
  // The key at a path, made where it is missing.
  HiveKey &at(const std::string &path);
};

struct HiveOptions {
  std::uint32_t first_sequence = 7, second_sequence = 7;
  enum class Lists { hashed, old_hashed, plain, of_lists } lists = Lists::hashed;
};

// The root's name is Windows' own.
[[nodiscard]] Bytes make_hive(const HiveKey &root, const HiveOptions &options = {});

// A transaction log of Windows 8.1 and later with one entry, which gives the hive that sequence number.
[[nodiscard]] Bytes make_hive_log(std::uint32_t sequence);

// What a Windows has in SYSTEM and SOFTWARE. Services are {name, Start}.
struct WindowsSettings {
  std::string product = "Windows 10 Pro", build = "19045", release = "22H2", architecture = "AMD64";
  std::string product_type = "WinNT", computer = "DESKTOP-1";
  bool has_major = true;  // Windows 10 and later
  std::vector<std::pair<std::string, std::uint32_t>> services = {{"storahci", 0}, {"stornvme", 3}, {"intelide", 3}};
  std::uint32_t current = 1, last_known_good = 1;
};
[[nodiscard]] HiveKey system_hive(const WindowsSettings &settings);
[[nodiscard]] HiveKey software_hive(const WindowsSettings &settings);

}  // namespace ferry::test
