// SPDX-License-Identifier: Apache-2.0
// libvirt's C API, in our terms: handles are owned, failures are Errors that carry libvirt's own words.
#include "exporters/libvirt/host/connection.hpp"

#include <mutex>
#include <system_error>
#include <unistd.h>

#include "exporters/libvirt/host/capabilities.hpp"
#include "exporters/libvirt/host/connection_impl.hpp"
#include "exporters/libvirt/host/connection_uri.hpp"
#include "exporters/libvirt/host/deadline.hpp"

#include "support/text.hpp"

namespace ferry::libvirt {

namespace {

constexpr auto kCloseDeadline = std::chrono::seconds(5);

// libvirt prints every error to stderr unless told otherwise; the messages come with our own errors.
void silence(void *, virErrorPtr) {}

// Loading libvirt's in-process driver (qemu:///embed) needs an event loop implementation before opening.
void prepare_once() {
  // First, for what is thrown through call_once() goes through the C library, which then wants a libgcc_s.so of the
  // host.
  (void)kLibvirt.symbol("virInitialize");
  static std::once_flag done;
  std::call_once(done, [] {
    virInitialize();
    virSetErrorFunc(nullptr, silence);
  });
}

void register_event_loop_once() {
  static std::once_flag done;
  std::call_once(done, [] { virEventRegisterDefaultImpl(); });
}

// virConnectAuthPtrDefault: asks on the terminal what a connection wants to know.
virConnectAuthPtr default_credentials() {
  return *static_cast<virConnectAuthPtr *>(kLibvirt.symbol("virConnectAuthPtrDefault"));
}

std::string unreachable_advice(const ConnectionUri &parts) {
  if (parts.is_flatpak()) {
    return "Check that it is installed and has a libvirt, with: flatpak run --command=virsh " + parts.path +
           " -c qemu:///session version.";
  }
  if (!parts.is_local()) return "Check the host, the transport and your rights there with: virsh -c URI version.";
  if (!parts.is_session()) {
    return "Check that the daemon runs (systemctl status libvirtd virtqemud) and that you may use it (group libvirt), "
           "or use --connect qemu:///session; --no-define needs no libvirt.";
  }
  if (const auto others = flatpaks_with_libvirt(); !others.empty()) {
    return "Use --connect flatpak:" + others.front() +
           ", which has a libvirt of its own, or install this computer's (Debian: apt install libvirt-daemon "
           "libvirt-daemon-driver-qemu qemu-system-x86).";
  }
  return "Install libvirt's QEMU driver and daemon (Debian: apt install libvirt-daemon libvirt-daemon-driver-qemu "
         "qemu-system-x86), check that XDG_RUNTIME_DIR names a folder of yours, or use --no-define, which needs no "
         "libvirt.";
}

bool is_unknown_flag(int code) { return code == VIR_ERR_INVALID_ARG || code == VIR_ERR_NO_SUPPORT; }

void undefine_domain(virConnect *handle, const std::string &name) {
  const Owned<virDomain> domain = find_domain(handle, name);
  const unsigned common =
      VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM;
#if LIBVIR_VERSION_NUMBER >= 8009000
  if (virDomainUndefineFlags(domain.get(), common | VIR_DOMAIN_UNDEFINE_KEEP_TPM) == 0) return;
  // A daemon before 8.9 does not know the TPM flags, and always removes the TPM's state.
  const virError *error = virGetLastError();
  if (error != nullptr && !is_unknown_flag(error->code)) throw refused("to remove the machine's definition");
#endif
  if (virDomainUndefineFlags(domain.get(), common) != 0) throw refused("to remove the machine's definition");
}

void refresh_pools_of(virConnect *handle, const std::filesystem::path &folder) {
  const auto pools =
      list_all<virStoragePool>([handle](auto ***items) { return virConnectListAllStoragePools(handle, items, 0); });
  for (const Owned<virStoragePool> &pool : pools) {
    const Owned<char> xml(virStoragePoolGetXMLDesc(pool.get(), 0));
    if (!xml) continue;
    std::error_code error;
    const std::filesystem::path target = directory_of_pool(xml.get());
    if (!target.empty() && std::filesystem::equivalent(target, folder, error) && !error) {
      virStoragePoolRefresh(pool.get(), 0);
    }
  }
}

}  // namespace

std::string last_message() {
  const virError *error = virGetLastError();
  return error == nullptr || error->message == nullptr ? "unknown error" : text::printable(error->message);
}

Error refused(const std::string &what, std::string advice) {
  const virError *error = virGetLastError();
  if (error != nullptr && error->domain == VIR_FROM_RPC) {  // its words are the transport's, not a refusal
    return {ErrorKind::libvirt,
            {.message = "the connection to libvirt was lost when it was asked " + what + ": " + last_message(),
             .advice = "Check that the daemon runs, then run the same command again."}};
  }
  return {ErrorKind::libvirt,
          {.message = "libvirt refused " + what + ": " + last_message(), .advice = std::move(advice)}};
}

Owned<virDomain> find_domain(virConnect *connection, const std::string &name) {
  Owned<virDomain> domain(virDomainLookupByName(connection, name.c_str()));
  if (!domain) throw refused("to find the machine \"" + text::printable(name) + '"');
  return domain;
}

Connection::Connection(const std::string &uri, const Deadlines &deadlines) : impl_(std::make_shared<Impl>()) {
  const ConnectionUri parts = ConnectionUri::parse(uri);
  impl_->uri = uri;
  impl_->local = parts.is_local();
  impl_->deadlines = deadlines;
  // libvirt would look for a system socket and complain about that; the cause is the user.
  if (geteuid() == 0 && (parts.is_own_session() || parts.is_flatpak())) {
    throw Error(ErrorKind::usage,
                {.message = "root has no libvirt session, so " + text::printable(uri) + " cannot be opened as root",
                 .advice = "Run this as your own user, or use --connect qemu:///system."});
  }
  prepare_once();
  if (parts.is_flatpak()) impl_->tunnel = std::make_unique<FlatpakTunnel>(parts.path);
  if (parts.path == "/embed") register_event_loop_once();
  within<void>({impl_->local ? deadlines.open : deadlines.open_remote, deadlines.stop}, ErrorKind::unreachable, uri,
               "to open a connection", [impl = impl_, parts] {
                 const std::string opened = impl->tunnel ? impl->tunnel->uri() : impl->uri;
                 impl->handle.reset(virConnectOpenAuth(opened.c_str(), default_credentials(), 0));
                 if (impl->handle) return;
                 throw Error(ErrorKind::unreachable, {.message = "libvirt cannot be reached at " +
                                                                 text::printable(impl->uri) + ": " + last_message(),
                                                      .advice = unreachable_advice(parts)});
               });
}

// Closing asks the daemon too. What is not answered keeps its own share of the handle.
Connection::~Connection() {
  if (!impl_->handle || impl_->silent) return;
  try {
    within<void>({kCloseDeadline, impl_->deadlines.stop}, ErrorKind::libvirt, impl_->uri, "to close the connection",
                 [impl = impl_] { impl->handle.reset(); });
  } catch (const std::exception &) {
    impl_->silent = true;
  }
}

HostProfile Connection::probe() const {
  return ask(impl_->deadlines.probe, "what this host can do",
             [impl = impl_](virConnect *) { return libvirt::probe(*impl); });
}

void Connection::define(const std::string &domain_xml) {
  ask(impl_->deadlines.call, "to define the machine", [domain_xml](virConnect *handle) {
    const Owned<virDomain> domain(virDomainDefineXMLFlags(handle, domain_xml.c_str(), VIR_DOMAIN_DEFINE_VALIDATE));
    if (!domain) throw refused("to define the machine");
  });
}

void Connection::undefine(const std::string &name) {
  ask(impl_->deadlines.call, "to remove the machine's definition",
      [name](virConnect *handle) { undefine_domain(handle, name); });
}

void Connection::start(const std::string &name) {
  const std::string what = "to start the machine \"" + text::printable(name) + '"';
  ask(impl_->deadlines.start, what, [name, what](virConnect *handle) {
    const Owned<virDomain> domain = find_domain(handle, name);
    if (virDomainCreate(domain.get()) == 0) return;
    throw refused(what, "It is defined; its log is in ~/.cache/libvirt/qemu/log for a session.");
  });
}

bool Connection::is_running(const std::string &name) const {
  const std::string what = "to say whether the machine \"" + text::printable(name) + "\" runs";
  return ask(impl_->deadlines.call, what, [name, what](virConnect *handle) {
    const Owned<virDomain> domain = find_domain(handle, name);
    const int active = virDomainIsActive(domain.get());
    if (active < 0) throw refused(what);
    return active == 1;
  });
}

void Connection::switch_off(const std::string &name) {
  const std::string what = "to stop the machine \"" + text::printable(name) + '"';
  ask(impl_->deadlines.call, what, [name, what](virConnect *handle) {
    const Owned<virDomain> domain = find_domain(handle, name);
    if (virDomainDestroy(domain.get()) != 0) throw refused(what);
  });
}

void Connection::define_snapshot(const std::string &domain_name, const std::string &snapshot_xml, bool current) {
  const unsigned flags = VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE | VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE |
                         (current ? unsigned{VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT} : 0U);
  const std::string what = "a snapshot of the machine \"" + text::printable(domain_name) + '"';
  ask(impl_->deadlines.call, "to take " + what, [domain_name, snapshot_xml, flags, what](virConnect *handle) {
    const Owned<virDomain> domain = find_domain(handle, domain_name);
    const Owned<virDomainSnapshot> snapshot(virDomainSnapshotCreateXML(domain.get(), snapshot_xml.c_str(), flags));
    if (!snapshot) throw refused(what);
  });
}

void Connection::refresh(const std::filesystem::path &folder) {
  try {
    ask(impl_->deadlines.call, "to look at its storage pools",
        [folder](virConnect *handle) { refresh_pools_of(handle, folder); });
  } catch (const Error &) {  // what a tool sees of the folder is fresh a little later, then
  }
}

}  // namespace ferry::libvirt
