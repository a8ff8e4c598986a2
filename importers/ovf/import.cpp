// SPDX-License-Identifier: Apache-2.0
// From a package to machines: open, parse, take apart, and for each virtual system read declarations, identity and
// hardware, and account for the rest.
#include "importers/ovf/context.hpp"
#include "importers/ovf/ovf.hpp"
#include "importers/ovf/ovirt.hpp"
#include "importers/ovf/virtualbox.hpp"

#include "support/xml.hpp"

namespace ferry::ovf {
namespace {

// The configuration is said as a finding only to packages that have a choice; a stray wish is a mistake.
void check_configuration(const Context &in) {
  if (in.options.ovf_configuration.empty() || !in.configuration.empty()) return;
  throw Error(ErrorKind::usage, {.where = in.envelope.place(),
                                 .message = "the package offers no deployment configurations",
                                 .found = in_quotes(in.options.ovf_configuration),
                                 .expected = "no --ovf-configuration"});
}

void check_version(Context &in) {
  if (in.version == "0.9" || in.version == "1" || in.version == "2") return;
  in.raise(finding::kVersionUnknown, in.envelope.place(),
           "the envelope is of the unknown version " + in_quotes(in.version));
}

ImportedMachine import_system(const Package &package, const ImportOptions &options, const SystemTree &tree,
                              const std::string &version, std::map<std::string, Place> &unused) {
  ImportedMachine out;
  const SettingsReader root = SettingsReader::open(tree.envelope, package.shown_as(), out.ledger);
  Context in{.package = package,
             .options = options,
             .machine = out.machine,
             .findings = out.findings,
             .envelope = root,
             .contents = contents(root),
             .version = version,
             .platform = is_ovirt(root.element()) ? Platform::ovirt : Platform::other,
             .configuration = {},
             .files = {},
             .disks = {},
             .networks = {},
             .isolated = {},
             .properties = {},
             .drive_of = {},
             .boot_name_of = {},
             .boot_instances = {},
             .used_disks = {},
             .controller_places = {}};
  out.machine.source.kind = SourceKind::ovf;
  out.machine.source.file = package.file();
  out.machine.source.format_version = version;
  out.machine.origin = in.system().place();
  check_version(in);
  refuse_encrypted(in);
  collect_declarations(in);
  check_configuration(in);
  if (!tree.virtualbox_machine || !import_virtualbox(in, *tree.virtualbox_machine, out.ledger)) {
    read_identity(in);
    if (in.platform == Platform::ovirt) read_ovirt_machine(in);
    read_hardware(in);
    read_connections(in);
    apply_platform_defaults(in);
  }
  if (package.has_certificate()) {
    in.raise(finding::kSignature, {.file = package.file()}, "the package's certificate was not checked");
  }
  settle_sections(in);
  for (const auto &[id, disk] : in.disks) unused.emplace(id, disk.place());
  for (const std::string &id : in.used_disks) unused[id] = {};
  return out;
}

}  // namespace

namespace {

// The disks of the package that no drive of any of its machines holds: somebody forgot them, or the descriptor did.
void report_unused(const std::map<std::string, Place> &disks, std::vector<ImportedMachine> &machines) {
  for (const auto &[id, where] : disks) {
    if (where == Place{}) continue;  // a drive has it
    machines.front().findings.push_back(
        raise(finding::kDiskUnused, where, "the disk " + in_quotes(id) + " is in none of the package's drives"));
  }
}

}  // namespace

namespace {

std::vector<ImportedMachine> import_package(Package whole, const ImportOptions &options) {
  const auto opened = std::make_shared<const Package>(std::move(whole));
  const Package &package = *opened;
  xml::Element envelope = xml::parse(package.descriptor(), package.shown_as());
  const std::string version = version_of(envelope);
  std::vector<ImportedMachine> out;
  std::map<std::string, Place> disks;  // of all machines; an empty place: in use
  for (const SystemTree &tree : split_systems(std::move(envelope), package.shown_as())) {
    out.push_back(import_system(package, options, tree, version, disks));
    out.back().package = opened;
  }
  report_unused(disks, out);
  return out;
}

}  // namespace

std::vector<ImportedMachine> import_file(const std::filesystem::path &file, const ImportOptions &options) {
  return import_package(Package::open(file, options.head.get()), options);
}

std::vector<ImportedMachine> import_listed(const std::filesystem::path &file, ArchiveListing listing,
                                           const ImportOptions &options) {
  return import_package(Package::of_listing(file, std::move(listing)), options);
}

}  // namespace ferry::ovf
