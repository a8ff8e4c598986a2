// SPDX-License-Identifier: Apache-2.0
// Stands in for the VirtualBox importer where a tree does not have it yet.
#include "importers/vbox/vbox.hpp"

namespace ferry::vbox {

ImportedMachine import_embedded(const xml::Element &, const std::filesystem::path &, const ImportOptions &) {
  throw Error(ErrorKind::unsupported, {.message = "this build has no VirtualBox importer"});
}

}  // namespace ferry::vbox
