// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/map/mapping.hpp"

#include <algorithm>
#include <utility>

#include "exporters/libvirt/host/connection_uri.hpp"
#include "exporters/libvirt/map/storage_buses.hpp"

namespace ferry::libvirt {
namespace {

// Our layout: slots that devices may have on a source, whether this one has them or not. A device without a place on
// the source goes elsewhere, so that one that is added by hand later still finds its own.
constexpr std::array<unsigned, 21> kUsedBySources = {2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                                     13, 14, 15, 16, 17, 18, 19, 20, 22, 31};

// One PCI bridge on `pc`; on q35 root ports, eight to a slot.
constexpr unsigned kLeftForBridges = 3;

bool used_by_sources(unsigned slot) {
  for (const unsigned used : kUsedBySources) {
    if (used == slot) return true;
  }
  return false;
}

// Firmware with SMM, which is what Secure Boot needs, runs on q35 only.
bool needs_secure_board(const ExportInput &in, const Hardware &hardware) {
  if (hardware.firmware.type == FirmwareType::bios) return false;
  if (!in.firmware) return hardware.firmware.secure_boot.value_or(false);
  return in.firmware->secure_boot || in.firmware->descriptor.features.contains("requires-smm");
}

}  // namespace

PciSlots::PciSlots(bool q35) {
  used_[0] = true;
  used_[q35 ? 31 : 1] = true;
}

std::optional<PciAddress> PciSlots::take(unsigned wanted) {
  if (wanted >= used_.size() || used_[wanted]) return std::nullopt;
  used_[wanted] = true;
  reserved_[wanted] = false;
  return PciAddress{.slot = wanted};
}

std::optional<PciAddress> PciSlots::place(std::optional<unsigned> wanted) {
  if (wanted) {
    if (auto address = take(*wanted)) return address;
  }
  // The last free slots are left to the bridges that libvirt then adds for devices without an address.
  unsigned free = 0;
  for (unsigned slot = 0; slot < used_.size(); ++slot) free += used_[slot] || reserved_[slot] ? 0U : 1U;
  if (free <= kLeftForBridges) return std::nullopt;
  for (const bool avoid : {true, false}) {
    for (unsigned slot = 1; slot < used_.size(); ++slot) {
      // Slot 1 of q35 is left alone: libvirt puts root ports of its own there.
      if (used_[slot] || reserved_[slot] || slot == 1 || (avoid && used_by_sources(slot))) continue;
      return take(slot);
    }
  }
  return std::nullopt;
}

Mapping::Mapping(const ExportInput &in)
    : Bookkeeper(in.field_prefix),
      input(in),
      machine(*in.machine),
      hardware(in.hardware != nullptr ? *in.hardware : in.machine->hardware),
      host(*in.host),
      options(in.options),
      board(choose_board(hardware, &machine, host, &options, needs_secure_board(in, hardware))),
      slots(board.q35) {
  const bool secure = needs_secure_board(in, hardware);
  if (!board.q35 || hardware.described_by_qemu() || secure || !boots_from_ide_alone(*this)) return;
  if (!has_board(host, false) || (efi() && !firmware_exists(hardware, host, secure, false))) return;
  board = {};
  slots = PciSlots(false);
}

bool Mapping::session() const { return ConnectionUri::parse(host.uri).is_session(); }

bool Mapping::host_has_libvirt(unsigned major, unsigned minor) const {
  return host.libvirt_version >= major * 1000000 + minor * 1000;
}

std::filesystem::path Mapping::target_folder() const {
  if (!input.folder.empty()) return input.folder;
  if (input.firmware && input.firmware->nvram.is_absolute()) return input.firmware->nvram.parent_path();
  for (const target::Medium &medium : input.media) {
    if (!medium.read_only && medium.file.is_absolute()) return medium.file.parent_path();
  }
  return host.image_folder;
}

DomainController *Mapping::nvme_controller(unsigned index) {
  const auto found = std::find_if(
      domain.controllers.begin(), domain.controllers.end(),
      [&](const DomainController &controller) { return controller.type == "nvme" && controller.index == index; });
  return found == domain.controllers.end() ? nullptr : &*found;
}

void Mapping::cpu_feature(std::string_view name, std::string_view policy) {
  for (const CpuFeaturePolicy &feature : domain.cpu.features) {
    if (feature.name == name) return;
  }
  domain.cpu.features.push_back({std::string(name), std::string(policy)});
}

// Once for each reason: two drives of one model are one.
void Mapping::taint(std::string_view why) {
  const std::string message = "The domain has QEMU arguments that libvirt does not check: " + std::string(why) + ".";
  const bool said = std::any_of(result.findings.begin(), result.findings.end(),
                                [&](const Finding &finding) { return finding.message == message; });
  if (!said) raise(kDomainTainted, {}, message);
}

void Mapping::listen(target::ListenPort port) {
  const auto other = input.used_ports.find(port.key());
  if (other != input.used_ports.end()) {
    raise(kPortShared, port.origin,
          port.use + " needs " + port.protocol + " port " + std::to_string(port.port) +
              " of the host, which the machine '" + other->second + "' needs too.");
  }
  result.listen.push_back(std::move(port));
}

bool has(const std::set<std::string> &set, std::string_view value) { return set.contains(std::string(value)); }

bool unknown_or_has(const std::set<std::string> &set, std::string_view value) { return set.empty() || has(set, value); }

}  // namespace ferry::libvirt
