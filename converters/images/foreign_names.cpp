// SPDX-License-Identifier: Apache-2.0
// Facts: QEMU's docs/interop/qcow2.txt and qed_spec.txt. QCOW is big endian, QED little endian. Names are read as
// block.c reads them: relative to the image's folder, or with a protocol before a colon.
#include "converters/images/foreign_names.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "converters/images/format.hpp"

namespace ferry::image {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kLongestName = 1023;               // bytes, QCOW2's own limit
constexpr std::uint64_t kIncompatibleDataFile = 1U << 2U;  // the guest's data are in another file
constexpr std::uint32_t kExtensionDataFile = 0x44415441;   // its name
constexpr std::uint64_t kQedBacking = 1U << 0U;
constexpr std::size_t kLongestForeignChain = 1000;  // more than any that QEMU could open

std::string name_at(const SourceFile &source, std::uint64_t offset, std::uint64_t length, const Place &where) {
  require(length <= kLongestName, where, "a file name in the header is too long", length, "at most 1023 bytes");
  const auto bytes = read_bytes(source, offset, static_cast<std::size_t>(length));
  return {bytes.begin(), bytes.end()};
}

// The values of "filename" and "x.filename" at any depth: {"driver": "qcow2", "file": {"filename": "a.qcow2"}}, and
// what a string there names again ("json:..." in "json:...") is left alone, as no program writes it.
void add_file_names(const nlohmann::json &value, std::vector<std::string> &out) {
  if (!value.is_structured()) return;
  for (const auto &[key, child] : value.items()) {
    const bool names = key == "filename" || key.ends_with(".filename");
    if (names && child.is_string()) out.push_back(child.get<std::string>());
    add_file_names(child, out);
  }
}

// The files of this host that a name in the header of `image` stands for.
std::vector<fs::path> files_of(const std::string &name, const fs::path &image) {
  std::vector<std::string> names{name};
  if (name.starts_with("json:")) {
    names.clear();
    add_file_names(nlohmann::json::parse(name.substr(5), nullptr, false), names);
  } else if (name.starts_with("file:")) {
    names = {name.substr(5)};
  } else if (const std::size_t colon = name.find(':'); colon < name.find('/')) {
    return {};
  }
  std::vector<fs::path> out;
  for (const std::string &one : names) {
    if (!one.empty()) out.push_back((image.parent_path() / one).lexically_normal());
  }
  return out;
}

std::vector<fs::path> files_named_in(const fs::path &image) {
  std::vector<fs::path> out;
  try {
    ImageFile file;
    file.pieces.push_back({image, 0, std::nullopt});
    const ImageFormat format = detect_format(file);
    const bool qcow = format == ImageFormat::qcow || format == ImageFormat::qcow2;
    if (!qcow && format != ImageFormat::qed) return out;
    const auto source = open_source(file, nullptr);
    for (const NamedFile &named : qcow ? names_in_qcow(*source) : names_in_qed(*source)) {
      for (fs::path &found : files_of(named.name, image)) out.push_back(std::move(found));
    }
  } catch (const Error &) {
    return out;  // not an image, or not for this user to read
  }
  return out;
}

}  // namespace

std::vector<NamedFile> names_in_qcow(const SourceFile &source) {
  std::vector<NamedFile> out;
  const auto bytes = read_bytes(source, 0, static_cast<std::size_t>(std::min<std::uint64_t>(source.size(), 1U << 16U)));
  const ByteReader header(bytes, {.file = source.path()});
  const auto backing = header.big<std::uint64_t>(8, "backing file offset");
  const auto backing_length = header.big<std::uint32_t>(16, "backing file length");
  if (backing != 0 && backing_length != 0) {
    out.push_back({"a backing file", name_at(source, backing, backing_length, header.at(16, "backing file length")),
                   header.at(8, "backing file")});
  }
  if (header.big<std::uint32_t>(4, "version") < 3) return out;
  const auto features = header.big<std::uint64_t>(72, "incompatible features");
  if ((features & kIncompatibleDataFile) == 0) return out;
  std::string name = "(not named)";
  for (std::size_t at = header.big<std::uint32_t>(100, "header length"); at + 8 <= bytes.size();) {
    const auto type = header.big<std::uint32_t>(at, "header extension");
    const std::size_t length = header.big<std::uint32_t>(at + 4, "header extension's length");
    if (type == 0) break;
    if (type == kExtensionDataFile) name = name_at(source, at + 8, length, header.at(at, "data file name"));
    at += 8 + (length + 7) / 8 * 8;
  }
  out.push_back({"an external data file", name, header.at(72, "incompatible features")});
  return out;
}

std::vector<NamedFile> names_in_qed(const SourceFile &source) {
  const auto bytes = read_bytes(source, 0, 64);
  const ByteReader header(bytes, {.file = source.path()});
  if ((header.little<std::uint64_t>(16, "features") & kQedBacking) == 0) return {};
  return {{"a backing file",
           name_at(source, header.little<std::uint32_t>(56, "backing file offset"),
                   header.little<std::uint32_t>(60, "backing file length"), header.at(60, "backing file length")),
           header.at(56, "backing file")}};
}

std::vector<fs::path> files_below(const fs::path &image) {
  std::vector<fs::path> out = files_named_in(image);
  std::set<fs::path> seen{image};
  for (std::size_t i = 0; i < out.size() && out.size() < kLongestForeignChain; ++i) {
    if (!seen.insert(out[i]).second) continue;
    for (fs::path &below : files_named_in(out[i])) out.push_back(std::move(below));
  }
  return out;
}

}  // namespace ferry::image
