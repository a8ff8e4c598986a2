// SPDX-License-Identifier: Apache-2.0
// Takes up again what a run left to be copied behind its machine, whatever died: the keeper, the machine, the host.
#pragma once

#include <stop_token>
#include <string>

namespace ferry::migration {

struct ResumeResult {
  std::string run, machine;
  enum class Did {
    nothing_left,  // all is copied already
    served,        // the machine ran all the while
    started,       // it was off
    went_on,       // it was paused, and runs again
    restarted,     // it could not read its disks any more: switched off, and started
  };
  Did did = Did::served;
};

// `force`: a machine that runs, but whose QEMU does not look for its server again, is switched off and started; its
// disks are as after a power cut. One that is paused for that is so in any case. Throws Error missing (no such run, or
// its machine is gone), usage (the run has nothing that is copied behind its machine), conflict (the run is being made,
// or was undone or cut off; the machine would have to be switched off), libvirt, and as start_keeper().
[[nodiscard]] ResumeResult resume(const std::string &run, bool force, const std::stop_token &stop);

}  // namespace ferry::migration
