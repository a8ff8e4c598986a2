// SPDX-License-Identifier: Apache-2.0
// The one wrapper of libvirt's C API.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporters/libvirt/host/host_profile.hpp"

namespace ferry::libvirt {

class Connection {
 public:
  // Throws Error unreachable (with what libvirt said and what to do; root with qemu:///session is named as such,
  // with kind usage).
  explicit Connection(const std::string &uri);
  ~Connection();
  Connection(Connection &&) noexcept;
  Connection &operator=(Connection &&) noexcept;

  // Asks for everything that a HostProfile holds. Throws Error libvirt.
  [[nodiscard]] HostProfile probe() const;

  // Defines with validation against libvirt's schema. Throws Error libvirt with libvirt's message.
  void define(const std::string &domain_xml);
  [[nodiscard]] bool has_domain(const std::string &name) const;
  // Removes a domain's definition with its snapshot metadata; keeps nvram and TPM files unless told.
  void undefine(const std::string &name, bool remove_nvram);
  void start(const std::string &name);
  [[nodiscard]] bool is_running(const std::string &name) const;
  void destroy(const std::string &name);
  // virDomainSnapshotCreateXML with REDEFINE, and CURRENT for the current one.
  void redefine_snapshot(const std::string &domain, const std::string &snapshot_xml, bool current);
  // Makes the folder a directory pool's content fresh, where a pool with that path exists. Never an error.
  void refresh_pool(const std::filesystem::path &folder);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ferry::libvirt
