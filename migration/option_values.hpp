// SPDX-License-Identifier: Apache-2.0
// Options by name, as the command line and a batch manifest write them: one list for both.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "migration/options.hpp"

namespace ferry::migration {

struct OptionSpec {
  std::string_view name;   // "mac"
  std::string_view value;  // what --help shows for the value; empty: a flag
  std::string_view help;
  std::string_view group;  // heading in --help
  bool repeatable = false;
};

[[nodiscard]] std::span<const OptionSpec> option_specs();

// Sets option `name` from its text; a flag takes "true" or "false". Throws Error usage with what was found and
// what is expected.
void apply_option(Options &options, std::string_view name, const std::string &value);

}  // namespace ferry::migration
