// SPDX-License-Identifier: Apache-2.0
// What drives hold: -drive, -hda, -cdrom, -blockdev and their kin.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "importers/qemu/context.hpp"

namespace ferry::qemu {

struct Block {
  Option *option = nullptr;  // null: an empty drive that QEMU adds
  std::string id;            // of if=none and -blockdev
  std::string interface;     // "ide", "scsi", "virtio", "floppy", "pflash", "none", "sd"
  bool has_file = false;
  std::string file;  // as written
  std::string format;
  bool cdrom = false, read_only = false, snapshot = false;
  std::optional<unsigned> index, bus, unit;  // as asked; bus and unit are settled for ide, floppy, scsi
  std::string serial, cache, io, discard, detect_zeroes, error_policy, read_error_policy;
  bool used = false;    // a device holds it
  std::string address;  // of if=virtio: addr=
};

// All of them, in the order in which they stand. Board drives (ide, floppy) have their places.
[[nodiscard]] std::vector<Block> read_blocks(Context &c);

// The format of the file behind the block, which lies at `path`: as the command says, else as QEMU probes it.
[[nodiscard]] ImageFormat format_at(const Block &block, const std::filesystem::path &path);

// The block's medium as the model has it: the file where it was found, or none. Takes the option's keys into `field`.
void fill_drive(Context &c, Block &block, Drive &drive, const std::string &field);

}  // namespace ferry::qemu
