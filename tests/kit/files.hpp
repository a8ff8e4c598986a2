// SPDX-License-Identifier: Apache-2.0
// What tests of images need of the file system and of other programs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "converters/images/image.hpp"
#include "tests/kit/folder.hpp"

namespace ferry::test {

using Bytes = std::vector<std::uint8_t>;

void write_file(const std::filesystem::path &file, const Bytes &bytes);
void write_file(const std::filesystem::path &file, std::string_view text);
[[nodiscard]] Bytes read_file(const std::filesystem::path &file);

// Runs a program without a shell, its output thrown away; its exit status, or -1.
int run(const std::vector<std::string> &arguments);
[[nodiscard]] bool has_program(const std::string &name);

[[nodiscard]] ImageFile image_file(const std::filesystem::path &file, ImageFormat declared = ImageFormat::unknown);
[[nodiscard]] Medium medium(const std::vector<std::filesystem::path> &chain);
// The whole disk through Chain::read, `step` bytes at a time.
[[nodiscard]] Bytes content(const image::Chain &chain, std::size_t step = 1U << 20U);
// The sha256 of the same, in hex, without holding the disk in memory.
[[nodiscard]] std::string content_sha256(const image::Chain &chain);

}  // namespace ferry::test
