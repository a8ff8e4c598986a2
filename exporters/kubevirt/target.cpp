// SPDX-License-Identifier: Apache-2.0
#include "exporters/kubevirt/target.hpp"

#include <utility>

#include "exporters/kubevirt/manifest.hpp"
#include "exporters/kubevirt/mapping.hpp"

#include "support/text.hpp"

namespace ferry::kubevirt {
namespace {

Json virtual_machine(const Mapping &m) {
  Json domain = m.domain;
  domain["devices"] = m.devices;
  Json spec = {{"domain", std::move(domain)}};
  if (!m.networks.empty()) spec["networks"] = m.networks;
  if (!m.volumes.empty()) spec["volumes"] = m.volumes;
  Json annotations = {{"virt-ferry/name", m.input.identity.title}};
  if (!m.machine.description.empty()) annotations["virt-ferry/description"] = m.machine.description;
  return {{"apiVersion", "kubevirt.io/v1"},
          {"kind", "VirtualMachine"},
          {"metadata", {{"annotations", std::move(annotations)}, {"name", m.input.identity.name}}},
          {"spec", {{"runStrategy", "Halted"}, {"template", {{"spec", std::move(spec)}}}}}};
}

// The DataVolumes are made with the machine; the uploads fill them.
std::vector<std::string> next_steps(const Mapping &m, const std::filesystem::path &document) {
  std::vector<std::string> out{"kubectl apply -f " + text::shell_word(document.string())};
  out.insert(out.end(), m.uploads.begin(), m.uploads.end());
  out.push_back("virtctl start " + m.input.identity.name);
  out.push_back("virtctl console " + m.input.identity.name + "    # or: virtctl vnc");
  return out;
}

}  // namespace

Mapping::Mapping(const target::Request &request, const std::string &zone)
    : Bookkeeper(request.field_prefix),
      input(request),
      machine(*request.machine),
      hardware(request.hardware != nullptr ? *request.hardware : request.machine->hardware),
      time_zone(zone) {}

Target::Target(std::filesystem::path folder, std::string time_zone)
    : target::Target({.name = "KubeVirt",
                      .place = "the cluster",
                      .assumed = false,
                      .image_folder = std::move(folder),
                      .document_suffix = ".yaml",
                      .keeps_snapshots = false,
                      .keeps_variables = false,
                      .has_cd_drives = false,
                      .taken = {}}),
      time_zone_(std::move(time_zone)) {}

std::optional<target::FirmwareImage> Target::choose_firmware(const Hardware &, bool) const { return std::nullopt; }

target::Result Target::describe(const target::Request &request) const {
  if (request.machine == nullptr)
    throw Error(ErrorKind::internal, {.message = "a machine that is to be described is missing"});
  Mapping m(request, time_zone_);
  // Whatever nothing below says more of.
  m.drop("", "KubeVirt has no counterpart");
  m.keep("/description", "an annotation");
  m.translate("/guest_os", "KubeVirt has no field for it");
  m.drop("/extra", "KubeVirt has no counterpart");
  if (m.machine.guest_data) {
    m.drop("/guest_data", "a machine of KubeVirt's has no CD drive here");
    m.raise(kSeedDropped, m.machine.guest_data->origin, "What the platform told the guest is left out.");
  }
  m.drop("/groups", "KubeVirt has labels and namespaces, which are the cluster's to choose");
  map_board(m);
  map_firmware(m);
  map_disks(m);
  map_cards(m);
  map_boot_order(m);
  map_devices(m);
  std::vector<Json> objects = std::move(m.data_volumes);
  objects.push_back(virtual_machine(m));
  m.result.document = manifest(objects);
  m.result.next_steps = next_steps(m, request.folder / (request.identity.name + facts.document_suffix));
  return std::move(m.result);
}

std::string Target::describe_snapshot(const target::SnapshotRequest &) const {
  throw Error(ErrorKind::internal, {.message = "a snapshot was planned for KubeVirt"});
}

std::optional<Finding> Target::snapshot_limits(const Hardware &) const { return std::nullopt; }

std::string Target::with_run_mark(const std::string &document, const std::string &run) const {
  return with_annotation(document, "virt-ferry/run", run);
}

void Target::add_files(const std::string &, target::MachineFiles &) const {}

void Target::refuse_start(const target::Start &) const {
  throw Error(ErrorKind::internal, {.message = "no machine is started in a cluster"});
}

}  // namespace ferry::kubevirt
