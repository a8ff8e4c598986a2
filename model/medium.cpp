// SPDX-License-Identifier: Apache-2.0
#include "model/medium.hpp"

namespace ferry {

std::filesystem::path ImageFile::display_path() const {
  return pieces.empty() ? std::filesystem::path(declared_location) : pieces.front().file;
}

}  // namespace ferry
