// SPDX-License-Identifier: Apache-2.0
#include "tests/export/real_libvirt.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <memory>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace ferry::test {
namespace {

// The driver wants an account of its own ("libvirt-qemu") when it runs as root, which build machines may lack; as
// nobody it wants none.
void become_nobody(const std::string &home) {
  constexpr uid_t kNobody = 65534;
  if (geteuid() != 0) return;
  if (chown(home.c_str(), kNobody, kNobody) != 0) return;
  if (setresgid(kNobody, kNobody, kNobody) != 0 || setresuid(kNobody, kNobody, kNobody) != 0) std::abort();
}

class Driver {
 public:
  static Driver &instance() {
    static Driver driver;
    return driver;
  }

  [[nodiscard]] const std::string &root() const { return root_; }
  [[nodiscard]] virConnectPtr connection() const { return connection_; }

 private:
  Driver() {
    char folder[] = "/tmp/ferry-libvirt-XXXXXX";
    if (mkdtemp(folder) == nullptr) return;
    root_ = folder;
    become_nobody(root_);
    setenv("HOME", folder, 1);
    for (const char *name : {"XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"}) unsetenv(name);
    virSetErrorFunc(nullptr, [](void *, virErrorPtr) {});
    if (virEventRegisterDefaultImpl() != 0) return;
    events_ = std::thread([this] {
      while (!stop_) virEventRunDefaultImpl();
    });
    timer_ = virEventAddTimeout(
        50, [](int, void *) {}, nullptr, nullptr);
    connection_ = virConnectOpen(("qemu:///embed?root=" + root_).c_str());
  }

  ~Driver() {
    if (connection_ != nullptr) virConnectClose(connection_);
    stop_ = true;
    if (events_.joinable()) events_.join();
    std::error_code ignored;
    if (!root_.empty()) std::filesystem::remove_all(root_, ignored);
  }

  std::string root_;
  virConnectPtr connection_ = nullptr;
  std::thread events_;
  std::atomic<bool> stop_{false};
  int timer_ = -1;
};

std::string last_error() {
  const virErrorPtr error = virGetLastError();
  return error != nullptr && error->message != nullptr ? error->message : "unknown error";
}

struct DomainFree {
  void operator()(virDomainPtr domain) const {
    virDomainUndefineFlags(
        domain, VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_TPM);
    virDomainFree(domain);
  }
};
using DomainHandle = std::unique_ptr<virDomain, DomainFree>;

}  // namespace

std::optional<std::string> define_in_real_libvirt(const std::string &domain_xml, bool &skipped) {
  return define_snapshot_in_real_libvirt(domain_xml, {}, skipped);
}

std::optional<std::string> define_snapshot_in_real_libvirt(const std::string &domain_xml,
                                                           const std::string &snapshot_xml, bool &skipped) {
  virConnectPtr connection = Driver::instance().connection();
  skipped = connection == nullptr;
  if (skipped) return std::nullopt;
  const DomainHandle domain(virDomainDefineXMLFlags(connection, domain_xml.c_str(), VIR_DOMAIN_DEFINE_VALIDATE));
  if (!domain) return last_error();
  if (snapshot_xml.empty()) return std::nullopt;
  virDomainSnapshotPtr snapshot = virDomainSnapshotCreateXML(
      domain.get(), snapshot_xml.c_str(), VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE | VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE);
  if (snapshot == nullptr) return last_error();
  virDomainSnapshotFree(snapshot);
  return std::nullopt;
}

std::optional<std::string> start_in_real_libvirt(const std::string &domain_xml, bool &skipped) {
  virConnectPtr connection = Driver::instance().connection();
  skipped = connection == nullptr;
  if (skipped) return std::nullopt;
  const DomainHandle domain(virDomainDefineXMLFlags(connection, domain_xml.c_str(), VIR_DOMAIN_DEFINE_VALIDATE));
  if (!domain) return last_error();
  if (virDomainCreateWithFlags(domain.get(), VIR_DOMAIN_START_PAUSED) != 0) return last_error();
  virDomainDestroy(domain.get());
  return std::nullopt;
}

std::filesystem::path real_libvirt_folder() { return Driver::instance().root(); }

unsigned real_libvirt_version() {
  unsigned long version = 0;
  return virGetVersion(&version, nullptr, nullptr) == 0 ? static_cast<unsigned>(version) : 0;
}

}  // namespace ferry::test
