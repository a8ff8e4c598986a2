// SPDX-License-Identifier: Apache-2.0
// A machine, started on overlays and watched until it is up, has failed, or nobody can tell. Nothing of it, of its
// source or of the host is touched, and nothing stays.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "exporters/report/report.hpp"
#include "exporters/target.hpp"
#include "migration/options.hpp"

namespace ferry::migration {

struct TrialOptions {
  std::optional<std::chrono::seconds> timeout;  // nullopt: three minutes, five times as long under emulation
  // Told once, when the machine is started: how long it has, and whether it is emulated.
  std::function<void(std::chrono::seconds, bool)> started = {};
};

// Of the machine that the connection has under that name or UUID; nullopt when it has none. Throws Error: usage (not
// this user's own session), conflict (it runs, or its memory is saved), unsupported (it cannot be tried without being
// touched), unreachable, libvirt, io, cancelled.
[[nodiscard]] std::optional<report::TestDocument> try_machine(const std::string &name, const std::string &connect,
                                                              const TrialOptions &trial, const std::stop_token &stop);

// Of a machine that is not migrated yet: its disks must be such that QEMU reads them in their place. Throws as
// try_machine(), and as a migration refuses.
[[nodiscard]] report::TestDocument try_source(const std::string &source, const Options &options,
                                              const TrialOptions &trial, const std::stop_token &stop);

// Of a machine of `machines` with another document than its own, that is off. Throws as try_machine().
[[nodiscard]] report::Test try_document(target::Machines &machines, const std::string &document,
                                        const target::MachineFacts &facts, const TrialOptions &trial,
                                        const std::stop_token &stop);

// What try_machine() says of a machine that was migrated just now, or why it says nothing: never throws.
[[nodiscard]] report::Test test_of(const std::string &name, const std::string &connect, const TrialOptions &trial,
                                   const std::stop_token &stop);

}  // namespace ferry::migration
