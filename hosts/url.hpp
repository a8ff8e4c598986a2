// SPDX-License-Identifier: Apache-2.0
// ssh://[USER@]HOST[:PORT]/PATH, as people write and read it, and the path that stands for it in the program
// (support/on_host.hpp).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ferry::hosts {

[[nodiscard]] bool is_ssh_url(std::string_view text);
// "ssh://me@host/vms/web.vmx" -> "/ssh:me@host/vms/web.vmx"; "/~/" at the beginning of the path is the user's home
// there. Throws Error usage: no host, a character that no host's or user's name has (none is ever given to a shell, but
// a name that begins with "-" would be an option of ssh's), a port that is none, no path.
[[nodiscard]] std::filesystem::path path_of_url(std::string_view url);
// The same text with ssh://... in place of such paths.
[[nodiscard]] std::string with_urls(std::string_view text);

// "USER@HOST:PORT" in its parts.
struct Authority {
  std::string user;  // empty: whom ssh's configuration says
  std::string host;  // an address of IPv6 without its brackets
  std::string port;  // empty: as ssh's configuration says
};
[[nodiscard]] Authority parts_of(std::string_view authority);

}  // namespace ferry::hosts
