// SPDX-License-Identifier: Apache-2.0
// A socket at which disks of a source are served (Reader::serve), for as long as it lives.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "migration/reader.hpp"

#include "support/file.hpp"

namespace ferry::migration {

class DiskDoor {
 public:
  // Listens at `socket`, in the place of one that nobody listens at any more; its folder must be there, and this user's
  // alone. `reader` serves already; null: whoever comes is sent away. Throws Error io, unsafe.
  DiskDoor(const std::filesystem::path &socket, std::shared_ptr<Reader> reader);
  // Lets nobody in any more; those who are, stay.
  ~DiskDoor();
  DiskDoor(const DiskDoor &) = delete;
  DiskDoor &operator=(const DiskDoor &) = delete;

  // Of what came since it was asked last: why a client was not let in, or a read failed. Empty: nothing.
  [[nodiscard]] std::string problem();

 private:
  void let_in();

  std::filesystem::path path_;
  std::shared_ptr<Reader> reader_;
  file::Descriptor listening_;
  std::mutex guard_;
  std::string problem_, told_;
  std::thread thread_;
};

// Whether somebody listens at `socket`.
[[nodiscard]] bool is_open_door(const std::filesystem::path &socket);

}  // namespace ferry::migration
