// SPDX-License-Identifier: Apache-2.0
// Where the screen is shown: -vnc, -spice, -display, and sound's way to the host.
#include "importers/qemu/context.hpp"

#include "support/text.hpp"

namespace ferry::qemu {

void read_screens(Context &c) {
  Display &display = c.hardware().display;
  const auto remote = [&](const Place &where) -> Display::Remote & {
    if (!display.remote) display.remote = Display::Remote{};
    display.remote->enabled = true;
    display.remote->origin = where;
    return *display.remote;
  };
  for (Option *option : c.all("vnc")) {
    const std::string where = c.text(*option, "vnc", "hardware.display.remote").value_or("");
    c.settle_rest(*option, Disposition::dropped, "the display listens on no port");
    if (where == "none" || where.starts_with("unix:")) continue;
    const std::size_t colon = where.rfind(':');
    Display::Remote &out = remote(option->where);
    out.address = colon == std::string::npos ? where : where.substr(0, colon);
    const auto number = colon == std::string::npos ? std::nullopt : text::parse_u64(where.substr(colon + 1));
    out.ports = number && *number < 60000 ? std::to_string(5900 + *number) : "";  // VNC's display 0 is port 5900
  }
  for (Option *option : c.all("spice")) {
    const auto port = c.text(*option, "port", "hardware.display.remote");
    const auto address = c.text(*option, "addr", "hardware.display.remote");
    const bool local = parse_bool(Context::peek(*option, "unix")).value_or(false);
    if (port && *port != "0" && !local) {
      Display::Remote &out = remote(option->where);
      out.ports = *port;
      out.address = address.value_or("");
    }
    using Exchange = Display::Exchange;
    const auto off = [&](const char *key, const char *field) {
      return parse_bool(c.text(*option, key, field).value_or("")).value_or(false);
    };
    if (off("disable-copy-paste", "hardware.display.clipboard")) display.clipboard = Exchange::off;
    if (off("disable-agent-file-xfer", "hardware.display.files")) display.files = Exchange::off;
    c.settle_rest(*option, Disposition::dropped, "the display listens on no port");
  }
  for (Option *option : c.all("display")) {
    c.settle_rest(*option, Disposition::irrelevant, "the window on the host");
  }
  for (Option *option : c.all("audiodev")) {
    c.settle_rest(*option, Disposition::irrelevant, "where the host plays the sound");
  }
}

}  // namespace ferry::qemu
