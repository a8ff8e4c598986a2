// SPDX-License-Identifier: Apache-2.0
// Machines that run: what is seen of them from outside, and what their guests are asked.
#include <algorithm>
#include <array>

#include "exporters/libvirt/host/connection.hpp"
#include "exporters/libvirt/host/connection_impl.hpp"
#include "exporters/libvirt/host/connection_uri.hpp"
#include "exporters/libvirt/host/crash_log.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {
namespace {

constexpr std::size_t kMostOfAScreen = std::size_t{64} << 20U;  // bytes: 4096 x 4096 pixels in a portable pixmap

struct EndStream {
  void operator()(virStream *stream) const { virStreamFree(stream); }
};
using OwnedStream = std::unique_ptr<virStream, EndStream>;

bool last_error_is(std::initializer_list<int> codes) {
  const virError *error = virGetLastError();
  return error != nullptr && std::find(codes.begin(), codes.end(), error->code) != codes.end();
}

std::string of_machine(const std::string &what, const std::string &name) {
  return what + " the machine \"" + text::printable(name) + '"';
}

target::Condition condition_of(virConnect *handle, const std::string &name, const std::string &what) {
  const Owned<virDomain> domain(virDomainLookupByName(handle, name.c_str()));
  if (!domain && last_error_is({VIR_ERR_NO_DOMAIN})) return target::Condition::off;  // it was defined nowhere
  int state = 0;
  if (!domain || virDomainGetState(domain.get(), &state, nullptr, 0) != 0) throw refused(what);
  switch (state) {
    case VIR_DOMAIN_SHUTOFF: return target::Condition::off;
    case VIR_DOMAIN_CRASHED: return target::Condition::crashed;
    case VIR_DOMAIN_PAUSED:
    case VIR_DOMAIN_PMSUSPENDED: return target::Condition::paused;
    default: return target::Condition::running;  // and what says nothing else: "no state", "being shut down"
  }
}

std::optional<target::Screen> screen_of(virConnect *handle, const std::string &name) {
  const Owned<virDomain> domain = find_domain(handle, name);
  const OwnedStream stream(virStreamNew(handle, 0));
  const Owned<char> type(stream ? virDomainScreenshot(domain.get(), stream.get(), 0, 0) : nullptr);
  if (!type) return std::nullopt;  // a machine without a screen: also an error of libvirt's
  target::Screen out{.type = type.get(), .bytes = {}};
  std::array<char, 65536> buffer{};
  for (;;) {
    const int count = virStreamRecv(stream.get(), buffer.data(), buffer.size());
    if (count == 0) break;
    if (count < 0 || out.bytes.size() + static_cast<std::size_t>(count) > kMostOfAScreen) {
      virStreamAbort(stream.get());
      return std::nullopt;
    }
    out.bytes.insert(out.bytes.end(), buffer.begin(), buffer.begin() + count);
  }
  virStreamFinish(stream.get());
  return out;
}

}  // namespace

std::string Connection::crash_note(const std::string &name) const {
  return ConnectionUri::parse(impl_->uri).is_own_session() ? panic_of(name) : std::string();
}

void Connection::boot(const std::string &document) {
  ask(impl_->deadlines.start, "to start the machine", [document](virConnect *handle) {
    const Owned<virDomain> domain(
        virDomainCreateXML(handle, document.c_str(), VIR_DOMAIN_START_AUTODESTROY | VIR_DOMAIN_START_VALIDATE));
    if (!domain) throw refused("to start the machine");
  });
}

target::Condition Connection::condition(const std::string &name) const {
  const std::string what = of_machine("to say whether it runs:", name);
  return ask(impl_->deadlines.call, what,
             [name, what](virConnect *handle) { return condition_of(handle, name, what); });
}

std::optional<std::string> Connection::ask_agent(const std::string &name, const std::string &command,
                                                 unsigned seconds) const {
  using Answer = std::optional<std::string>;
  return ask(impl_->deadlines.call + std::chrono::seconds(seconds), of_machine("to ask the agent of", name),
             [name, command, seconds](virConnect *handle) -> Answer {
               const Owned<virDomain> domain = find_domain(handle, name);
               const Owned<char> answer(
                   virDomainQemuAgentCommand(domain.get(), command.c_str(), static_cast<int>(seconds), 0));
               return answer ? Answer(answer.get()) : std::nullopt;
             });
}

std::optional<target::Screen> Connection::screen(const std::string &name) const {
  return ask(impl_->deadlines.call, of_machine("for a picture of", name),
             [name](virConnect *handle) { return screen_of(handle, name); });
}

void Connection::shut_down(const std::string &name, target::ShutDown how) {
  const std::string what = of_machine("to shut down", name);
  const unsigned flags = how == target::ShutDown::agent ? unsigned{VIR_DOMAIN_SHUTDOWN_GUEST_AGENT}
                                                        : unsigned{VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN};
  ask(impl_->deadlines.call, what, [name, what, flags](virConnect *handle) {
    const Owned<virDomain> domain = find_domain(handle, name);
    if (virDomainShutdownFlags(domain.get(), flags) != 0) throw refused(what);
  });
}

void Connection::go_on(const std::string &name) {
  const std::string what = of_machine("to let go on", name);
  ask(impl_->deadlines.call, what, [name, what](virConnect *handle) {
    const Owned<virDomain> domain = find_domain(handle, name);
    if (virDomainResume(domain.get()) != 0) throw refused(what);
  });
}

std::string Connection::live_document(const std::string &name) const {
  const std::string what = of_machine("to show", name);
  return ask(impl_->deadlines.call, what, [name, what](virConnect *handle) {
    const Owned<virDomain> domain = find_domain(handle, name);
    const Owned<char> xml(virDomainGetXMLDesc(domain.get(), 0));
    if (!xml) throw refused(what);
    return std::string(xml.get());
  });
}

void Connection::begin_pull(const std::string &name, const std::string &disk, std::uint64_t limit) {
  const std::string what = of_machine("to pull " + text::printable(disk) + " of", name);
  ask(impl_->deadlines.call, what, [name, disk, limit, what](virConnect *handle) {
    const Owned<virDomain> domain = find_domain(handle, name);
    if (virDomainBlockPull(domain.get(), disk.c_str(), static_cast<unsigned long>(limit), 0) != 0) throw refused(what);
  });
}

std::optional<unsigned> Connection::job_progress(const std::string &name, const std::string &disk) const {
  using Percent = std::optional<unsigned>;
  const std::string what = of_machine("how far the pull is of", name);
  return ask(impl_->deadlines.call, what, [name, disk, what](virConnect *handle) -> Percent {
    const Owned<virDomain> domain = find_domain(handle, name);
    virDomainBlockJobInfo info{};
    const int found = virDomainGetBlockJobInfo(domain.get(), disk.c_str(), &info, 0);
    if (found < 0) throw refused(what);
    if (found == 0) return std::nullopt;
    return info.end == 0 ? 0U : static_cast<unsigned>(info.cur * 100 / info.end);
  });
}

}  // namespace ferry::libvirt
