// SPDX-License-Identifier: Apache-2.0
// By what a guest that was started is known to have failed, or to be up: words on its screen and its serial port, the
// shape of a stop screen, what its agent answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/picture.hpp"

namespace ferry::migration {

struct Sign {
  bool booted = false;  // else it has failed
  std::string id;       // stable: "uefi-shell"
  std::string words;    // what is seen, for people: "the UEFI shell: the firmware has found nothing to boot"
  std::string line;     // that says so, as it stands there; may be empty
  friend bool operator==(const Sign &, const Sign &) = default;
};

// Of text, the last line last. A prompt counts where it is the last thing that is said, a message among the last lines.
[[nodiscard]] std::optional<Sign> sign_in(const std::vector<std::string> &lines);

// What a terminal would show of a serial port's bytes, without colours and places: the last `most` lines.
[[nodiscard]] std::vector<std::string> console_lines(std::string_view bytes, std::size_t most = 100);

// The stop screen of Windows 8 and newer: on one colour, in the upper left, a colon and a bracket as high as some lines
// of text.
[[nodiscard]] std::optional<Sign> sign_in(const Picture &picture);

// What a guest that has crashed said of it (target::Machines::crash_note): Windows its stop code.
[[nodiscard]] std::optional<Sign> sign_of_crash(const std::string &note);

// What QEMU's guest agent says, each an answer of its in JSON; empty where it did not.
struct AgentAnswers {
  std::string host_name;   // of guest-get-host-name
  std::string os;          // of guest-get-osinfo
  std::string interfaces;  // of guest-network-get-interfaces
};
struct GuestFacts {
  std::string host_name, os;           // "Debian GNU/Linux 12 (bookworm), 6.1.0-18-amd64"
  std::vector<std::string> addresses;  // "enp0s3 192.168.1.7"; none of the loopback
};
// Answers come from the guest: what cannot be read is left out.
[[nodiscard]] GuestFacts facts_of(const AgentAnswers &answers);

}  // namespace ferry::migration
