// SPDX-License-Identifier: Apache-2.0
// Media: what a drive holds, as a chain of image files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "support/error.hpp"
#include "support/file.hpp"
#include "support/identity.hpp"

namespace ferry {

enum class ImageFormat { unknown, raw, vdi, vmdk, vhd, vhdx, qcow, qcow2, qed, parallels, iso, iscsi, host_device };

// One image file as the source names it. What it really is, its own header says (converters/images).
struct ImageFile {
  std::string declared_location;  // the text in the source: "Snapshots/{...}.vdi", "disk-000001.vmdk"
  std::vector<FileRange> pieces;  // resolved; empty when the file was not found
  bool gzip = false;              // the pieces, joined, are a gzip stream (OVF compression="gzip")
  // The pieces' file is as a whole a gzip stream (a gzip'd .ova), and the ranges are of what it inflates to: the image
  // can only be streamed. `gzip` may hold as well, inside.
  bool gzip_outer = false;
  // No file stands behind it by intent (an OVF Disk without fileRef): a new disk of declared_capacity that reads as
  // zeros, for migration to make. Not the same as empty pieces, which mean that the file was not found.
  bool blank = false;
  ImageFormat declared_format = ImageFormat::unknown;
  std::optional<Uuid> uuid;                        // the registry's identity of this image
  std::optional<std::uint64_t> declared_capacity;  // bytes
  bool encrypted = false;                          // the source says so (CRYPT/KeyStore, DekMissing)
  Place origin;

  // The only piece's file, or the declared location when nothing was found.
  [[nodiscard]] std::filesystem::path display_path() const;
};

// VirtualBox's media types; VMware's disk modes map onto them (independent-persistent: writethrough,
// independent-nonpersistent: immutable).
enum class MediumType { normal, immutable, writethrough, shareable, readonly, multiattach };

// Bytes of a disk that the new machine gets otherwise than the source has them.
struct DiskChange {
  std::uint64_t offset = 0;                 // of the guest's, bytes
  std::vector<std::uint8_t> before, after;  // of the same length; where `before` is not there, nothing is changed
};

// chain.front() is the base image, chain.back() the one that is attached. Importers list the links that the
// source's own registry names; links that only the image files know are found by converters/images.
struct Medium {
  std::vector<ImageFile> chain;
  MediumType type = MediumType::normal;
  bool auto_reset = false;  // changes are thrown away at each start; the chain is what a start begins with
  Place origin;
  std::vector<DiskChange> changes = {};  // made in the copy; no importer has any
};

}  // namespace ferry
