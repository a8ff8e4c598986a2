// SPDX-License-Identifier: Apache-2.0
// <ExtraData>: free-form names and values. VBoxInternal/... reaches into VirtualBox's devices and is what people set
// to hide or to move a machine: DMI strings, drive serials, NAT forwards of old versions, macOS' SMC key. The rest
// belongs to windows and other programs. Facts: VirtualBox's manual.
#include <array>
#include <functional>

#include "importers/vbox/findings.hpp"
#include "importers/vbox/scope.hpp"

#include "support/text.hpp"

namespace ferry::vbox {
namespace {

// The parts of "VBoxInternal/Devices/<device>/<instance>/<rest>".
struct DevicePath {
  std::string_view device, rest;
  unsigned instance = 0;
};

std::optional<DevicePath> device_path(std::string_view name) {
  constexpr std::string_view kStart = "VBoxInternal/Devices/";
  if (!name.starts_with(kStart)) return std::nullopt;
  name.remove_prefix(kStart.size());
  const std::size_t first = name.find('/');
  const std::size_t second = first == std::string_view::npos ? first : name.find('/', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  constexpr std::uint64_t kMostInstances = 255;
  const auto instance = text::parse_u64(name.substr(first + 1, second - first - 1));
  if (!instance || *instance > kMostInstances) return std::nullopt;
  return DevicePath{name.substr(0, first), name.substr(second + 1), static_cast<unsigned>(*instance)};
}

struct Item {
  Import &in;
  const SettingsReader &element;
  std::string_view name;
  const std::string &value;

  void take(const std::string &field) const { (void)element.text("value", field); }
  void settle(Disposition disposition, std::string_view note) const { element.settle("value", disposition, note); }
  // Extra data holds for the machine in all its states.
  void for_each_state(const std::function<void(Hardware &)> &apply) const {
    for (Snapshot &snapshot : in.machine.snapshots) apply(snapshot.hardware);
    apply(in.machine.hardware);
  }
};

bool read_dmi(const Item &item, const DevicePath &path) {
  constexpr std::string_view kConfig = "Config/";
  const bool efi = path.device == "efi";
  if (!efi && path.device != "pcbios") return false;
  if (!path.rest.starts_with(kConfig) || !path.rest.substr(kConfig.size()).starts_with("Dmi")) return false;
  const bool machine_is_efi = item.in.machine.hardware.firmware.type != FirmwareType::bios;
  if (efi != machine_is_efi) {
    item.settle(Disposition::irrelevant, "for a firmware that this machine does not use");
    return true;
  }
  std::string field;
  bool known = true;
  item.for_each_state(
      [&](Hardware &hw) { known = apply_dmi(path.rest.substr(kConfig.size()), item.value, hw.smbios, field); });
  if (known) {
    item.take("hardware." + field);
  } else {
    item.settle(Disposition::dropped, "libvirt's <sysinfo> has no such SMBIOS field");
  }
  return true;
}

// "Port3" of an AHCI controller, "SecondaryMaster" of an IDE one.
bool names_drive(std::string_view part, const DevicePath &path, const Controller &controller, const Drive &drive) {
  static constexpr std::array<std::string_view, 4> kIde{"PrimaryMaster", "PrimarySlave", "SecondaryMaster",
                                                        "SecondarySlave"};
  if (controller.index != path.instance) return false;
  if (path.device == "ahci") {
    return controller.type == ControllerType::ahci && part == "Port" + std::to_string(drive.port);
  }
  const std::size_t place = drive.port * 2 + drive.device;
  return path.device == "piix3ide" && is_ide(controller.type) && place < kIde.size() && part == kIde[place];
}

std::string without_type(const std::string &value) {
  constexpr std::string_view kString = "string:";
  return value.starts_with(kString) ? value.substr(kString.size()) : value;
}

void set_drive(std::string_view key, const std::string &value, Drive &drive) {
  if (key == "SerialNumber" || key == "ATAPISerialNumber") drive.serial = without_type(value);
  if (key == "ModelNumber" || key == "ATAPIProductId") drive.model = without_type(value);
  if (key == "NonRotational") drive.nonrotational = value == "1";
}

bool read_drive_identity(const Item &item, const DevicePath &path) {
  constexpr std::string_view kConfig = "Config/";
  if (path.device != "ahci" && path.device != "piix3ide" && path.device != "nvme") return false;
  if (!path.rest.starts_with(kConfig)) return false;
  const std::string_view rest = path.rest.substr(kConfig.size());
  const std::size_t slash = rest.find('/');
  const std::string_view key = slash == std::string_view::npos ? rest : rest.substr(slash + 1);
  const bool serial = key == "SerialNumber" || key == "ATAPISerialNumber";
  if (!serial && key != "ModelNumber" && key != "ATAPIProductId" && key != "NonRotational") return false;
  bool found = false;
  item.for_each_state([&](Hardware &hw) {
    for (std::size_t c = 0; c < hw.controllers.size(); ++c) {
      for (std::size_t d = 0; d < hw.controllers[c].drives.size(); ++d) {
        Drive &drive = hw.controllers[c].drives[d];
        const bool nvme = path.device == "nvme" && hw.controllers[c].type == ControllerType::nvme;
        if (!nvme && !names_drive(rest.substr(0, slash), path, hw.controllers[c], drive)) continue;
        set_drive(key, item.value, drive);
        if (&hw != &item.in.machine.hardware) continue;
        found = true;
        item.take("hardware.controllers." + std::to_string(c) + ".drives." + std::to_string(d) +
                  (serial                   ? ".serial"
                   : key == "NonRotational" ? ".nonrotational"
                                            : ".model"));
      }
    }
  });
  if (!found) item.settle(Disposition::irrelevant, "the machine has no drive there");
  return true;
}

// Before 3.2 NAT was set up like this: .../LUN#0/Config/<rule>/{Protocol,HostPort,GuestPort,HostIP,GuestIP}.
bool read_old_forward(const Item &item, const DevicePath &path) {
  constexpr std::string_view kConfig = "LUN#0/Config/";
  constexpr std::uint64_t kMostPort = 65535;
  if (path.device != "pcnet" && path.device != "e1000" && path.device != "virtio-net") return false;
  if (!path.rest.starts_with(kConfig)) return false;
  const std::string_view rest = path.rest.substr(kConfig.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string rule(rest.substr(0, slash));
  const std::string_view key = rest.substr(slash + 1);
  auto &nics = item.in.machine.hardware.nics;
  for (std::size_t n = 0; n < nics.size(); ++n) {
    if (nics[n].slot != path.instance || nics[n].mode != NicMode::nat) continue;
    auto &forwards = nics[n].forwards;
    std::size_t f = 0;
    while (f < forwards.size() && forwards[f].name != rule) ++f;
    if (f == forwards.size())
      add_forward(nics[n], {rule, PortForward::Protocol::tcp, {}, {}, 0, 0, item.element.place()});
    const auto number = text::parse_u64(item.value);
    const std::uint16_t port = number && *number <= kMostPort ? static_cast<std::uint16_t>(*number) : std::uint16_t{0};
    if (key == "Protocol" && same_word("UDP", item.value)) forwards[f].protocol = PortForward::Protocol::udp;
    if (key == "HostPort") forwards[f].host_port = port;
    if (key == "GuestPort") forwards[f].guest_port = port;
    if (key == "HostIP" || key == "BindIP") forwards[f].host_address = item.value;
    if (key == "GuestIP") forwards[f].guest_address = item.value;
    item.take("hardware.nics." + std::to_string(n) + ".forwards." + std::to_string(f));
    return true;
  }
  item.settle(Disposition::irrelevant, "the machine has no network card with NAT there");
  return true;
}

bool read_smc(const Item &item) {
  if (item.name == "VBoxInternal2/SmcDeviceKey" || item.name.ends_with("/Config/DeviceKey")) {
    if (item.name.find("smc") == std::string_view::npos && item.name.find("Smc") == std::string_view::npos)
      return false;
    item.in.machine.extra["smc.key"] = item.value;
    item.take("extra.smc.key");
    return true;
  }
  if (!item.name.ends_with("/GetKeyFromRealSMC")) return false;
  item.settle(Disposition::dropped, "QEMU cannot ask the host's own SMC; give isa-applesmc the key");
  return true;
}

struct FeatureKey {
  std::string_view virtualbox, libvirt;
};
constexpr std::array<FeatureKey, 18> kFeatures{{{"SSE4.1", "sse4.1"},
                                                {"SSE4.2", "sse4.2"},
                                                {"AVX", "avx"},
                                                {"AVX2", "avx2"},
                                                {"AESNI", "aes"},
                                                {"PCLMUL", "pclmuldq"},
                                                {"POPCNT", "popcnt"},
                                                {"MOVBE", "movbe"},
                                                {"RDRAND", "rdrand"},
                                                {"RDSEED", "rdseed"},
                                                {"XSAVE", "xsave"},
                                                {"CMPXCHG16B", "cx16"},
                                                {"MONITOR", "monitor"},
                                                {"FSGSBASE", "fsgsbase"},
                                                {"CLFLUSHOPT", "clflushopt"},
                                                {"ABM", "abm"},
                                                {"SSE4A", "sse4a"},
                                                {"3DNOWPRF", "3dnowprefetch"}}};

// "VBoxInternal/CPUM/IsaExts/AVX2", older "VBoxInternal/CPUM/SSE4.1".
bool read_cpu_feature(const Item &item) {
  constexpr std::string_view kStart = "VBoxInternal/CPUM/";
  constexpr std::string_view kExtensions = "IsaExts/";
  if (!item.name.starts_with(kStart)) return false;
  std::string_view key = item.name.substr(kStart.size());
  if (key.starts_with(kExtensions)) key.remove_prefix(kExtensions.size());
  for (const FeatureKey &row : kFeatures) {
    if (!same_word(row.virtualbox, key)) continue;
    item.take("hardware.cpu.features." + std::to_string(item.in.machine.hardware.cpu.features.size()));
    item.for_each_state([&](Hardware &hw) {
      hw.cpu.features.push_back({std::string(row.libvirt), item.value != "0"});
    });
    return true;
  }
  item.settle(Disposition::dropped, "a private setting of VirtualBox's CPU; choose the CPU model in the domain");
  return true;
}

struct PrefixNote {
  std::string_view prefix;
  Disposition disposition;
  std::string_view note;
};
// Searched in order.
constexpr std::array<PrefixNote, 13> kPrefixes{{
    {"GUI/", Disposition::irrelevant, "belongs to VirtualBox's window"},
    {"FRONTEND/", Disposition::irrelevant, "belongs to VirtualBox's window"},
    {"VBoxAuthSimple/", Disposition::irrelevant, "a user of VirtualBox's remote display"},
    {"VBoxInternal2/SharedFoldersEnableSymlinksCreate/", Disposition::dropped,
     "virtiofs has its own rules for symbolic links"},
    {"VBoxInternal2/Efi", Disposition::dropped, "OVMF keeps its resolution in its own variables: set it in its menu"},
    {"VBoxInternal2/Uga", Disposition::dropped, "OVMF keeps its resolution in its own variables: set it in its menu"},
    {"VBoxInternal/Devices/VMMDev/", Disposition::irrelevant, "VirtualBox's channel to its Guest Additions"},
    {"VBoxInternal/TM/", Disposition::dropped, "VirtualBox's timekeeping; libvirt has <clock> and <timer>"},
    {"VBoxInternal2/", Disposition::dropped, "a private setting of VirtualBox's virtual machine monitor"},
    {"VBoxInternal/", Disposition::dropped, "a private setting of VirtualBox's virtual machine monitor"},
    {"CustomVideoMode", Disposition::dropped, "the guest's driver offers resolutions of its own"},
    {"VRDP/", Disposition::irrelevant, "belongs to VirtualBox's remote display"},
    {"", Disposition::irrelevant, "a note of another program; VirtualBox itself does not use it"},
}};

void settle_rest(const Item &item) {
  if (item.name.ends_with("/CustomTable") || item.name.find("/CustomTable") != std::string_view::npos) {
    item.in.find(kAcpiTable, item.element.place(), "the guest is given the ACPI table " + text::printable(item.value));
  }
  for (const PrefixNote &row : kPrefixes) {
    if (!item.name.starts_with(row.prefix)) continue;
    item.settle(row.disposition, row.note);
    break;
  }
  const std::string lower = text::lower_ascii(item.name);
  if (lower.find("password") != std::string::npos || lower.starts_with("vboxauthsimple/")) item.element.hide("value");
}

}  // namespace

void read_extra_data(Import &in, const SettingsReader &machine) {
  for (const SettingsReader &list : machine.children("ExtraData")) {
    for (const SettingsReader &element : list.children("ExtraDataItem")) {
      const std::string *name = element.element().attribute("name");
      const std::string *value = element.element().attribute("value");
      if (name == nullptr || value == nullptr) continue;
      element.settle("name", Disposition::irrelevant, "the name of an extra setting");
      const Item item{in, element, *name, *value};
      const auto path = device_path(*name);
      const bool done =
          (path && (read_dmi(item, *path) || read_drive_identity(item, *path) || read_old_forward(item, *path))) ||
          read_smc(item) || read_cpu_feature(item);
      if (!done) settle_rest(item);
    }
  }
}

}  // namespace ferry::vbox
