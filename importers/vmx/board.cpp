// SPDX-License-Identifier: Apache-2.0
// Firmware, boot order, CPU and memory.
#include <algorithm>
#include <limits>

#include "importers/vmware/boot_order.hpp"
#include "importers/vmx/findings.hpp"
#include "importers/vmx/reader.hpp"

#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::vmx {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kMaxMemoryMiB = 24ULL << 20U;  // 24 TiB: the largest machine that vSphere 8 takes
constexpr std::uint64_t kMaxCpus = 4096;               // far above the 960 of vSphere 8; guards what follows

// The nvram file: the key's, or the .vmx's own name with .nvram.
void read_nvram(Reader &reader, Firmware &firmware) {
  const std::string key = "nvram";
  const auto named = reader.settings.filled(key, reader.field("firmware.nvram_file"));
  std::filesystem::path beside = reader.settings.file().filename();
  beside.replace_extension(".nvram");
  if (reader.inside != nullptr) {
    firmware.nvram_inside =
        firmware.type == FirmwareType::bios ? std::nullopt : reader.inside->find(named.value_or(beside.string()));
    firmware.nvram_gzip = firmware.nvram_inside && reader.inside->gzip;
    return;
  }
  const auto found = locate_file(reader, named.value_or(beside.string()));
  std::error_code error;
  if (found && on_host::is_regular_file(*found, error)) {
    firmware.nvram_file = *found;
  } else if (firmware.type != FirmwareType::bios && reader.report) {
    // A BIOS machine's nvram is CMOS memory, which the target's BIOS makes anew.
    reader.find(kNvramMissing, key, "\"" + text::printable(named.value_or(beside.string())) + "\" was not found");
  }
}

bool partly_encrypted(Reader &reader) {
  return reader.settings.has("encryption.keySafe") || reader.settings.has("encryption.data");
}

}  // namespace

void read_firmware(Reader &reader, Hardware &hardware) {
  Settings &settings = reader.settings;
  Firmware &firmware = hardware.firmware;
  firmware.origin = settings.place("firmware");
  if (const auto value = settings.filled("firmware", reader.field("firmware.type"))) {
    if (text::iequals_ascii(*value, "efi")) {
      firmware.type = reader.guest.is_64bit ? FirmwareType::efi64 : FirmwareType::efi32;
    } else if (!text::iequals_ascii(*value, "bios")) {
      reader.find(kBadValue, "firmware", "\"" + text::printable(*value) + "\" is neither bios nor efi");
    }
  }
  firmware.secure_boot = settings.boolean("uefi.secureBoot.enabled", reader.field("firmware.secure_boot"));
  if (const auto delay = settings.number("bios.bootDelay", reader.field("firmware.boot_menu_timeout_ms"))) {
    if (*delay > 0 && *delay <= std::numeric_limits<std::int32_t>::max()) {
      firmware.boot_menu_timeout_ms = static_cast<unsigned>(*delay);
    }
  }
  const auto acpi = settings.boolean("acpi.present", reader.field("firmware.acpi"));
  firmware.acpi = acpi.value_or(true);
  const auto ioapic = settings.boolean("ioapic.present", reader.field("firmware.ioapic"));
  firmware.ioapic = ioapic.value_or(true);
  read_nvram(reader, firmware);
  firmware.nvram_encrypted = partly_encrypted(reader);
}

// bios.bootOrder = "cdrom,hdd,ethernet0" and bios.hddOrder = "scsi0:0,scsi0:1"; older ESX:
// bios.bootDeviceClasses = "allow:cd,hd,net" ("allow" and an order in one).
void read_boot_order(Reader &reader, Hardware &hardware) {
  Settings &settings = reader.settings;
  const std::string field = reader.field("boot_order");
  const std::string disks = settings.filled("bios.hddOrder", field).value_or("");
  auto order = settings.filled("bios.bootOrder", field);
  std::string key = "bios.bootOrder";
  if (const auto classes = settings.filled("bios.bootDeviceClasses", field); classes && !order) {
    key = "bios.bootDeviceClasses";
    const std::size_t colon = classes->find(':');
    if (text::lower_ascii(classes->substr(0, colon)) == "allow" && colon != std::string::npos) {
      order = classes->substr(colon + 1);
    }
  }
  vmware::BootOrder read = vmware::boot_order(order.value_or(""), disks);
  hardware.boot_order = std::move(read.devices);
  for (const std::string &item : read.unknown) {
    reader.find(kBadValue, key, "\"" + text::printable(item) + "\" is not a known boot device");
  }
}

void read_cpu(Reader &reader, Hardware &hardware) {
  Settings &settings = reader.settings;
  Cpu &cpu = hardware.cpu;
  cpu.origin = settings.place("numvcpus");
  cpu.count = static_cast<unsigned>(settings.demand("numvcpus", reader.field("cpu.count"), 1, kMaxCpus).value_or(1));
  const auto cores = settings.number("cpuid.coresPerSocket", reader.field("cpu.cores_per_socket"));
  if (cores && *cores > 0 && static_cast<std::uint64_t>(*cores) <= kMaxCpus) {
    cpu.cores_per_socket = static_cast<unsigned>(*cores);
  }
  const auto threads = settings.number("cpuid.threadsPerCore", reader.field("cpu.threads_per_core"));
  if (threads && *threads > 0 && *threads <= 8) cpu.threads_per_core = static_cast<unsigned>(*threads);
  cpu.nested_virtualization = settings.boolean("vhv.enable", reader.field("cpu.nested_virtualization"));
  cpu.hotplug = settings.boolean("vcpu.hotadd", reader.field("cpu.hotplug"));
  const std::string guest = text::lower_ascii(reader.guest.source_id);
  if (guest.rfind("arm-", 0) == 0) cpu.architecture = Cpu::Architecture::arm64;
  if (cpu.architecture == Cpu::Architecture::x86_64 && !reader.guest.is_64bit) {
    cpu.architecture = Cpu::Architecture::x86;
  }
  // TRUE is the default and what QEMU does as well; FALSE hides the hypervisor from the guest.
  const auto shown = settings.boolean("hypervisor.cpuid.v0", reader.field("cpu.features"));
  if (shown && !*shown) cpu.features.push_back({"hypervisor", false});
  read_cpuid_masks(reader, cpu);
}

void read_memory(Reader &reader, Hardware &hardware) {
  Settings &settings = reader.settings;
  Memory &memory = hardware.memory;
  memory.origin = settings.place("memsize");
  const auto size = settings.demand("memsize", reader.field("memory.bytes"), 0, kMaxMemoryMiB);
  // VMware's own default of 32 MiB starts no guest of today. Nothing said, or 0: the target chooses, and says so, as
  // for every kind of source.
  memory.bytes = size.value_or(0) * kMiB;
  memory.hot_add = settings.boolean("mem.hotadd", reader.field("memory.hot_add")).value_or(false);
  memory.page_fusion = settings.boolean("sched.mem.pshare.enable", reader.field("memory.page_fusion"));
  const auto no_large = settings.boolean("monitor_control.disable_mmu_largepages", reader.field("memory.large_pages"));
  if (no_large) memory.large_pages = !*no_large;
}

}  // namespace ferry::vmx
