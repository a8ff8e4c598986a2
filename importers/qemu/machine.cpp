// SPDX-License-Identifier: Apache-2.0
// The board: machine type and version, memory, clock, boot order.
#include <algorithm>

#include "importers/qemu/context.hpp"

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
constexpr std::uint64_t kDefaultMemory = 128 * kMiB;  // of QEMU's PC machines

[[noreturn]] void refuse_machine(const Context &c, const Place &where, const std::string &name) {
  throw Error(ErrorKind::unsupported, {.where = where.line || !where.path.empty() ? where : c.launch.where,
                                       .message = "machines of this type cannot be migrated",
                                       .found = text::printable(name),
                                       .expected = "an i440FX or Q35 machine (pc, q35, pc-i440fx-N, pc-q35-N)"});
}

// By the program's name: qemu-system-aarch64 and the like are other architectures.
void read_program(Context &c) {
  std::string name = text::lower_ascii(std::filesystem::path(c.launch.program).filename().string());
  if (name.ends_with(".exe")) name.resize(name.size() - 4);
  if (name.ends_with("w") && name.starts_with("qemu-system-"))
    name.resize(name.size() - 1);  // without a console window
  if (name.empty()) {
    c.raise(kProgramUnknown, c.launch.where, "The command does not say which QEMU program it runs.");
    return;
  }
  if (!name.starts_with("qemu-system-")) return;
  const std::string architecture = name.substr(std::string_view("qemu-system-").size());
  if (architecture == "i386" || architecture == "i486" || architecture == "i586" || architecture == "i686") {
    c.hardware().cpu.architecture = Cpu::Architecture::x86;
    return;
  }
  if (architecture.starts_with("x86_64") || architecture == "amd64") return;
  throw Error(ErrorKind::unsupported, {.where = c.launch.where,
                                       .message = "the machine is not a PC",
                                       .found = text::printable(architecture),
                                       .expected = "x86_64 or i386"});
}

// "pc-i440fx-4.0+pve0", "pc-0.12", "pc-q35-6.1".
void read_type(Context &c, const Place &where, std::string name) {
  if (const std::size_t plus = name.find("+pve"); plus != std::string::npos) name.resize(plus);
  if (name.empty()) name = "pc";
  MachineType &type = c.type;
  std::string version;
  if (name == "q35" || name.starts_with("pc-q35-")) {
    type.q35 = true;
    if (name != "q35") version = name.substr(7);
  } else if (name.starts_with("pc-i440fx-")) {
    version = name.substr(10);
  } else if (name.starts_with("pc-") && name.size() > 3 && name[3] >= '0' && name[3] <= '9') {
    version = name.substr(3);
  } else if (name != "pc") {
    refuse_machine(c, where, name);
  }
  const std::size_t dot = version.find('.');
  const auto major = text::parse_u64(version.substr(0, dot));
  const auto minor = dot == std::string::npos ? std::nullopt : text::parse_u64(version.substr(dot + 1));
  if (major && minor) {
    type.major = static_cast<unsigned>(*major);
    type.minor = static_cast<unsigned>(*minor);
    type.name = (type.q35 ? "pc-q35-" : "pc-i440fx-") + version;
  } else {
    type.name = type.q35 ? "q35" : "pc";
  }
}

