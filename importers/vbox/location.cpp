// SPDX-License-Identifier: Apache-2.0
#include "importers/vbox/location.hpp"

#include <system_error>

#include "support/error.hpp"
#include "support/file.hpp"
#include "support/on_host.hpp"
#include "support/xml.hpp"

namespace ferry::vbox {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxSettingsBytes = 2 * std::uintmax_t{xml::kMostBytes};  // UTF-16 is twice as long

}  // namespace

std::string read_settings_file(const fs::path &file) {
  std::error_code failed;
  const fs::file_status status = on_host::status(file, failed);
  if (!fs::exists(status)) {
    throw Error(ErrorKind::missing,
                {.where = {.file = file}, .message = "there is no such file", .advice = "Check the path."});
  }
  if (!fs::is_regular_file(status)) {
    throw Error(ErrorKind::io,
                {.where = {.file = file}, .message = "this is not a regular file", .expected = "a settings file"});
  }
  const std::uintmax_t size = on_host::file_size(file, failed);
  if (!failed && size > kMaxSettingsBytes) {
    throw Error(ErrorKind::malformed, {.where = {.file = file},
                                       .message = "the settings file is too large",
                                       .found = std::to_string(size) + " bytes",
                                       .expected = "at most " + std::to_string(kMaxSettingsBytes) + " bytes"});
  }
  return file::read_start(file, kMaxSettingsBytes);
}

}  // namespace ferry::vbox
