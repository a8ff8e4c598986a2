// SPDX-License-Identifier: Apache-2.0
// Serial and parallel ports.
//
// The source's paths are not trusted: QEMU truncates a file and replaces a socket, and a guest could be made to talk
// to any socket or device of the host's. So files and sockets are made anew in the machine's own folder, and the
// host's devices and paths are used only when the user asks (map_host_devices).
#include <algorithm>

#include "exporters/libvirt/map/mapping.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

using Backend = CharPort::Backend;

constexpr std::size_t kSocketPathLimit = 107;  // sun_path of Linux, without its NUL

struct PortKind {
  Field list;
  std::string_view name, file;
};
constexpr PortKind kSerial = {"serial_ports", "Serial port", "serial"};
constexpr PortKind kParallel = {"parallel_ports", "Parallel port", "parallel"};

class PortMapper {
 public:
  PortMapper(Mapping &m, const PortKind &kind, std::size_t index, const CharPort &port)
      : m_(m), kind_(kind), port_(port), field_(field_at(kind.list, index)) {}

  void map(std::vector<DomainChar> &out) {
    m_.keep(field_);
    out_.port = number();
    if (out_.port > limit()) {
      m_.drop(field_, "QEMU has no more ports of this kind");
      m_.raise(kPortDropped, port_.origin, label() + " is left out: QEMU has " + std::to_string(limit() + 1) + ".");
      return;
    }
    const bool taken =
        std::any_of(out.begin(), out.end(), [&](const DomainChar &other) { return other.port == out_.port; });
    if (taken) {
      m_.drop(field_, "another port has this number");
      m_.raise(kPortDropped, port_.origin, label() + " is left out: another port has its number.");
      return;
    }
    if (port_.backend == Backend::thin_print) {
      m_.drop(field_, "VMware's virtual printer has no counterpart");
      m_.raise(kPortDropped, port_.origin, label() + " was VMware's virtual printer; it is left out.");
      return;
    }
    settle_wiring();
    choose_backend();
    out.push_back(out_);
  }

 private:
  [[nodiscard]] bool serial() const { return &kind_ == &kSerial; }
  [[nodiscard]] unsigned limit() const { return serial() ? 3 : 2; }
  [[nodiscard]] std::string label() const { return std::string(kind_.name) + " " + std::to_string(port_.slot + 1); }

  // By I/O base where the source names one of the PC's four.
  [[nodiscard]] unsigned number() const {
    if (!serial()) return port_.slot;
    switch (port_.io_base.value_or(0)) {
      case 0x3F8: return 0;
      case 0x2F8: return 1;
      case 0x3E8: return 2;
      case 0x2E8: return 3;
      default: return port_.slot;
    }
  }

  void settle_wiring() {
    m_.keep(below<CharPort>(field_, "slot"));
    constexpr unsigned kSerialBases[] = {0x3F8, 0x2F8, 0x3E8, 0x2E8};
    constexpr unsigned kParallelBases[] = {0x378, 0x278, 0x3BC};
    const unsigned base = serial() ? kSerialBases[out_.port] : kParallelBases[out_.port];
    if (port_.io_base.value_or(base) == base) {
      m_.keep(below<CharPort>(field_, "io_base"));
      m_.keep(below<CharPort>(field_, "irq"));
    } else {
      m_.translate(below<CharPort>(field_, "io_base"), "the usual address of this port");
      m_.translate(below<CharPort>(field_, "irq"), "the usual interrupt of this port");
      m_.raise(kPortMoved, port_.origin, label() + " had an unusual I/O address; the guest finds it at the usual one.");
    }
    if (port_.uart.value_or("16550A") == "16550A") {
      m_.keep(below<CharPort>(field_, "uart"));
    } else {
      m_.translate(below<CharPort>(field_, "uart"), "16550A, which older drivers take for theirs");
    }
    m_.keep(below<CharPort>(field_, "connected_at_start"), port_.connected_at_start ? "" : "not connected");
  }

  void settle_backend(std::string_view note) {
    m_.translate(below<CharPort>(field_, "backend"), note);
    m_.translate(below<CharPort>(field_, "path"), note);
    m_.translate(below<CharPort>(field_, "server"), note);
  }

  // The port is there and leads nowhere in particular: a console for people, or nothing.
  void disconnected() {
    out_.type = serial() ? "pty" : "null";
    settle_backend(serial() ? "a terminal: virsh console" : "nothing is attached");
  }

  void refuse(const std::string &why) {
    disconnected();
    m_.raise(kPortNotConnected, port_.origin, label() + " " + why + "; it is kept, with nothing attached.");
  }

