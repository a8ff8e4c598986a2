// SPDX-License-Identifier: Apache-2.0
// What the user's own configuration of ssh says of a host. Private to hosts/.
#pragma once

#include <string>
#include <vector>

namespace ferry::hosts {

// The words of an ssh command that name the host of "USER@HOST:PORT".
[[nodiscard]] std::vector<std::string> destination_of(const std::string &authority);

struct Configuration {
  bool shares_connections = false;  // it has a ControlPath for the host
  bool names_ciphers = false;
};
// By `ssh -G`, asked once for each host. All is taken for set where ssh does not say.
[[nodiscard]] Configuration configuration_of(const std::string &authority);

// The ciphers to be preferred, as ssh takes them; empty: as it does by itself. OpenSSH prefers ChaCha20, which takes
// twice as much of a processor that has AES as AES-GCM; whoever names ciphers gets those.
[[nodiscard]] std::string preferred_ciphers(const std::string &authority);

}  // namespace ferry::hosts
