// SPDX-License-Identifier: Apache-2.0
// Amounts and their units, as OVF writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ferry::ovf {

// How many bytes one unit is: "byte * 2^20", "byte*10^9", "bytes", "MegaBytes", "MB", "GiB", "kilobytes". A bare
// "megabyte" is 2^20, as all exporters mean it. nullopt for what is not a unit of size ("hertz * 10^6", "percent").
[[nodiscard]] std::optional<std::uint64_t> bytes_per_unit(std::string_view units);

// amount * units in bytes; the amount may have a fraction ("0.5"). nullopt when it is not a number, negative or too
// large.
[[nodiscard]] std::optional<std::uint64_t> to_bytes(std::string_view amount, std::uint64_t unit);

}  // namespace ferry::ovf
