// SPDX-License-Identifier: Apache-2.0
// Where network cards lead: -netdev, -nic, -net.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "importers/qemu/context.hpp"

namespace ferry::qemu {

// "tcp:127.0.0.1:2222-10.0.2.15:22", "::2222-:22". nullopt for anything else.
[[nodiscard]] std::optional<PortForward> parse_forward(std::string_view text);
// Of old: "tcp:2222::22".
[[nodiscard]] std::optional<PortForward> parse_redirection(std::string_view text);

// Mode, network, forwards of a card, from the option that makes its back end. `keys_of_card`: -nic holds both, so keys
// of the card are left alone.
void fill_network(Context &c, Option &backend, Nic &nic, const std::string &field);

}  // namespace ferry::qemu
