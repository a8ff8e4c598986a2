// SPDX-License-Identifier: Apache-2.0
// <UART> and <LPT> (before 1.3 <Uart> and <Lpt>, with I/O bases in hex without 0x; since 1.20 IOAddress for IOBase).
#include <array>

#include "importers/vbox/scope.hpp"

#include "support/text.hpp"

namespace ferry::vbox {
namespace {

constexpr unsigned kMostSlots = 8;
constexpr unsigned kMostIrq = 255;

// "0x3f8", before 1.3 "3f8"; decimal "1016" is allowed by the schema since 1.3.
std::optional<unsigned> io_base(const std::string &written, bool bare_hex) {
  constexpr unsigned kHexBase = 16;
  constexpr unsigned kLargest = 0xffff;
  std::string_view digits = written;
  const bool prefixed = digits.starts_with("0x") || digits.starts_with("0X");
  if (!prefixed && !bare_hex) {
    const auto value = text::parse_u64(digits);
    return value && *value <= kLargest ? std::optional(static_cast<unsigned>(*value)) : std::nullopt;
  }
  if (prefixed) digits.remove_prefix(2);
  unsigned value = 0;
  for (const char c : digits) {
    const auto digit = text::hex_digit(c);
    if (!digit) return std::nullopt;
    value = value * kHexBase + *digit;
    if (value > kLargest) return std::nullopt;
  }
  return digits.empty() ? std::nullopt : std::optional(value);
}

void read_resources(Scope &scope, const SettingsReader &element, const std::string &at, bool bare_hex, CharPort &port) {
  for (const std::string_view name : {"IOBase", "IOAddress"}) {
    const auto written = element.text(name, at + ".io_base");
    if (!written) continue;
    port.io_base = io_base(*written, bare_hex);
    if (!port.io_base) report_unknown_word(scope.in, element, name, *written, "the usual address of the port");
  }
  const auto irq = element.text("IRQ", at + ".irq");
  if (!irq) return;
  const auto number = io_base(*irq, false);
  if (number && *number <= kMostIrq) port.irq = number;
}

void read_backend(Scope &scope, const SettingsReader &element, const std::string &at, CharPort &port) {
  enum class Mode { disconnected, pipe, device, file, tcp };
  static constexpr std::array<Word<Mode>, 5> kModes{{{"Disconnected", Mode::disconnected},
                                                     {"HostPipe", Mode::pipe},
                                                     {"HostDevice", Mode::device},
                                                     {"RawFile", Mode::file},
                                                     {"TCP", Mode::tcp}}};
  const auto mode = word<Mode>(scope.in, element, "hostMode", at + ".backend", kModes).value_or(Mode::disconnected);
  port.path = element.text("path", at + ".path").value_or("");
  port.server = element.boolean("server", at + ".server").value_or(false);
  switch (mode) {
    case Mode::disconnected: port.backend = CharPort::Backend::disconnected; break;
    case Mode::device: port.backend = CharPort::Backend::host_device; break;
    case Mode::file: port.backend = CharPort::Backend::file; break;
    case Mode::pipe:  // a named pipe on Windows hosts, a socket in the file system on all others
      port.backend = names::is_windows_path(port.path) ? CharPort::Backend::pipe : CharPort::Backend::unix_socket;
      break;
    case Mode::tcp:
      port.backend = CharPort::Backend::tcp;
      // A server's path is the bare port number; it listens on every address.
      if (port.path.find(':') == std::string::npos) port.path = (port.server ? "0.0.0.0:" : "127.0.0.1:") + port.path;
      break;
  }
}

void read_list(Scope &scope, const SettingsReader &list, bool serial, bool bare_hex) {
  auto &ports = serial ? scope.hw.serial_ports : scope.hw.parallel_ports;
  for (const SettingsReader &element : list.children("Port")) {
    const std::string at = scope.field((serial ? "serial_ports." : "parallel_ports.") + std::to_string(ports.size()));
    if (!element.boolean("enabled", at).value_or(false)) {
      element.settle("enabled", Disposition::irrelevant, "the port is off");
      element.settle_all(Disposition::irrelevant, "the port is off");
      continue;
    }
    CharPort port;
    port.origin = element.place();
    port.slot = small_number(element, "slot", at + ".slot", kMostSlots).value_or(0);
    read_resources(scope, element, at, bare_hex, port);
    if (serial) {
      read_backend(scope, element, at, port);
      port.uart = element.text("uartType", at + ".uart").value_or("16550A");
    } else {
      port.path = element.text("path", at + ".path").value_or("");
      if (!port.path.empty()) port.backend = CharPort::Backend::host_device;
    }
    ports.push_back(std::move(port));
  }
}

}  // namespace

void read_ports(Scope &scope) {
  if (const auto list = scope.hardware.child("UART")) read_list(scope, *list, true, false);
  if (const auto list = scope.hardware.child("Uart")) read_list(scope, *list, true, true);
  if (const auto list = scope.hardware.child("LPT")) read_list(scope, *list, false, false);
  if (const auto list = scope.hardware.child("Lpt")) read_list(scope, *list, false, true);
}

}  // namespace ferry::vbox
