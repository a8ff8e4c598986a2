// SPDX-License-Identifier: Apache-2.0
// Who the new machine is: the policies on the UUID that its guest reads and on its cards' addresses. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "exporters/target.hpp"
#include "migration/options.hpp"

namespace ferry::migration {

// Whether a machine can have it: libvirt refuses UUIDs whose bytes are all equal.
[[nodiscard]] bool is_usable(const Uuid &uuid);

// What a decision is made for.
struct IdentityContext {
  const IdentityOptions &options;
  const target::Taken &taken;
  std::string name;        // of the new machine: what a machine of that name has is not in the way
  std::uint64_t seed = 0;  // of new UUIDs and addresses, so that two plans agree

  // The options' seed, or else one that is the same for the same machine under the same name.
  IdentityContext(const IdentityOptions &its_options, const target::Taken &its_taken, const Machine &machine,
                  std::string new_name);
};

struct DecidedUuid {
  Uuid uuid;
  target::Account account;
};

// The machine's UUID and its guest's. One that a machine of the same run has gives way to a new one; throws Error
// conflict, with the option that helps, when a machine that is there already has it.
[[nodiscard]] DecidedUuid decide_uuid(const Machine &machine, const IdentityContext &context);
// The same of a snapshot, whose hardware is the model's field `prefix`: snapshots belong to their machine.
[[nodiscard]] DecidedUuid snapshot_uuid(const Uuid &uuid, const std::string &prefix);

// The addresses of `hardware`'s cards, which is the model's field `prefix`. Throws Error conflict, as above.
[[nodiscard]] std::vector<target::Identity::Card> decide_cards(const Hardware &hardware, const std::string &prefix,
                                                               const IdentityContext &context);

}  // namespace ferry::migration
