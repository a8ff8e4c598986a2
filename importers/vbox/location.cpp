// SPDX-License-Identifier: Apache-2.0
#include "importers/vbox/location.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>

#include "support/error.hpp"

namespace ferry::vbox {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxSettingsBytes = std::uintmax_t{64} << 20U;  // as model/support/xml.hpp

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A folder of the image's name is no image: skip it.
bool usable(const fs::path &path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  return fs::exists(status) && !fs::is_directory(status);
}

bool attempt(Resolved &result, const fs::path &candidate) {
  const fs::path normal = candidate.lexically_normal();
  if (std::find(result.tried.begin(), result.tried.end(), normal) != result.tried.end()) return false;
  result.tried.push_back(normal);
  if (!usable(normal)) return false;
  result.file = normal;
  return true;
}

// "a/b/c" -> {"a/b/c", "b/c", "c"}; parts that climb are left out, so a tail never leaves the folder it is tried in.
std::vector<fs::path> tails(const fs::path &path) {
  std::vector<fs::path> parts;
  for (const fs::path &part : path.relative_path()) {
    if (part == "..") {
      parts.clear();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  std::vector<fs::path> out;
  for (auto from = parts.begin(); from != parts.end(); ++from) {
    fs::path tail;
    std::for_each(from, parts.end(), [&tail](const fs::path &part) { tail /= part; });
    out.push_back(tail);
  }
  return out;
}

}  // namespace

bool is_windows_path(std::string_view location) {
  if (location.starts_with("\\\\")) return true;
  return location.size() >= 3 && is_letter(location[0]) && location[1] == ':' &&
         (location[2] == '\\' || location[2] == '/');
}

std::string with_slashes(std::string_view location) {
  const bool drive = is_windows_path(location) && !location.starts_with("\\\\");
  if (!is_windows_path(location) && location.find('\\') == std::string_view::npos) return std::string(location);
  std::string out(drive ? location.substr(2) : location);
  std::replace(out.begin(), out.end(), '\\', '/');
  return out;
}

Resolved resolve(std::string_view location, const fs::path &folder) {
  constexpr std::size_t kLongestTail = 8;  // components; more never happen between a host's home and an image
  Resolved result;
  if (location.empty()) return result;
  const fs::path written{std::string(location)};
  if (!is_windows_path(location) && attempt(result, written.is_absolute() ? written : folder / written)) return result;
  const fs::path slashed{with_slashes(location)};
  if (!is_windows_path(location) && slashed != written && slashed.is_relative() && attempt(result, folder / slashed)) {
    return result;
  }
  std::vector<fs::path> candidates = tails(slashed);
  if (candidates.size() > kLongestTail) {
    candidates.erase(candidates.begin(), candidates.end() - static_cast<std::ptrdiff_t>(kLongestTail));
  }
  for (const fs::path &tail : candidates) {
    if (attempt(result, folder / tail)) break;
  }
  const fs::path above = folder.parent_path();
  for (const fs::path &tail : candidates) {
    // A bare name in the folder above could be anybody's; with its own folder's name it is a sibling machine's.
    if (result.file || !tail.has_parent_path()) break;
    attempt(result, above / tail);
  }
  result.elsewhere = result.file.has_value();
  return result;
}

bool lies_below(const fs::path &file, const fs::path &folder) {
  const fs::path relative = file.lexically_normal().lexically_relative(folder.lexically_normal());
  return !relative.empty() && *relative.begin() != "..";
}

std::string read_settings_file(const fs::path &file) {
  std::error_code failed;
  const fs::file_status status = fs::status(file, failed);
  if (!fs::exists(status)) {
    throw Error(ErrorKind::missing,
                {.where = {file, {}, {}}, .message = "the file is not there", .advice = "Check the path."});
  }
  if (!fs::is_regular_file(status)) {
    throw Error(ErrorKind::io,
                {.where = {file, {}, {}}, .message = "this is not a regular file", .expected = "a settings file"});
  }
  const std::uintmax_t size = fs::file_size(file, failed);
  if (!failed && size > kMaxSettingsBytes) {
    throw Error(ErrorKind::malformed, {.where = {file, {}, {}},
                                       .message = "the settings file is too large",
                                       .found = std::to_string(size) + " bytes",
                                       .expected = "at most " + std::to_string(kMaxSettingsBytes) + " bytes"});
  }
  std::ifstream stream(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream.is_open() || stream.bad()) {
    throw Error(ErrorKind::io,
                {.where = {file, {}, {}},
                 .message = "the file cannot be read",
                 .advice = "Check its permissions; VirtualBox keeps machines readable by their owner only."});
  }
  return bytes;
}

}  // namespace ferry::vbox
