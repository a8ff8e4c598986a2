// SPDX-License-Identifier: Apache-2.0
// A Boot#### variable (EFI_LOAD_OPTION) and its short form.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "support/error.hpp"

namespace ferry::firmware {

// The number of a variable named "Boot" and four upper case hex digits; nullopt for any other name.
[[nodiscard]] std::optional<std::uint16_t> boot_number(std::u16string_view name);
[[nodiscard]] std::u16string boot_name(std::uint16_t number);

struct BootOption {
  std::uint32_t attributes = 0;  // those that the UEFI specification defines
  std::u16string description;
  std::vector<std::uint8_t> path;      // device path from the partition on, with its end node
  std::vector<std::uint8_t> optional;  // what the loader gets; Windows needs it
  std::u16string file;                 // the file on the partition: "\EFI\debian\grubx64.efi"
};

// Why an entry cannot be found on other hardware.
enum class Unportable {
  made_by_firmware,  // marked as made at boot: the new firmware makes its own
  no_partition,      // names a whole disk, a drive, a network card or the firmware itself
  no_signature,      // the partition is named by its place on the disk only
  no_file,           // a partition, but no file on it
  malformed,
};
[[nodiscard]] std::string_view explain(Unportable reason);

struct ParsedOption {
  std::u16string description;                    // "" when not even that can be read
  std::variant<BootOption, Unportable> outcome;  // in short form, or why not
};

// Reads a load option and cuts its path to the short form, HD(...)/File(...), by which firmware finds the partition
// on whatever controller it is. Never throws for content.
[[nodiscard]] ParsedOption parse_boot_option(std::span<const std::uint8_t> data);
[[nodiscard]] std::vector<std::uint8_t> serialise(const BootOption &option);

}  // namespace ferry::firmware
