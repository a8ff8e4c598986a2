// SPDX-License-Identifier: Apache-2.0
// The TPM. QEMU knows the socket of an swtpm; the state is in that one's folder, which the script that starts it says.
#include <algorithm>
#include <optional>
#include <utility>

#include "importers/qemu/devices.hpp"

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

namespace fs = std::filesystem;

// swtpm's names for the permanent state in its folder.
constexpr std::string_view kState2 = "tpm2-00.permall", kState1 = "tpm-00.permall";

class StateFinder {
 public:
  StateFinder(Context &c, Tpm &tpm, std::string socket, Place where)
      : c_(c), tpm_(tpm), socket_(std::move(socket)), where_(std::move(where)) {}

  void find() {
    if (const TpmServer *server = server_of_socket()) return take(*server);
    // quickemu and others have it beside the socket, and a process's command line names no more than that.
    if (socket_.empty() || has_open(socket_)) return lose("no swtpm is started that the machine connects to");
    const fs::path folder = c_.locate(socket_, where_).path.parent_path();
    for (const std::string_view name : {kState2, kState1}) {
      if (!is_file(folder / name)) continue;
      tpm_.version = name == kState1 ? Tpm::Version::v1_2 : Tpm::Version::v2_0;
      tpm_.state_file = folder / name;
      return;
    }
    lose("it is not beside the socket " + text::printable(socket_));
  }

 private:
  static bool is_file(const fs::path &file) {
    std::error_code error;
    return fs::is_regular_file(file, error);
  }

  void lose(const std::string &why) const {
    c_.raise(kTpmState, where_, "The TPM's state was not found: " + why + ".");
  }

  // The one that listens where QEMU connects; the only one there is, where the names cannot be compared.
  [[nodiscard]] const TpmServer *server_of_socket() const {
    const auto &servers = c_.launch.tpms;
    const auto same = std::find_if(servers.rbegin(), servers.rend(), [&](const TpmServer &one) {
      return !one.socket.empty() && !socket_.empty() &&
             (one.socket == socket_ || shown(one.socket, c_.launch.opens) == shown(socket_, c_.launch.opens) ||
              resolved(one, one.socket) == resolved(one, socket_));
    });
    if (same != servers.rend()) return &*same;
    const auto unknown = [](const std::string &name) { return name.empty() || has_open(name); };
    const bool comparable = servers.size() == 1 && !unknown(servers.front().socket) && !unknown(socket_);
    return servers.size() == 1 && !comparable ? &servers.front() : nullptr;
  }

  [[nodiscard]] fs::path resolved(const TpmServer &server, const std::string &path) const {
    if (server.folder && fs::path(path).is_relative()) return (*server.folder / path).lexically_normal();
    return c_.locate(path, server.where).path;
  }

  void take(const TpmServer &server) {
    tpm_.version = server.tpm2 ? Tpm::Version::v2_0 : Tpm::Version::v1_2;
    const std::string state = shown(server.state, c_.launch.opens);
    if (server.state.empty() || has_open(server.state)) {
      return lose(state.empty() ? "swtpm is told no folder"
                                : "its folder is another one at each start (" + text::printable(state) + ")");
    }
    if (server.encrypted) {
      tpm_.state_encrypted = true;
      return lose("swtpm encrypts it");
    }
    fs::path file = resolved(server, server.state);
    if (!server.state_is_file) file /= server.tpm2 ? kState2 : kState1;
    if (!is_file(file)) return lose("there is no " + text::printable(file.string()));
    tpm_.state_file = file;
  }

  Context &c_;
  Tpm &tpm_;
  std::string socket_;
  Place where_;
};

}  // namespace

void DeviceReader::make_tpm(Unit &unit) {
  Option &option = *unit.option;
  Tpm tpm;
  tpm.origin = option.where;
  tpm.device = unit.driver;
  c_.text(option, "driver", "hardware.tpm.device");
  const std::string id = c_.text(option, "tpmdev", "hardware.tpm").value_or("");
  for (Option *backend : c_.all("tpmdev")) {
    if (Context::peek(*backend, "id") != id) continue;
    const std::string type = c_.text(*backend, "type", "hardware.tpm.version").value_or("emulator");
    if (type == "passthrough") {
      tpm.version = Tpm::Version::host;
      c_.raise(kTpmState, backend->where, "The machine has the host's own TPM, whose state stays in it.");
    }
    std::string socket;
    const std::string name = Context::peek(*backend, "chardev");
    for (Option *chardev : c_.all("chardev")) {
      if (Context::peek(*chardev, "id") != name) continue;
      socket = Context::peek(*chardev, "path");
      c_.settle_rest(*chardev, Disposition::irrelevant, "libvirt runs swtpm itself");
    }
    c_.settle_rest(*backend, Disposition::irrelevant, "libvirt runs swtpm itself");
    if (type != "passthrough") StateFinder(c_, tpm, socket, backend->where).find();
  }
  c_.settle_rest(option, Disposition::irrelevant, "a name inside the command");
  c_.hardware().tpm = std::move(tpm);
}

}  // namespace ferry::qemu
