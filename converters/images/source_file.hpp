// SPDX-License-Identifier: Apache-2.0
// The files under an image: a range of a file, several ranges joined, or a gzip stream with random access.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "converters/images/cache.hpp"
#include "converters/images/image.hpp"
#include "model/medium.hpp"

namespace ferry::image {

// A whole regular file, by way of `cache` where that is not null. Throws as FileOnDemand.
[[nodiscard]] std::shared_ptr<const SourceFile> open_file(const std::filesystem::path &file, const Place &origin,
                                                          Cache *cache = nullptr);

// Opens the pieces of `file` as one: joined in their order, and inflated where `file.gzip` says so. Throws as
// open_file(), and malformed when a piece reaches beyond its file or the gzip stream is damaged.
[[nodiscard]] std::shared_ptr<const SourceFile> open_source(const ImageFile &file, Cache *cache = nullptr);

// A gzip stream over `compressed` as a file. Without an index it is read through once, which verifies its checksums; no
// temporary copy is made, and memory stays bounded (90 MiB) whatever the size. A read inflates from the restart point
// before it; reads that go forwards continue where they stopped, from however many threads, and do not read again what
// some jumps ahead (24 MiB) read. Throws malformed.
[[nodiscard]] std::shared_ptr<const SourceFile> open_gzip(std::shared_ptr<const SourceFile> compressed);
[[nodiscard]] std::shared_ptr<const SourceFile> open_gzip(std::shared_ptr<const SourceFile> compressed,
                                                          std::shared_ptr<const gzip::Index> index);

// `length` bytes from `offset`. The caller bounds `length` before; throws as SourceFile::read.
[[nodiscard]] std::vector<std::uint8_t> read_bytes(const SourceFile &file, std::uint64_t offset, std::size_t length);

}  // namespace ferry::image
