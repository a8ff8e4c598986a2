// SPDX-License-Identifier: Apache-2.0
// The one wrapper of libvirt's C API.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporters/libvirt/host/domain_files.hpp"
#include "exporters/libvirt/host/host_profile.hpp"

namespace ferry::libvirt {

// A domain of the connection, as far as it matters to whoever wants to replace or remove it.
struct DomainFacts {
  std::string name, uuid;
  std::string run;  // whose mark it bears (run_mark.hpp); empty: no run of ours made it
  bool running = false, managed_save = false;
  std::vector<std::string> snapshots;  // parents before children
  DomainFiles files;                   // of all its definitions: now, at its next start, of its snapshots
};

// What it takes to define a domain again as it was.
struct SavedDomain {
  std::string xml;
  struct Snapshot {
    std::string name, xml;
    bool current = false;
  };
  std::vector<Snapshot> snapshots;  // parents before children
  bool autostart = false;
};

// How long libvirt may take to answer before it is given up. Generous: a daemon that the call starts, on a busy host,
// first asks every QEMU binary what it can do.
struct Deadlines {
  std::chrono::milliseconds open = std::chrono::seconds(45);
  std::chrono::milliseconds open_remote = std::chrono::minutes(5);  // somebody may have to type a password
  std::chrono::milliseconds probe = std::chrono::seconds(90);
  std::chrono::milliseconds call = std::chrono::seconds(30);
  std::chrono::milliseconds start = std::chrono::minutes(2);  // of a machine
};

// Every call has a deadline. After one that was missed, all others fail at once.
class Connection {
 public:
  // Throws Error unreachable (with what libvirt said and what to do; root with qemu:///session is named as such,
  // with kind usage).
  explicit Connection(const std::string &uri, const Deadlines &deadlines = {});
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

  // nullopt when there is no such domain. Throw Error libvirt.
  [[nodiscard]] std::optional<DomainFacts> domain_named(const std::string &name) const;
  [[nodiscard]] std::optional<DomainFacts> domain_of(const std::string &uuid) const;
  [[nodiscard]] std::vector<DomainFacts> domains() const;
  // The definition with its secrets, snapshots and autostart. Throws Error libvirt.
  [[nodiscard]] SavedDomain save(const std::string &name) const;
  // Defines it again; what is there of it already stays. Throws Error libvirt.
  void restore(const std::string &name, const SavedDomain &saved);

  void start(const std::string &name);
  [[nodiscard]] bool is_running(const std::string &name) const;
  void destroy(const std::string &name);
  // virDomainSnapshotCreateXML with REDEFINE, and CURRENT for the current one.
  void redefine_snapshot(const std::string &domain, const std::string &snapshot_xml, bool current);
  // Makes the folder a directory pool's content fresh, where a pool with that path exists. Never an error.
  void refresh_pool(const std::filesystem::path &folder);

  struct Impl;  // known inside of this folder alone

 private:
  template <class Work>
  auto ask(std::chrono::milliseconds deadline, const std::string &what, Work work) const;
  std::shared_ptr<Impl> impl_;  // shared with a call that was given up
};

}  // namespace ferry::libvirt
