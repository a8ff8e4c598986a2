// SPDX-License-Identifier: Apache-2.0
// A survey of media that are not there: what a plan needs to know of disks, made up. Lets golden cases and corpus
// files be planned without their disk images.
#pragma once

#include "migration/survey.hpp"

namespace ferry::tests {

inline constexpr std::uint64_t kImaginedSize = std::uint64_t{8} << 30U;  // bytes

// Every disk is a whole image of kImaginedSize with 1 GiB of data; the chain is the medium's own.
inline migration::Survey imagined_survey(const Machine &machine) {
  migration::Survey survey;
  const auto add = [&survey](const Hardware &hardware, const std::string &prefix) {
    for (const migration::DriveRef &ref : migration::drives_of(hardware, prefix)) {
      if (ref.drive->kind != DriveKind::disk || !ref.drive->medium) continue;
      migration::MediumFacts facts;
      disk::DiskInfo info;
      info.virtual_size = kImaginedSize;
      info.allocated = std::uint64_t{1} << 30U;
      for (const ImageFile &image : ref.drive->medium->chain) {
        image::ImageInfo one;
        one.file = image.display_path();
        one.format = image.declared_format;
        one.virtual_size = kImaginedSize;
        one.allocated = info.allocated;
        if (image.encrypted) {
          facts.error =
              Error(ErrorKind::encrypted,
                    {.where = image.origin, .message = "the disk is encrypted", .advice = "Remove the encryption."});
        }
        info.chain.push_back(one);
      }
      if (!facts.error) facts.info = info;
      survey.media.emplace(ref.field, facts);
    }
  };
  add(machine.hardware, "hardware");
  for (std::size_t i = 0; i < machine.snapshots.size(); ++i) {
    add(machine.snapshots[i].hardware, "snapshots." + std::to_string(i) + ".hardware");
  }
  survey.available = std::uint64_t{1} << 40U;
  return survey;
}

}  // namespace ferry::tests
