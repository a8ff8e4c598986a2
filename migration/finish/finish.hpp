// SPDX-License-Identifier: Apache-2.0
// From the old controllers and cards to virtio, in two phases, with a way back. Nothing is believed of the guest: the
// machine is switched when it was seen to boot on virtio, on overlays over its disks.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "exporters/report/report.hpp"
#include "exporters/virtio.hpp"
#include "migration/trial.hpp"

namespace ferry::migration {

struct FinishOptions {
  std::string connect;
  target::VirtioChoice choice;
  bool force = false;
  std::optional<std::filesystem::path> drivers;  // a CD image with Windows' drivers
  TrialOptions trial;
};

struct FinishResult {
  std::string machine;
  target::VirtioState state;           // as it is now
  std::vector<std::string> phases;     // that are done and can be taken back: "prepare", "switch"
  std::vector<std::string> done;       // sentences
  std::vector<std::string> steps;      // what comes next, for the user; a sentence or a command each
  std::optional<report::Test> test{};  // on virtio
  bool switched = true;                // false: it was seen not to boot, or nobody could tell, and nothing was changed
};

// All throw Error: usage (not this user's own session), missing (no such machine), conflict (the definition was changed
// since, by somebody else, or the guest does not shut down), unsupported (nothing to switch), libvirt, io, cancelled.

// What is there, what was done, what comes next. Changes nothing.
[[nodiscard]] FinishResult finish_state(const std::string &name, const FinishOptions &options);
// Adds the spares to the definition; they are there at the machine's next start.
[[nodiscard]] FinishResult finish_prepare(const std::string &name, const FinishOptions &options);
// Shuts the guest down when it runs, boots the machine as it would be on overlays, and keeps the new definition when it
// was seen to boot, or with `force`.
[[nodiscard]] FinishResult finish_switch(const std::string &name, const FinishOptions &options,
                                         const std::stop_token &stop);
// Takes the last phase back: the definition is what it was before, byte for byte. With `force` also where it was
// changed since.
[[nodiscard]] FinishResult finish_undo(const std::string &name, const FinishOptions &options);

}  // namespace ferry::migration
