// SPDX-License-Identifier: Apache-2.0
// QEMU's options as QEMU 7.2 has them (qemu-options.def), and those of older versions that scripts still hold.
#pragma once

#include <string_view>

namespace ferry::qemu {

struct OptionSpec {
  enum class Form {
    flag,   // no argument
    plain,  // an argument that is one value
    keys,   // "a=b,c=d"
  };
  std::string_view name;  // without the dash
  Form form = Form::flag;
  std::string_view first = {};  // of keys: what the first word means when it has no key
  std::string_view alias = {};  // the option that it is another name of
  bool removed = false;         // QEMU 7.2 has it no longer
};

// Takes "-m" and "--m"; null for what QEMU does not know.
[[nodiscard]] const OptionSpec *find_option(std::string_view word);

}  // namespace ferry::qemu
