// SPDX-License-Identifier: Apache-2.0
// The one wrapper of libvirt's C API.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "exporters/libvirt/host/host_profile.hpp"
#include "exporters/target.hpp"

namespace ferry::libvirt {

// How long libvirt may take to answer before it is given up. Generous: a daemon that the call starts, on a busy host,
// first asks every QEMU binary what it can do.
struct Deadlines {
  std::chrono::milliseconds open = std::chrono::seconds(45);
  std::chrono::milliseconds open_remote = std::chrono::minutes(5);  // somebody may have to type a password
  std::chrono::milliseconds probe = std::chrono::seconds(90);
  std::chrono::milliseconds call = std::chrono::seconds(30);
  std::chrono::milliseconds start = std::chrono::minutes(2);  // of a machine
  std::stop_token stop;  // requested: what is not answered soon is given up, as after a missed deadline
};

// Every call has a deadline. After one that was missed, all others fail at once.
class Connection final : public target::Machines {
 public:
  // Throws Error unreachable (with what libvirt said and what to do; root with qemu:///session is named as such,
  // with kind usage).
  explicit Connection(const std::string &uri, const Deadlines &deadlines = {});
  ~Connection() override;

  // Asks for everything that a HostProfile holds. Throws Error libvirt.
  [[nodiscard]] HostProfile probe() const;

  [[nodiscard]] std::optional<target::MachineFacts> machine_named(const std::string &name) const override;
  [[nodiscard]] std::optional<target::MachineFacts> machine_of(const std::string &uuid) const override;
  [[nodiscard]] std::vector<target::MachineFacts> machines() const override;
  [[nodiscard]] bool is_running(const std::string &name) const override;

  // With validation against libvirt's schema.
  void define(const std::string &domain_xml) override;
  // virDomainSnapshotCreateXML with REDEFINE, and CURRENT for the current one.
  void define_snapshot(const std::string &domain, const std::string &snapshot_xml, bool current) override;
  // Keeps the variable store and the TPM's state, as far as the daemon can (before 8.9 the latter goes).
  void undefine(const std::string &name) override;
  [[nodiscard]] target::SavedMachine save(const std::string &name) const override;
  void restore(const std::string &name, const target::SavedMachine &saved) override;

  void start(const std::string &name) override;
  void switch_off(const std::string &name) override;
  // Of a directory pool with that path.
  void refresh(const std::filesystem::path &folder) override;

  // VIR_DOMAIN_START_AUTODESTROY: the daemon ends it when the connection ends.
  void boot(const std::string &document) override;
  [[nodiscard]] target::Condition condition(const std::string &name) const override;
  [[nodiscard]] std::optional<std::string> ask_agent(const std::string &name, const std::string &command,
                                                     unsigned seconds) const override;
  [[nodiscard]] std::optional<target::Screen> screen(const std::string &name) const override;
  [[nodiscard]] std::string crash_note(const std::string &name) const override;
  void shut_down(const std::string &name, target::ShutDown how) override;
  void go_on(const std::string &name) override;

  // The definition of one that runs, as it runs.
  [[nodiscard]] std::string live_document(const std::string &name) const;
  // virDomainBlockPull of all that is under the disk's image. `limit`: MiB a second; 0: none.
  void begin_pull(const std::string &name, const std::string &disk, std::uint64_t limit);
  // Percent of the job that the disk has; nullopt: none.
  [[nodiscard]] std::optional<unsigned> job_progress(const std::string &name, const std::string &disk) const;

  struct Impl;  // known inside of this folder alone

 private:
  template <class Work>
  auto ask(std::chrono::milliseconds deadline, const std::string &what, Work work) const;
  std::shared_ptr<Impl> impl_;  // shared with a call that was given up
};

}  // namespace ferry::libvirt
