// SPDX-License-Identifier: Apache-2.0
#include "migration/host_ports.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <sys/socket.h>

#include "migration/findings.hpp"

#include "support/file.hpp"

namespace ferry::migration {
namespace {

// Only what says that somebody else is there: a port below 1024, or an address that the host lacks, is another matter.
bool is_busy(const target::ListenPort &port) {
  const bool tcp = port.protocol == "tcp";
  const file::Descriptor socket(::socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
  if (!socket) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port.port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  if (!port.address.empty() && inet_pton(AF_INET, port.address.c_str(), &address.sin_addr) != 1) return false;
  // As QEMU does: a connection of before that is not quite over is in nobody's way. UDP would share the port so.
  const int reuse = 1;
  if (tcp) (void)setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  const auto *const plain = reinterpret_cast<const sockaddr *>(&address);
  if (bind(socket.get(), plain, sizeof address) != 0) return errno == EADDRINUSE;
  return tcp && ::listen(socket.get(), 1) != 0 && errno == EADDRINUSE;
}

std::string described(const target::ListenPort &port) {
  return port.use + " needs " + port.protocol + " port " + std::to_string(port.port) + " of this host";
}

}  // namespace

void report_busy_ports(MachinePlan &plan) {
  for (const target::ListenPort &port : plan.listen) {
    if (is_busy(port))
      plan.findings.push_back(
          raise(kPortBusy, port.origin, described(port) + ", which another program listens on now"));
  }
}

void refuse_busy_ports(const MachinePlan &plan, const target::Taken &taken) {
  for (const target::ListenPort &port : plan.listen) {
    const bool started = taken.started_ports.contains(port.key());
    if (!started && !is_busy(port)) continue;
    const auto other = taken.planned_ports.find(port.key());
    throw Error(ErrorKind::conflict,
                {.where = port.origin,
                 .message = "the machine cannot be started: " + described(port) + ", which is in use",
                 .found = started && other != taken.planned_ports.end()
                              ? "the machine \"" + other->second + "\", which is started before it"
                              : "a program that listens there now",
                 .advice = "Leave out --start, or stop what listens there."});
  }
}

}  // namespace ferry::migration