struct Property {
  std::string_view name;
  Disposition disposition;
  std::string_view note;
};
// What a machine can be told that the guest does not see, or that libvirt decides.
constexpr std::array kProperties{
    Property{"accel", Disposition::irrelevant, "how the host runs the machine"},
    Property{"kernel_irqchip", Disposition::irrelevant, "how the host runs the machine"},
    Property{"kernel-irqchip", Disposition::irrelevant, "how the host runs the machine"},
    Property{"mem-merge", Disposition::irrelevant, "the host's sharing of pages"},
    Property{"dump-guest-core", Disposition::irrelevant, "what a crash dump holds"},
    Property{"kvm-shadow-mem", Disposition::irrelevant, "how the host runs the machine"},
    Property{"igd-passthru", Disposition::dropped, "belongs to a passed-through graphics card"},
    Property{"nvdimm", Disposition::dropped, "no NVDIMM is attached"},
    Property{"hmat", Disposition::dropped, "memory attributes are not carried over"},
    Property{"memory-backend", Disposition::irrelevant, "where the host keeps the guest's memory"},
    Property{"suppress-vmdesc", Disposition::irrelevant, "how a migration stream looks"},
    Property{"aes-key-wrap", Disposition::irrelevant, "of another architecture"},
    Property{"dea-key-wrap", Disposition::irrelevant, "of another architecture"},
    Property{"confidential-guest-support", Disposition::dropped, "encrypted memory is not carried over"},
};

void read_machine_options(Context &c) {
  std::string name = "pc";
  Place where = c.launch.where;
  for (Option *option : c.all("machine")) {
    if (const auto given = c.text(*option, "type", "hardware.machine_type")) {
      name = *given;
      where = option->where;
    }
  }
  // Options without a type go to the default one.
  read_type(c, where, name);
  Hardware &hardware = c.hardware();
  hardware.chipset = c.type.q35 ? Chipset::ich9 : Chipset::piix3;
  hardware.machine_type = c.type.name;
  for (Option *option : c.all("machine")) {
    for (const Property &property : kProperties) {
      c.settle(*option, property.name, property.disposition, property.note);
    }
    for (const std::string_view known : {"vmport", "smm", "i8042", "sata", "smbus", "pit", "pic", "pcspk-audiodev",
                                         "pflash0", "pflash1", "usb", "graphics", "max-ram-below-4g", "acpi", "hpet"}) {
      const Key *key = Context::find(*option, known);
      if (key == nullptr) continue;
      const std::string value = key->value;
      if (known == "acpi") {
        hardware.firmware.acpi = c.flag(*option, known, "hardware.firmware.acpi").value_or(true);
      } else if (known == "hpet") {
        hardware.clock.hpet = c.flag(*option, known, "hardware.clock.hpet");
      } else if (known == "graphics") {
        c.settle(*option, known, Disposition::irrelevant, "the serial port is there as a console in any case");
      } else if (known == "usb" || known.starts_with("pflash")) {
        continue;  // with the USB controllers, with the firmware
      } else {
        hardware.machine_properties[std::string(known)] =
            c.text(*option, known, "hardware.machine_properties").value_or("");
      }
    }
  }
  for (const std::string_view name_of_flag : {"no-acpi", "no-hpet"}) {
    for (Option *option : c.all(name_of_flag)) {
      if (name_of_flag == "no-acpi") {
        hardware.firmware.acpi = false;
        c.take(*option, "hardware.firmware.acpi");
      } else {
        hardware.clock.hpet = false;
        c.take(*option, "hardware.clock.hpet");
      }
    }
  }
  if (!hardware.clock.hpet) hardware.clock.hpet = true;  // QEMU's PC machines have one
}

void read_memory(Context &c) {
  Memory &memory = c.hardware().memory;
  memory.bytes = kDefaultMemory;
  memory.origin = c.launch.where;
  for (Option *option : c.all("m")) {
    memory.origin = option->where;
    if (const auto size = c.text(*option, "size", "hardware.memory.bytes"); size && !size->empty()) {
      const auto bytes = parse_size(*size, kMiB);
      if (!bytes || *bytes == 0) {
        throw Error(ErrorKind::malformed,
                    {.where = option->where,
                     .message = "the memory size cannot be understood",
                     .found = "'" + text::printable(*size) + "'",
                     .expected = "a number of MiB, or one with K, M, G or T",
                     .advice = "Correct the command, or use --set NAME=VALUE for a variable that it "
                               "leaves empty."});
      }
      memory.bytes = *bytes;
    }
    for (const std::string_view key : {"slots", "maxmem"}) {
      if (Context::find(*option, key) != nullptr) {
        memory.hot_add = true;
        c.text(*option, key, "hardware.memory.hot_add");
      }
    }
  }
  // A memory back end may say what -m does not.
  for (Option *option : c.all("mem-path")) {
    const std::string path = c.text(*option, "", "hardware.memory.large_pages").value_or("");
    memory.large_pages = path.find("hugepages") != std::string::npos;
    if (memory.large_pages == false) memory.large_pages.reset();
  }
  for (Option *option : c.all("mem-prealloc")) {
    memory.preallocated = true;
    c.take(*option, "hardware.memory.preallocated");
  }
}

