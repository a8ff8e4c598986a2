// SPDX-License-Identifier: Apache-2.0
// The inside of Connection, shared by connection.cpp and probe.cpp only.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <type_traits>

#include "exporters/libvirt/host/connection.hpp"
#include "exporters/libvirt/host/deadline.hpp"
#include "exporters/libvirt/host/flatpak.hpp"
#include "exporters/libvirt/host/library.hpp"

#include "support/error.hpp"

namespace ferry::libvirt {

// Owners of libvirt's reference-counted handles.
struct Release {
  void operator()(virConnect *handle) const { virConnectClose(handle); }
  void operator()(virDomain *handle) const { virDomainFree(handle); }
  void operator()(virNetwork *handle) const { virNetworkFree(handle); }
  void operator()(virStoragePool *handle) const { virStoragePoolFree(handle); }
  void operator()(virDomainSnapshot *handle) const { virDomainSnapshotFree(handle); }
  void operator()(virStorageVol *handle) const { virStorageVolFree(handle); }
  void operator()(char *text) const { std::free(text); }  // NOLINT: libvirt hands out malloc'd text
};
template <class Handle>
using Owned = std::unique_ptr<Handle, Release>;

struct Connection::Impl {
  std::string uri;
  std::unique_ptr<FlatpakTunnel> tunnel;  // outlives the handle
  Owned<virConnect> handle;
  bool local = true;  // the hypervisor runs on this machine
  Deadlines deadlines;
  std::atomic<bool> silent = false;  // a call was not answered
};

// Everything that a HostProfile holds; see Connection::probe().
[[nodiscard]] HostProfile probe(const Connection::Impl &impl);

// What libvirt said last on this thread; "unknown error" when it said nothing.
[[nodiscard]] std::string last_message();
// "libvirt refused to start the machine "web"", with what libvirt said.
[[nodiscard]] Error refused(const std::string &what, std::string advice = {});

// The domain of that name. Throws Error libvirt.
[[nodiscard]] Owned<virDomain> find_domain(virConnect *connection, const std::string &name);

// A list of handles as libvirt's virConnectListAll* functions give it: owned, or empty when the call failed.
template <class Handle, class Call>
std::vector<Owned<Handle>> list_all(Call call) {
  Handle **items = nullptr;
  const int count = call(&items);
  std::vector<Owned<Handle>> out;
  if (count > 0) out.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) out.emplace_back(items[i]);
  std::free(items);  // NOLINT: the array is malloc'd by libvirt
  return out;
}

// What `work` gives, which takes the connection's handle and owns all else that it uses: it may outlive the call.
// `what` ends the sentence "it was asked ...". Throws Unanswered after the deadline.
template <class Work>
auto Connection::ask(std::chrono::milliseconds deadline, const std::string &what, Work work) const {
  using Result = decltype(work(static_cast<virConnect *>(nullptr)));
  if (impl_->silent) {
    throw Error(ErrorKind::libvirt, {.message = "libvirt did not answer before, so it was not asked " + what});
  }
  try {
    return within<Result>({deadline, impl_->deadlines.stop}, ErrorKind::libvirt, impl_->uri, what,
                          [impl = impl_, work = std::move(work)] { return work(impl->handle.get()); });
  } catch (const Unanswered &) {
    impl_->silent = true;
    throw;
  }
}

}  // namespace ferry::libvirt
