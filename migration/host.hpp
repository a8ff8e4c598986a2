// SPDX-License-Identifier: Apache-2.0
// The target that a plan is made for, and its machines, which a run adds to. Which kind of target there is, only
// host.cpp knows.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "exporters/target.hpp"
#include "migration/options.hpp"
#include "migration/plan.hpp"

namespace ferry::migration {

struct Host {
  std::unique_ptr<target::Target> target;
  std::unique_ptr<target::Machines> machines;  // null: nobody to define on
  std::optional<Error> unreachable;            // why there are none
};

// For a dry run: a recorded profile, or libvirt's answers, or (unreachable, or --no-define without --connect) the
// built-in profile. Throws only for a recorded
// profile that cannot be read.
[[nodiscard]] Host host_for_plan(const Options &options);

// For a run. Where it will define machines, a connection that cannot be opened is an Error before anything is copied:
// unreachable, or usage for root with qemu:///session. With --no-define libvirt is asked only when --connect was given,
// and the profile is the built-in one when it does not answer.
// Once `stop` is requested, the connection gives up soon what is not answered.
[[nodiscard]] Host host_for_run(const Options &options, const std::stop_token &stop = {});

// The machines at a connection. Throws Error unreachable, or usage for root with qemu:///session.
[[nodiscard]] std::unique_ptr<target::Machines> machines_at(const std::string &connect);

// What a machine's document has that a trial of it needs copies of, and the document with those in their place: it
// touches nothing of the machine or the host. Throw Error unsupported for what cannot be kept from being touched.
[[nodiscard]] target::TrialNeeds trial_needs(const std::string &document);
[[nodiscard]] std::string trial_document(const std::string &document, const target::TrialParts &parts);

// What the host at a connection can do, to be planned for elsewhere (Options::host_profile). Throws Error unreachable,
// usage, libvirt.
[[nodiscard]] std::string recorded_host(const std::string &connect);

// The bridges that qemu-bridge-helper opens to this user.
[[nodiscard]] std::set<std::string> bridges_of_user();

// Whether a call to a target was never answered and left alone. The process should then end without running destructors
// of global objects, which that call still uses.
[[nodiscard]] bool is_call_left_alone();

// Enters a planned machine, so that the next plan of a batch does not take its name, files, UUID or MACs, and
// knows its ports. `started`: it runs as soon as it is made.
void reserve(target::Taken &taken, const MachinePlan &plan, bool started);

// The connection is to a session: machines run with their user's rights.
[[nodiscard]] bool is_session(const std::string &connect);
// The connection is to the session of the user who runs this: files that it keeps are in that user's home.
[[nodiscard]] bool is_own_session(const std::string &connect);
// The application whose own libvirt the connection is to; empty: it is to none.
[[nodiscard]] std::string flatpak_of(const std::string &connect);
// Below it, each in a folder named by a machine's UUID, that session keeps TPM state.
[[nodiscard]] std::filesystem::path tpm_folders();
// That session keeps UEFI variables there.
[[nodiscard]] std::filesystem::path store_folder();

// Firmware of this host that has a descriptor.
[[nodiscard]] std::vector<target::FirmwareImage> host_firmware();

}  // namespace ferry::migration
