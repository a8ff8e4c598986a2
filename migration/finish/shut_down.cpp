// SPDX-License-Identifier: Apache-2.0
#include "migration/finish/shut_down.hpp"

#include <chrono>

#include "support/error.hpp"
#include "support/pause.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

constexpr std::chrono::seconds kAgentPatience{60}, kAcpiPatience{180};
constexpr std::chrono::milliseconds kBetweenLooks(500);

bool is_off(const target::Machines &machines, const std::string &machine) {
  return machines.condition(machine) == target::Condition::off;
}

bool is_off_within(const target::Machines &machines, const std::string &machine, std::chrono::seconds patience,
                   const std::stop_token &stop) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!is_off(machines, machine)) {
    if (stop.stop_requested())
      throw Error(ErrorKind::cancelled, {.message = "the wait for the guest to shut down was interrupted"});
    if (std::chrono::steady_clock::now() >= until) return false;
    pause_for(kBetweenLooks, stop);
  }
  return true;
}

}  // namespace

void shut_guest_down(target::Machines &machines, const std::string &machine, const std::stop_token &stop) {
  if (is_off(machines, machine)) return;
  try {
    machines.shut_down(machine, target::ShutDown::agent);
    if (is_off_within(machines, machine, kAgentPatience, stop)) return;
  } catch (const Error &error) {
    if (error.kind() != ErrorKind::libvirt) throw;  // it has none
  }
  machines.shut_down(machine, target::ShutDown::acpi);
  if (is_off_within(machines, machine, kAcpiPatience, stop)) return;
  throw Error(ErrorKind::conflict, {.message = "the guest of \"" + text::printable(machine) + "\" does not shut down",
                                    .advice = "Shut it down from inside, then run the same command again."});
}

}  // namespace ferry::migration
