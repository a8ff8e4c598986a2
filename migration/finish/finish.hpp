// SPDX-License-Identifier: Apache-2.0
// From the old controllers and cards to virtio, in two phases, with a way back. What the guest lacks is looked for
// first; then the machine is switched when it was seen to boot on virtio, on overlays over its disks.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "exporters/report/report.hpp"
#include "exporters/virtio.hpp"
#include "migration/finish/proof.hpp"
#include "migration/trial.hpp"

namespace ferry::migration {

struct FinishOptions {
  std::string connect;
  target::VirtioChoice choice;
  bool force = false;
  bool repair = false;  // before a switch, where the guest lacks its drivers: as finish_repair()
  std::optional<std::filesystem::path> drivers;  // a CD image with Windows' drivers
  TrialOptions trial;
};

struct FinishResult {
  std::string machine;
  target::VirtioState state;            // as it is now
  std::vector<std::string> phases;      // that are done and can be taken back: "prepare", "switch"
  std::vector<std::string> guest{};     // the systems that were seen, a line each
  std::vector<Proof> proofs{};          // what a switch needs of them
  std::vector<std::string> done;        // sentences
  std::vector<std::string> steps;       // what comes next, for the user; a sentence or a command each
  std::vector<std::string> clean_up{};  // what can go from the guest after the switch
  std::optional<report::Test> test{};   // on virtio
  bool switched = true;                 // false: it was seen not to boot, or nobody could tell, and nothing was changed
};

// All throw Error: usage (not this user's own session), missing (no such machine), conflict (the definition was changed
// since, by somebody else, or the guest does not shut down), unsupported (nothing to switch), libvirt, io, cancelled.

// What is there, what is proven and what is missing, what was done, what comes next. Changes nothing.
[[nodiscard]] FinishResult finish_state(const std::string &name, const FinishOptions &options,
                                        const std::stop_token &stop);
// Adds the spares to the definition; they are there at the machine's next start.
[[nodiscard]] FinishResult finish_prepare(const std::string &name, const FinishOptions &options,
                                          const std::stop_token &stop);
// Puts virtio's drivers into the initial RAM disks of a Linux guest that runs, by way of its agent. This writes in the
// guest. Throws also conflict (it does not run), unsupported (no agent that runs programs, neither initramfs-tools nor
// dracut), subprocess (they fail).
[[nodiscard]] FinishResult finish_repair(const std::string &name, const FinishOptions &options,
                                         const std::stop_token &stop);
// Shuts the guest down when it runs, looks for what it lacks, boots the machine as it would be on overlays, and keeps
// the new definition when it was seen to boot, or with `force`.
[[nodiscard]] FinishResult finish_switch(const std::string &name, const FinishOptions &options,
                                         const std::stop_token &stop);
// Takes the last phase back: the definition is what it was before, byte for byte. With `force` also where it was
// changed since.
[[nodiscard]] FinishResult finish_undo(const std::string &name, const FinishOptions &options);

}  // namespace ferry::migration
