// SPDX-License-Identifier: Apache-2.0
#include "migration/plan_refusals.hpp"

#include <cstddef>

#include "support/error.hpp"

namespace ferry::migration {
namespace {

// `number` counts from 0, `option` is as the user wrote it.
void refuse_missing_card(const Machine &machine, std::size_t number, const std::string &option) {
  const std::size_t cards = machine.hardware.nics.size();
  if (number < cards) return;
  throw Error(ErrorKind::usage, {.where = machine.origin,
                                 .message = option + " names a network card that the machine does not have",
                                 .found = cards == 0   ? "a machine without network cards"
                                          : cards == 1 ? "a machine with one network card"
                                                       : "a machine with " + std::to_string(cards) + " network cards",
                                 .expected = cards == 0   ? ""
                                             : cards == 1 ? "number 1"
                                                          : "a number from 1 to " + std::to_string(cards),
                                 .advice = cards == 0 ? "Leave the option out." : ""});
}

void refuse_missing_forward(const Machine &machine, const Nic &nic, const target::Forward &asked,
                            const std::string &option) {
  std::string ports;
  for (const PortForward &forward : nic.forwards) {
    const bool tcp = forward.protocol == PortForward::Protocol::tcp;
    if (forward.host_port == asked.host_port && tcp == asked.tcp) return;
    ports += (ports.empty() ? "" : ", ") + std::string(tcp ? "" : "udp:") + std::to_string(forward.host_port);
  }
  throw Error(ErrorKind::usage, {.where = machine.origin,
                                 .message = option + " names a port that the card does not forward",
                                 .found = ports.empty() ? "no port forward" : ports});
}

}  // namespace

void refuse_what_cannot_be_carried(const Machine &machine, const Options &options) {
  if (machine.encrypted) {
    throw Error(
        ErrorKind::encrypted,
        {.where = machine.origin,
         .message = "the whole machine is encrypted; none of it can be read without the password",
         .advice =
             "Decrypt it in the software that made it (virtual machine settings, encryption), then migrate again."});
  }
  if (machine.saved_state && !options.discard_saved_state) {
    throw Error(
        ErrorKind::unsupported,
        {.where = machine.saved_state->origin,
         .message = "the machine is suspended: its memory is in a saved state that only its own platform can resume",
         .found = machine.saved_state->file.string(),
         .expected = "a machine that is switched off",
         .advice = "Use --discard-saved-state to migrate the disks as after a power cut; to keep what was not saved, "
                   "start it there and shut it down."});
  }
  if (options.start && !options.define) {
    throw Error(ErrorKind::usage,
                {.message = "--start needs the machine to be defined, and --no-define leaves that out",
                 .advice = "Leave out one of the two."});
  }
  for (const auto &[number, network] : options.hardware.networks)
    refuse_missing_card(machine, number, "--network " + std::to_string(number + 1) + "=" + network.text());
  for (const auto &[number, forwards] : options.hardware.forwards) {
    for (const target::Forward &forward : forwards) {
      const std::string option = "--forward " + std::to_string(number + 1) + ":" + forward.text();
      refuse_missing_card(machine, number, option);
      if (forward.guest_port == 0) refuse_missing_forward(machine, machine.hardware.nics[number], forward, option);
    }
  }
  for (const auto &[number, mac] : options.identity.macs)
    refuse_missing_card(machine, number, "--mac " + std::to_string(number + 1) + "=" + mac.text());
}

void refuse_taken_name(const std::string &name, const Options &options, const target::Taken &taken,
                       const std::string &place) {
  // --overwrite replaces what an earlier run left, never a machine of the same batch.
  const bool defined = taken.names.contains(name) && !options.overwrite;
  if (!defined && !taken.planned_names.contains(name)) return;
  throw Error(ErrorKind::conflict,
              {.where = {.path = place},
               .message = "the name \"" + name + "\" is already used by another machine",
               .advice = "Give the new one another name with --name, or replace the old one with --overwrite."});
}

}  // namespace ferry::migration
