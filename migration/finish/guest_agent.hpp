// SPDX-License-Identifier: Apache-2.0
// A guest that runs, asked by way of QEMU's guest agent. What it answers is the guest's word: it is read and not
// believed, and what cannot be read is no answer.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "exporters/target.hpp"

namespace ferry::migration {

// A device with a driver, as Windows' agent lists them.
struct AgentDevice {
  std::string id;      // "1af4:1004"; empty: no PCI device
  std::string driver;  // "Red Hat VirtIO SCSI pass-through controller"
  std::string version;
};

struct GuestScriptResult {
  int code = 0;  // -1: a signal ended it
  std::string output, errors;
};

// All functions throw Error libvirt.
class GuestAgent {
 public:
  GuestAgent(const target::Machines &machines, std::string machine)
      : machines_(machines), machine_(std::move(machine)) {}

  [[nodiscard]] bool answers() const;
  // "debian", "mswindows"; empty: not known.
  [[nodiscard]] std::string system() const;
  // nullopt: this agent does not list them. Linux' does not.
  [[nodiscard]] std::optional<std::vector<AgentDevice>> devices() const;
  // Gives a script to /bin/sh. nullopt: the agent runs no programs. Throws also conflict when it does not end within
  // `patience`, and cancelled; it goes on in the guest then.
  [[nodiscard]] std::optional<GuestScriptResult> run(const std::string &script, std::chrono::seconds patience,
                                                     const std::stop_token &stop) const;

 private:
  const target::Machines &machines_;
  std::string machine_;
};

}  // namespace ferry::migration
