// SPDX-License-Identifier: Apache-2.0
#include "migration/shared_images.hpp"

#include <map>
#include <utility>

#include "support/file.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

struct Holder {
  DriveRef ref;
  const Controller *controller = nullptr;
};

const ImageFile &image_of(const Holder &holder) { return holder.ref.drive->medium->chain.back(); }

// The same bytes under any name: device, inode, and where in the file. Empty for what has no file.
std::string identity_of(const ImageFile &image) {
  if (image.pieces.empty()) return {};
  const FileRange &piece = image.pieces.front();
  const auto status = file::status_of(piece.file);
  if (!status) return {};
  return std::to_string(status->device) + ":" + std::to_string(status->inode) + ":" + std::to_string(piece.offset);
}

// The settings name this very file, not one of its name that lies elsewhere.
bool is_named_so(const Machine &machine, const ImageFile &image) {
  if (machine.source.kind == SourceKind::ovf || machine.source.kind == SourceKind::vagrant) return true;
  const fs::path declared(image.declared_location);
  const fs::path full = declared.is_absolute() ? declared : machine.source.file.parent_path() / declared;
  std::error_code error;
  return on_host::equivalent(full, image.pieces.front().file, error) && !error;
}

bool is_shared(const Holder &holder) {
  const MediumType type = holder.ref.drive->medium->type;
  return type == MediumType::shareable || type == MediumType::readonly;
}

std::string label(const Holder &holder) {
  const Drive &drive = *holder.ref.drive;
  return "\"" + text::printable(holder.controller->name) + "\" " + std::to_string(drive.port) + ":" +
         std::to_string(drive.device) + ", \"" + text::printable(image_of(holder).declared_location) + "\"";
}

Error fault(const Machine &machine, const Holder &first, const Holder &second) {
  const ImageFile &image = image_of(second);
  const std::string file = text::printable(image.pieces.front().file.string());
  const bool not_here = !is_named_so(machine, image);
  ErrorDetail detail{.where = image.origin.file.empty() ? second.ref.drive->origin : image.origin,
                     .message = not_here ? "the disk's own image does not exist: " + file + " is another disk's"
                                         : "two disks have the same image: " + file,
                     .found = label(first) + " and " + label(second),
                     .expected = "an image of its own for each, or one that both declare shared",
                     .advice = not_here ? "Copy the disk's image here under a name of its own, and name that in the "
                                          "settings."
                                        : "Detach one of the two disks in the source's settings."};
  return {not_here ? ErrorKind::missing : ErrorKind::malformed, std::move(detail)};
}

}  // namespace

void find_shared_images(const Machine &machine, const Hardware &hardware, const std::string &prefix, Survey &survey) {
  std::map<std::string, Holder> holders;
  for (const DriveRef &ref : drives_of(hardware, prefix)) {
    if (ref.drive->kind != DriveKind::disk || !ref.drive->medium || ref.drive->medium->chain.empty()) continue;
    const Holder here{ref, &hardware.controllers[ref.controller]};
    const std::string identity = identity_of(image_of(here));
    if (identity.empty()) continue;
    const auto [at, alone] = holders.emplace(identity, here);
    if (alone || (is_shared(at->second) && is_shared(here))) continue;
    const bool first_is_wrong = !is_named_so(machine, image_of(at->second)) && is_named_so(machine, image_of(here));
    const Holder &wrong = first_is_wrong ? at->second : here;
    const Holder &right = first_is_wrong ? here : at->second;
    survey.media[wrong.ref.field] = {std::nullopt, fault(machine, right, wrong)};
    if (first_is_wrong) at->second = here;
  }
}

}  // namespace ferry::migration
