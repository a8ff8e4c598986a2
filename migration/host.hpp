// SPDX-License-Identifier: Apache-2.0
// The host that a plan is made for, and the connection that a run defines on.
#pragma once

#include <memory>
#include <optional>

#include "exporters/libvirt/host/connection.hpp"
#include "exporters/target.hpp"
#include "migration/options.hpp"
#include "migration/plan.hpp"

namespace ferry::migration {

struct Host {
  std::unique_ptr<target::Target> target;
  std::unique_ptr<libvirt::Connection> connection;  // null: nobody to define on
  std::optional<Error> unreachable;                 // why there is no connection
};

// For a dry run: a recorded profile, or libvirt's answers, or (unreachable, or --no-define without --connect) the
// built-in profile. Throws only for a recorded
// profile that cannot be read.
[[nodiscard]] Host host_for_plan(const Options &options);

// For a run. Throws Error usage for root with qemu:///session; other connections that cannot be opened are in
// `unreachable`, and the profile is the built-in one. With --no-define libvirt is asked only when --connect was given.
[[nodiscard]] Host host_for_run(const Options &options);

// Enters a planned machine, so that the next plan of a batch does not take its name, files, UUID or MACs, and
// knows its ports. `started`: it runs as soon as it is made.
void reserve(target::Taken &taken, const MachinePlan &plan, bool started);

// The connection is to a session: machines run with their user's rights.
[[nodiscard]] bool is_session(const std::string &connect);
// The connection is to the session of the user who runs this: files that it keeps are in that user's home.
[[nodiscard]] bool is_own_session(const std::string &connect);

}  // namespace ferry::migration