  [[nodiscard]] std::string own_path(std::string_view suffix) const {
    const std::filesystem::path folder = m_.target_folder();
    if (folder.empty()) return {};
    const std::string name = m_.input.identity.name + "-" + std::string(kind_.file) + std::to_string(port_.slot + 1);
    return (folder / (name + std::string(suffix))).string();
  }

  void file() {
    out_.type = "file";
    out_.path = m_.options.map_host_devices ? port_.path : own_path(".log");
    if (!out_.path.starts_with('/')) {
      refuse("wrote to the file '" + port_.path + "', for which there is no folder here");
      return;
    }
    settle_backend("file " + out_.path);
    if (out_.path != port_.path) {
      m_.raise(kPortFileMoved, port_.origin,
               label() + " wrote to '" + port_.path + "'; it writes to '" + out_.path + "' now.");
    }
  }

  void socket() {
    const bool ours = !m_.options.map_host_devices;
    if (ours && !port_.server) {
      refuse("connected to '" + port_.path + "', a socket of the source's host");
      return;
    }
    out_.type = "unix";
    out_.mode = port_.server ? "bind" : "connect";
    out_.path = ours ? own_path(".sock") : port_.path;
    if (!out_.path.starts_with('/') || out_.path.size() > kSocketPathLimit) {
      refuse("was the socket '" + port_.path + "', whose new path would be too long");
      return;
    }
    settle_backend("socket " + out_.path);
    if (out_.path != port_.path) {
      m_.raise(kPortFileMoved, port_.origin,
               label() + " was the socket or pipe '" + port_.path + "'; it is '" + out_.path + "' now.");
    }
  }

  void network(const std::string &type) {
    std::string host = "127.0.0.1";
    std::string service = port_.path;
    if (const std::size_t colon = port_.path.rfind(':'); colon != std::string::npos) {
      host = port_.path.substr(0, colon);
      service = port_.path.substr(colon + 1);
    }
    const auto number = text::parse_u64(service);
    // Who listens names no host: VMware's "tcp://:4711". Where, is decided below.
    const bool bad_host = !port_.server && (host.empty() || !is_host_name(host));
    if (!number || *number == 0 || *number > 65535 || bad_host) {
      refuse("had the network address '" + port_.path + "', which is not valid");
      return;
    }
    if (port_.server) {
      host = "127.0.0.1";  // VirtualBox listens on all addresses; opening that is the user's decision
      if (*number < 1024 && m_.session()) {
        refuse("listened on port " + service + ", which an ordinary user may not do");
        return;
      }
      m_.raise(kPortListensLocally, port_.origin,
               label() + " listens on 127.0.0.1:" + service + ", no longer on all addresses.");
    }
    if (port_.server) m_.listen({type, host, static_cast<std::uint16_t>(*number), label(), port_.origin});
    out_.type = type;
    out_.mode = port_.server ? "bind" : "connect";
    out_.host = host;
    out_.service = service;
    settle_backend(type + " " + host + ":" + service);
  }

  static bool is_host_name(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    });
  }

  void choose_backend() {
    if (!port_.connected_at_start) {
      disconnected();
      return;
    }
    switch (port_.backend) {
      case Backend::disconnected:
      case Backend::thin_print: disconnected(); break;
      case Backend::host_device:
        if (m_.options.map_host_devices && port_.path.starts_with('/')) {
          out_.type = "dev";
          out_.path = port_.path;
          settle_backend("the host's " + port_.path);
        } else {
          refuse("was the host's device '" + port_.path + "'");
        }
        break;
      case Backend::file: file(); break;
      case Backend::pipe:
      case Backend::unix_socket: socket(); break;
      case Backend::tcp: network("tcp"); break;
      case Backend::udp:
        if (port_.server) {
          refuse("waited for UDP packets from anywhere, which libvirt does not do");
        } else {
          network("udp");
        }
        break;
    }
  }

  Mapping &m_;
  const PortKind &kind_;
  const CharPort &port_;
  std::string field_;
  DomainChar out_;
};

}  // namespace

void map_char_ports(Mapping &m) {
  m.keep("serial_ports");
  m.keep("parallel_ports");
  const auto &serials = m.hardware.serial_ports;
  for (std::size_t i = 0; i < serials.size(); ++i) PortMapper(m, kSerial, i, serials[i]).map(m.domain.serials);
  const auto &parallels = m.hardware.parallel_ports;
  for (std::size_t i = 0; i < parallels.size(); ++i) PortMapper(m, kParallel, i, parallels[i]).map(m.domain.parallels);
}

}  // namespace ferry::libvirt
