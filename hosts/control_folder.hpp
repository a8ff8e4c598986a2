// SPDX-License-Identifier: Apache-2.0
// Where ssh shares one connection among several sessions of this run (ControlMaster), so that a password is typed once.
// Private to hosts/.
#pragma once

#include <string>

namespace ferry::hosts {

// The ControlPath for that host: in a folder of this process's own, made when it is first asked for. Empty where the
// user's configuration has one for the host, or where there is no place for a socket.
[[nodiscard]] std::string control_path_for(const std::string &authority);
// Ends what is shared and removes the folder.
void end_control();

}  // namespace ferry::hosts
