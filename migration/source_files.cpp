// SPDX-License-Identifier: Apache-2.0
#include "migration/source_files.hpp"

#include <set>

#include "importers/ovf/ovf.hpp"
#include "migration/survey.hpp"

#include "support/error.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

class Collector {
 public:
  void add(const fs::path &file) {
    if (file.empty() || !seen_.insert(file).second) return;
    files_.push_back({file, file::status_of(file).value_or(file::Status{})});
  }

  void add(const Hardware &hardware) {
    for (const DriveRef &ref : drives_of(hardware, "")) {
      if (!ref.drive->medium) continue;
      for (const ImageFile &image : ref.drive->medium->chain) {
        for (const FileRange &piece : image.pieces) add(piece.file);
      }
    }
    if (hardware.firmware.nvram_file) add(*hardware.firmware.nvram_file);
    if (hardware.tpm && hardware.tpm->state_file) add(*hardware.tpm->state_file);
    if (hardware.firmware.nvram_inside) add(hardware.firmware.nvram_inside->file);
  }

  std::vector<SourceFile> take() { return std::move(files_); }

 private:
  std::set<fs::path> seen_;
  std::vector<SourceFile> files_;
};

std::string difference(const file::Status &then, const file::Status &now) {
  if (then.inode == 0 && now.inode == 0) return "";  // a name that a source of this kind may have, and this one has not
  if (now.inode == 0) return "no longer exists";
  if (then.inode == 0) return "did not exist before";
  if (then.size != now.size)
    return "had " + std::to_string(then.size) + " bytes and now has " + std::to_string(now.size);
  if (then.inode != now.inode) return "was replaced by another file";
  if (then.modified != now.modified) return "was written to";
  if (then.changed != now.changed) return "was changed, by its ctime";
  return "";
}

}  // namespace

std::vector<SourceFile> source_files(const ImportedMachine &imported, const Survey &survey) {
  const Machine &machine = imported.machine;
  Collector out;
  const fs::path &settings = machine.source.file;
  out.add(settings);
  out.add(machine.hardware);
  for (const Snapshot &snapshot : machine.snapshots) {
    out.add(snapshot.origin.file);  // VMware's list of snapshots is a file of its own
    out.add(snapshot.hardware);
  }
  for (const auto &[field, facts] : survey.media) {
    if (!facts.info) continue;
    for (const fs::path &file : facts.info->files) out.add(file);
  }
  if (machine.source.kind == SourceKind::ovf) out.add(fs::path(settings).replace_extension(".mf"));
  for (const ovf::ManifestEntry &entry : survey.manifest) out.add(entry.range.file);
  return out.take();
}

std::vector<SourceFile> as_they_are(const std::vector<fs::path> &files) {
  Collector out;
  for (const fs::path &file : files) out.add(file);
  return out.take();
}

std::optional<std::string> change_of(const std::vector<SourceFile> &files) {
  for (const SourceFile &file : files) {
    const file::Status now = file::status_of(file.file).value_or(file::Status{});
    const std::string what = difference(file.status, now);
    if (!what.empty()) return file.file.string() + " " + what;
  }
  return std::nullopt;
}

void refuse_changed_source(const std::vector<SourceFile> &files) {
  const auto change = change_of(files);
  if (!change) return;
  throw Error(ErrorKind::verify,
              {.where = {.file = files.front().file},
               .message = "the source changed while it was read, so the result would mix two of its states",
               .found = *change,
               .expected = "files that nothing writes to",
               .advice = "Shut the source machine down, let copies and backups of it finish, and try again."});
}

}  // namespace ferry::migration
