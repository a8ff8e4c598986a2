// SPDX-License-Identifier: Apache-2.0
// Releases of macOS by their names, where a source has no field for them: "macos-ventura", "HighSierra.qcow2".
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace ferry {

// The kernels (GuestOs::darwin) of all releases that the text names: "Monterey", "big-sur", "macOS 13", "OSX-10.11".
// A name counts only as a word: "medallion" is no Lion. Empty when there is none.
[[nodiscard]] std::set<unsigned> darwins_named_in(std::string_view text);

// "macOS 13 Ventura", "OS X 10.11 El Capitan"; empty for a kernel that no known release has.
[[nodiscard]] std::string macos_name(unsigned darwin);

}  // namespace ferry
