// SPDX-License-Identifier: Apache-2.0
// A folder that goes with the test, and the environment pointed into it.
#pragma once

#include <cstdlib>

#include "tests/kit/folder.hpp"

namespace ferry::tests {

class Scratch : public test::TempFolder {
 public:
  Scratch() {
    setenv("XDG_STATE_HOME", (path() / "state").c_str(), 1);
    setenv("HOME", path().c_str(), 1);
    unsetenv("VBOX_USER_HOME");
  }
  [[nodiscard]] const std::filesystem::path &folder() const { return path(); }
};

}  // namespace ferry::tests