void read_clock(Context &c) {
  Clock &clock = c.hardware().clock;
  for (Option *option : c.all("localtime")) {
    clock.base = Clock::Base::local_time;
    clock.origin = option->where;
    c.take(*option, "hardware.clock.base");
  }
  for (Option *option : c.all("rtc")) {
    clock.origin = option->where;
    if (const auto base = c.text(*option, "base", "hardware.clock.base")) {
      if (*base == "localtime") {
        clock.base = Clock::Base::local_time;
      } else if (*base != "utc") {
        c.settle(*option, "base", Disposition::dropped, "the clock starts at the host's time, not at a fixed one");
        c.raise(kDropped, option->where,
                "The clock started at '" + text::printable(*base) + "'; it goes by the host's.");
      }
    }
    if (const auto policy = c.text(*option, "driftfix", "hardware.clock.rtc_policy"); policy == "slew") {
      clock.rtc_policy = "catchup";
    }
    c.settle(*option, "clock", Disposition::irrelevant, "which of the host's clocks drives the guest's");
  }
  for (Option *option : c.all("startdate")) {
    c.settle(*option, Disposition::dropped, "the clock starts at the host's time, not at a fixed one");
  }
}

BootDevice::Kind boot_kind(char letter) {
  switch (letter) {
    case 'a':
    case 'b': return BootDevice::Kind::floppy;
    case 'c': return BootDevice::Kind::disk;
    case 'd': return BootDevice::Kind::cdrom;
    default: return letter >= 'n' && letter <= 'p' ? BootDevice::Kind::network : BootDevice::Kind::none;
  }
}

// -boot X is X first, then what the firmware tries anyway: disk, floppy, CD ("cad" is QEMU's default).
void read_boot(Context &c) {
  std::string letters;
  Hardware &hardware = c.hardware();
  for (Option *option : c.all("boot")) {
    if (const auto order = c.text(*option, "order", "hardware.boot_order")) letters = *order;
    if (const auto menu = c.flag(*option, "menu", "hardware.firmware.boot_menu")) hardware.firmware.boot_menu = *menu;
    if (const auto time = c.number(*option, "splash-time", "hardware.firmware.boot_menu_timeout_ms")) {
      hardware.firmware.boot_menu_timeout_ms = static_cast<unsigned>(std::min<std::uint64_t>(*time, 65535));
    }
    c.settle(*option, "once", Disposition::dropped, "was for one start only");
    c.settle(*option, "splash", Disposition::dropped, "a picture of the firmware's");
    c.settle(*option, "strict", Disposition::irrelevant, "all devices are ranked");
    c.settle(*option, "reboot-timeout", Disposition::dropped, "the firmware's own default");
    c.settle_rest(*option, Disposition::dropped, "QEMU has no such setting");
  }
  std::vector<BootDevice::Kind> seen;
  for (const char letter : letters + "cad") {
    const BootDevice::Kind kind = boot_kind(letter);
    if (kind == BootDevice::Kind::none || std::find(seen.begin(), seen.end(), kind) != seen.end()) continue;
    seen.push_back(kind);
    hardware.boot_order.push_back({kind, std::nullopt});
  }
}

}  // namespace

void read_machine(Context &c) {
  read_program(c);
  read_machine_options(c);
  read_memory(c);
  read_clock(c);
  read_boot(c);
}

}  // namespace ferry::qemu
