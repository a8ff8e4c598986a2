// SPDX-License-Identifier: Apache-2.0
// The files that a source consists of, and whether they are as they were: what a run reads must not change meanwhile,
// and what a batch made of it is made again when it did.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/machine.hpp"

#include "support/file.hpp"

namespace ferry::migration {

struct Survey;

struct SourceFile {
  std::filesystem::path file;
  file::Status status;  // nothing but zeros when the file was not there
};

// Settings, images with their extents and parents, CD images, variable stores, manifest: of the machine and all of its
// snapshots, each file once. What is not there is listed as well: its coming into being is a change.
[[nodiscard]] std::vector<SourceFile> source_files(const ImportedMachine &imported, const Survey &survey);

// These, each once.
[[nodiscard]] std::vector<SourceFile> as_they_are(const std::vector<std::filesystem::path> &files);

// What differs now, for people: "web.vdi: its size was 12 bytes and is 13"; nullopt when all is as it was. Compared are
// inode, size, mtime and ctime.
[[nodiscard]] std::optional<std::string> change_of(const std::vector<SourceFile> &files);

// Throws Error verify when a file of the source is not as it was.
void refuse_changed_source(const std::vector<SourceFile> &files);

}  // namespace ferry::migration
