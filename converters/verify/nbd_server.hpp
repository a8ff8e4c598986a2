// SPDX-License-Identifier: Apache-2.0
// qemu-nbd as a reader of what was written: QEMU's own block drivers, without any root or kernel module, in a cage with
// the image alone.
#pragma once

#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "converters/qemu_img.hpp"

#include "support/file.hpp"
#include "support/temporary.hpp"

namespace ferry::verify {

// Serves one image, read-only, on a socket that only this user can reach; ends with this object.
class NbdServer {
 public:
  // `snapshot` names an internal snapshot of a qcow2; without it the current state is served.
  // Throws missing when qemu-nbd is not installed, subprocess when it does not start.
  NbdServer(const qemu_img::Source &source, const std::optional<std::string> &snapshot);
  NbdServer(const NbdServer &) = delete;
  NbdServer &operator=(const NbdServer &) = delete;

  // A further connection, on which nothing was said yet; thread-safe. Throws io.
  [[nodiscard]] file::Descriptor connect() const;

 private:
  void wait_until_it_serves();
  [[nodiscard]] std::filesystem::path socket() const { return folder_.path() / "nbd"; }

  file::TemporaryFolder folder_;
  file::Descriptor listening_;  // until it serves
  std::mutex guard_;
  std::optional<std::string> ended_;  // why, when qemu-nbd is gone
  std::exception_ptr failed_;
  std::jthread process_;  // runs it; its stop ends it, before its folder goes
};

}  // namespace ferry::verify
