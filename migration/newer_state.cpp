// SPDX-License-Identifier: Apache-2.0
#include "migration/newer_state.hpp"

#include <algorithm>
#include <set>

#include "converters/images/newer_state.hpp"
#include "migration/findings.hpp"
#include "migration/survey.hpp"

#include "support/file.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// Disks whose images have children by design: what a run writes goes beside them and is thrown away, or is another
// machine's.
bool has_children_by_design(const Medium &medium) {
  return medium.auto_reset || medium.type == MediumType::immutable || medium.type == MediumType::multiattach ||
         medium.type == MediumType::readonly;
}

std::set<fs::path> images_of(const Hardware &hardware) {
  std::set<fs::path> out;
  for (const DriveRef &ref : drives_of(hardware, "")) {
    if (!ref.drive->medium) continue;
    for (const ImageFile &image : ref.drive->medium->chain) {
      for (const FileRange &piece : image.pieces) {
        std::error_code error;
        out.insert(on_host::canonical(piece.file, error));
      }
    }
  }
  return out;
}

// "" for a file that cannot be read: whose image it names is not known then, and the finding stays.
std::string text_of(const fs::path &file, std::size_t most) {
  try {
    return file::read_start(file, most);
  } catch (const Error &) {
    return {};
  }
}

// Another machine of the same folder names the image: it is that machine's.
bool is_another_machines(const fs::path &image, const fs::path &settings) {
  constexpr std::size_t kMostBytes = std::size_t{4} << 20U;  // of a settings file; real ones have some thousand
  std::error_code error;
  for (const on_host::Entry &entry : on_host::list(settings.parent_path(), error)) {
    const std::string suffix = text::lower_ascii(entry.path.extension().string());
    std::error_code ignored;
    if ((suffix != ".vmx" && suffix != ".vbox") || on_host::equivalent(entry.path, settings, ignored)) continue;
    if (on_host::file_size(entry.path, ignored) > kMostBytes) continue;
    if (text_of(entry.path, kMostBytes).find(image.filename().string()) != std::string::npos) return true;
  }
  return false;
}

std::string list_of(const std::vector<fs::path> &files) {
  std::string out;
  for (const fs::path &file : files) out += (out.empty() ? "" : ", ") + text::printable(file.string());
  return out;
}

}  // namespace

void look_for_newer_state(ImportedMachine &imported, const Options &options) {
  Machine &machine = imported.machine;
  if (machine.source.kind == SourceKind::ovf || machine.source.kind == SourceKind::vagrant)
    return;  // a package holds the machine as it was exported
  const image::OpenOptions open = open_options(machine, options);
  const std::set<fs::path> known = images_of(machine.hardware);
  for (Controller &controller : machine.hardware.controllers) {
    for (Drive &drive : controller.drives) {
      if (drive.kind != DriveKind::disk || !drive.medium || has_children_by_design(*drive.medium)) continue;
      const image::NewerState newer = image::newer_state(*drive.medium, open, known);
      if (newer.chain.empty()) continue;
      std::vector<fs::path> files;
      for (const ImageFile &image : newer.chain) files.push_back(image.pieces.front().file);
      if (is_another_machines(files.front(), machine.source.file)) continue;
      const std::string attached = text::printable(drive.medium->chain.back().display_path().string());
      std::string message = "the settings attach " + attached + ", and " + list_of(files) +
                            (files.size() == 1 ? " continues it" : " continue it");
      if (!newer.others.empty()) message += "; in another line, so does " + list_of(newer.others);
      if (options.newest_state) {
        message += "; the disk is taken from " + text::printable(files.back().string()) + ", as asked";
        for (const ImageFile &image : newer.chain) drive.medium->chain.push_back(image);
      }
      imported.findings.push_back(raise(options.newest_state ? kNewestStateTaken : kOlderState, drive.origin, message));
    }
  }
}

}  // namespace ferry::migration
