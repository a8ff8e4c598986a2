// SPDX-License-Identifier: Apache-2.0
// What is defined on a connection, and how to define it again.
#include <set>

#include "exporters/libvirt/host/connection.hpp"
#include "exporters/libvirt/host/connection_impl.hpp"
#include "exporters/libvirt/host/domain_files.hpp"
#include "exporters/libvirt/host/run_mark.hpp"

#include "support/text.hpp"
#include "support/xml.hpp"

namespace ferry::libvirt {

namespace {

const std::filesystem::path kShown = "libvirt domain";

std::string quoted(const std::string &name) { return "\"" + text::printable(name) + '"'; }

std::string xml_of(virDomain *domain, unsigned flags, const char *name) {
  const Owned<char> xml(virDomainGetXMLDesc(domain, flags));
  if (!xml) throw refused(std::string("to show the definition of the machine ") + quoted(name));
  return xml.get();
}

// Parents before children. The handles live as long as the result.
std::vector<Owned<virDomainSnapshot>> snapshots_of(virDomain *domain) {
  virDomainSnapshotPtr *items = nullptr;
  const int count = virDomainListAllSnapshots(domain, &items, VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL);
  if (count < 0) throw refused(std::string("to list the snapshots of the machine ") + quoted(virDomainGetName(domain)));
  std::vector<Owned<virDomainSnapshot>> out;
  for (int i = 0; i < count; ++i) out.emplace_back(items[i]);
  std::free(items);  // NOLINT: the array is malloc'd by libvirt
  return out;
}

// Where a volume of a pool lies; "" when the pool or the volume is not there (any more).
std::string path_of_volume(virConnect *handle, const std::string &pool_name, const std::string &name) {
  const Owned<virStoragePool> pool(virStoragePoolLookupByName(handle, pool_name.c_str()));
  if (!pool) return "";
  const Owned<virStorageVol> volume(virStorageVolLookupByName(pool.get(), name.c_str()));
  const Owned<char> path(volume ? virStorageVolGetPath(volume.get()) : nullptr);
  return path ? path.get() : "";
}

target::MachineFacts facts_of(virDomain *domain) {
  target::MachineFacts out;
  const VolumePath volume_path = [domain](const std::string &pool, const std::string &volume) {
    return path_of_volume(virDomainGetConnect(domain), pool, volume);
  };
  out.name = virDomainGetName(domain);
  char uuid[VIR_UUID_STRING_BUFLEN] = {};
  if (virDomainGetUUIDString(domain, uuid) == 0) out.uuid = uuid;
  // A machine that runs goes on with what it was started with, whatever was redefined since.
  const std::string inactive = xml_of(domain, VIR_DOMAIN_XML_INACTIVE, out.name.c_str());
  out.run = run_mark(xml::parse(inactive, kShown));
  add_files_of_domain(inactive, out.files, volume_path);
  add_files_of_domain(xml_of(domain, 0, out.name.c_str()), out.files, volume_path);
  out.running = virDomainIsActive(domain) == 1;
  out.suspended = virDomainHasManagedSaveImage(domain, 0) == 1;
  for (const Owned<virDomainSnapshot> &snapshot : snapshots_of(domain)) {
    out.snapshots.emplace_back(virDomainSnapshotGetName(snapshot.get()));
    // Going back to it takes its files.
    if (const Owned<char> xml{virDomainSnapshotGetXMLDesc(snapshot.get(), 0)}) {
      add_files_of_domain(xml.get(), out.files, volume_path);
    }
  }
  return out;
}

std::optional<target::MachineFacts> facts_or_none(const Owned<virDomain> &domain, const std::string &what) {
  if (domain) return facts_of(domain.get());
  const virError *error = virGetLastError();
  if (error != nullptr && error->code == VIR_ERR_NO_DOMAIN) return std::nullopt;
  throw refused(what);
}

target::SavedMachine saved(virConnect *handle, const std::string &name) {
  const Owned<virDomain> domain = find_domain(handle, name);
  target::SavedMachine out;
  out.document = xml_of(domain.get(), VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE, name.c_str());
  for (const Owned<virDomainSnapshot> &snapshot : snapshots_of(domain.get())) {
    const Owned<char> xml(virDomainSnapshotGetXMLDesc(snapshot.get(), VIR_DOMAIN_SNAPSHOT_XML_SECURE));
    if (!xml) throw refused("to show a snapshot of the machine " + quoted(name));
    out.snapshots.push_back(
        {virDomainSnapshotGetName(snapshot.get()), xml.get(), virDomainSnapshotIsCurrent(snapshot.get(), 0) == 1});
  }
  int autostart = 0;
  out.autostart = virDomainGetAutostart(domain.get(), &autostart) == 0 && autostart != 0;
  return out;
}

void define_again(virConnect *handle, const std::string &name, const target::SavedMachine &saved) {
  // Not validated: it was libvirt's own.
  const Owned<virDomain> domain(virDomainDefineXML(handle, saved.document.c_str()));
  if (!domain) throw refused("to define the machine " + quoted(name) + " as it was");
  std::set<std::string> there;
  for (const Owned<virDomainSnapshot> &snapshot : snapshots_of(domain.get()))
    there.insert(virDomainSnapshotGetName(snapshot.get()));
  for (const target::SavedMachine::Snapshot &snapshot : saved.snapshots) {
    if (there.contains(snapshot.name)) continue;
    const unsigned flags =
        VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE | (snapshot.current ? unsigned{VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT} : 0U);
    const Owned<virDomainSnapshot> made(virDomainSnapshotCreateXML(domain.get(), snapshot.document.c_str(), flags));
    if (!made) throw refused("a snapshot of the machine " + quoted(name) + " as it was");
  }
  if (saved.autostart && virDomainSetAutostart(domain.get(), 1) != 0)
    throw refused("to start the machine " + quoted(name) + " by itself again");
}

}  // namespace

std::optional<target::MachineFacts> Connection::machine_named(const std::string &name) const {
  const std::string what = "to say whether the machine " + quoted(name) + " exists";
  return ask(impl_->deadlines.call, what, [name, what](virConnect *handle) {
    return facts_or_none(Owned<virDomain>(virDomainLookupByName(handle, name.c_str())), what);
  });
}

std::optional<target::MachineFacts> Connection::machine_of(const std::string &uuid) const {
  const std::string what = "to say whether the machine " + quoted(uuid) + " exists";
  return ask(impl_->deadlines.call, what, [uuid, what](virConnect *handle) {
    return facts_or_none(Owned<virDomain>(virDomainLookupByUUIDString(handle, uuid.c_str())), what);
  });
}

std::vector<target::MachineFacts> Connection::machines() const {
  return ask(impl_->deadlines.probe, "what machines there are", [](virConnect *handle) {
    std::vector<target::MachineFacts> out;
    for (const Owned<virDomain> &domain :
         list_all<virDomain>([handle](auto ***items) { return virConnectListAllDomains(handle, items, 0); })) {
      out.push_back(facts_of(domain.get()));
    }
    return out;
  });
}

target::SavedMachine Connection::save(const std::string &name) const {
  return ask(impl_->deadlines.call, "to show the definition of the machine " + quoted(name),
             [name](virConnect *handle) { return saved(handle, name); });
}

void Connection::restore(const std::string &name, const target::SavedMachine &saved) {
  ask(impl_->deadlines.call, "to define the machine " + quoted(name) + " as it was",
      [name, saved](virConnect *handle) { define_again(handle, name, saved); });
}

}  // namespace ferry::libvirt
