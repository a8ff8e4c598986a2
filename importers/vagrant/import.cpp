// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "importers/ovf/ovf.hpp"
#include "importers/vagrant/box.hpp"
#include "importers/vagrant/findings.hpp"
#include "importers/vagrant/libvirt.hpp"
#include "importers/vagrant/settings.hpp"
#include "importers/vagrant/vagrant.hpp"
#include "importers/vmx/vmx.hpp"

#include "support/text.hpp"

namespace ferry::vagrant {
namespace {

namespace fs = std::filesystem;

std::string suffix_of(const std::string &name) { return text::lower_ascii(fs::path(name).extension().string()); }

bool is_libvirt(std::string_view provider) { return provider == "libvirt" || provider == "qemu"; }

// What the Vagrantfile sets in the .vmx: Vagrant writes it there before the machine starts. Lines keep their numbers.
std::string with_overrides(const std::string &vmx, const std::vector<Options::Indexed> &overrides) {
  if (overrides.empty()) return vmx;
  std::string out;
  std::string_view rest = vmx;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    const std::string_view key = text::trim(line.substr(0, line.find('=')));
    const bool replaced = std::any_of(overrides.begin(), overrides.end(),
                                      [&](const auto &one) { return text::iequals_ascii(one.key, key); });
    if (!replaced) out += line;
    out += '\n';
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (auto one = overrides.begin(); one != overrides.end(); ++one) {
    const bool again = std::any_of(std::next(one), overrides.end(),
                                   [&](const auto &later) { return text::iequals_ascii(later.key, one->key); });
    if (!again && one->value && one->value->find_first_of("\"\n") == std::string::npos)
      out += one->key + " = \"" + *one->value + "\"\n";
  }
  return out;
}

ImportedMachine import_vmware(const std::shared_ptr<const Box> &box, const std::string &vmx,
                              const ImportOptions &given) {
  Ledger ledger;
  std::vector<Finding> findings;
  if (box->text("metadata.json") != nullptr) (void)read_metadata(*box, ledger);
  Options options(*box, {"vmware_desktop", "vmware_fusion", "vmware_workstation"}, ledger, findings);
  const std::string text = with_overrides(*box->text(vmx), options.indexed("vmx", "set in the .vmx, as Vagrant does"));
  options.finish();
  const std::string folder = fs::path(vmx).parent_path().string();
  const vmx::Inside inside{.find = [&](const std::string &location) { return box->find(location, folder); },
                           .gzip = box->is_gzip()};
  ImportedMachine out = vmx::import_inside(text, box->shown(vmx), given, inside, std::move(ledger));
  out.findings.insert(out.findings.end(), findings.begin(), findings.end());
  Machine &machine = out.machine;
  machine.source.kind = SourceKind::vagrant;
  machine.source.file = box->file();
  for (const std::string &list : box->texts_with(".vmsd")) {
    if (box->text(list)->find("snapshot0.uid") != std::string::npos)
      out.findings.push_back(raise(kSnapshotsLeft, {box->shown(list), {}, {}}, "the machine in the box has snapshots"));
  }
  return out;
}

[[noreturn]] void refuse(const Box &box, const std::string &provider) {
  struct Other {
    std::string_view provider, advice;
  };
  constexpr std::array<Other, 4> kOthers{
      {{"hyperv",
        "Unpack it with 'tar xf', convert the disk in it with 'virt-ferry disk convert DISK.vhdx NEW.qcow2', and "
        "create a machine for it with virt-install."},
       {"parallels",
        "Unpack it with 'tar xf', convert the .hds file in it with 'virt-ferry disk convert', and create a machine for "
        "it with virt-install."},
       {"docker", "It holds no machine; run it with Docker or Podman."},
       {"lxc", "It holds no machine; run it with LXC."}}};
  std::string advice = "Get the box for VirtualBox, VMware or libvirt, if there is one.";
  for (const Other &other : kOthers) {
    if (other.provider == provider) advice = other.advice;
  }
  throw Error(
      ErrorKind::unsupported,
      {.where = {box.file(), std::nullopt, {}},
       .message = provider.empty() ? "the archive contains no virtual machine that virt-ferry can read"
                                   : "the box is for a provider that virt-ferry cannot read",
       .found = provider.empty() ? std::to_string(box.members().size()) + " members" : text::printable(provider),
       .expected = "a Vagrant box for VirtualBox, VMware or libvirt, or an OVF package",
       .advice = std::move(advice)});
}

// Which of several: the one that the box's own metadata is beside, else the only one.
std::string only_vmx(const Box &box) {
  const std::vector<std::string> all = box.texts_with(".vmx");
  if (all.size() <= 1) return all.empty() ? std::string() : all.front();
  std::vector<std::string> top;
  std::copy_if(all.begin(), all.end(), std::back_inserter(top),
               [](const std::string &name) { return name.find('/') == std::string::npos; });
  if (top.size() == 1) return top.front();
  std::string list;
  for (const std::string &name : all) list += (list.empty() ? "" : ", ") + text::printable(name);
  throw Error(ErrorKind::unsupported,
              {.where = {box.file(), std::nullopt, {}},
               .message = "the archive contains several virtual machines",
               .found = std::move(list),
               .expected = "one",
               .advice = "Unpack it with 'tar xf', and use 'virt-ferry batch' for its folder."});
}

ImportedMachine import_box(Box whole, const ImportOptions &options) {
  const auto box = std::make_shared<const Box>(std::move(whole));
  const std::string *metadata = box->text("metadata.json");
  const std::string provider = metadata == nullptr ? std::string() : provider_of(*metadata);
  const std::string vmx = only_vmx(*box);
  ImportedMachine out;
  if (is_libvirt(provider) || (provider.empty() && box->find("box.img"))) {
    out = import_libvirt(*box, options);
  } else if (!vmx.empty()) {
    out = import_vmware(box, vmx, options);
  } else {
    refuse(*box, provider);
  }
  if (box->is_archive()) out.package = box;
  return out;
}

std::vector<ImportedMachine> machines_of(const fs::path &file, const ImportOptions &options) {
  std::vector<ImportedMachine> out;
  if (suffix_of(file.string()) == ".json") {
    out.push_back(import_box(Box::of_folder(file), options));
    return out;
  }
  const bool fresh = options.head != nullptr && file::status_of(file) == options.head->status;
  ovf::ArchiveListing listing = ovf::list_archive(file, fresh ? options.head.get() : nullptr);
  const bool ovf = std::any_of(listing.members.begin(), listing.members.end(),
                               [](const auto &member) { return suffix_of(member.name) == ".ovf"; });
  if (ovf) return ovf::import_listed(file, std::move(listing), options);
  out.push_back(import_box(Box::of_listing(file, std::move(listing)), options));
  return out;
}

}  // namespace

bool looks_like_box(const fs::path &file, file::Head *head) {
  const ovf::Beginning begin = ovf::beginning_of(file, head);
  const auto has = [&](const auto &is) { return std::any_of(begin.names.begin(), begin.names.end(), is); };
  if (has([](const std::string &name) { return name == "ova.xml"; })) return false;  // XenServer's
  if (has([](const std::string &name) {
        const std::string suffix = suffix_of(name);
        return suffix == ".ovf" || suffix == ".vmx" || name == "box.img";
      }))
    return true;
  if (!provider_of(begin.metadata).empty()) return true;
  // Compressed, with a disk before all else.
  return begin.more && has([](const std::string &name) {
           const std::string suffix = suffix_of(name);
           return suffix == ".vmdk" || suffix == ".qcow2" || suffix == ".img";
         });
}

bool looks_like_metadata(std::string_view text) {
  return text.find("\"provider\"") != std::string_view::npos && is_libvirt(provider_of(text));
}

std::vector<ImportedMachine> import_file(const fs::path &given, const ImportOptions &options) {
  std::vector<ImportedMachine> out = machines_of(fs::absolute(given).lexically_normal(), options);
  // A box is a template: each machine that is made of it begins with a TPM of its own.
  for (ImportedMachine &imported : out) {
    if (imported.machine.hardware.tpm) imported.machine.hardware.tpm->unused = true;
  }
  return out;
}

const Box *box_of(const ImportedMachine &imported) { return dynamic_cast<const Box *>(imported.package.get()); }

}  // namespace ferry::vagrant
