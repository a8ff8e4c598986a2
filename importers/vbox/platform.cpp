// SPDX-License-Identifier: Apache-2.0
// Chipset, CPU and clock. Until settings version 1.19 they stand in <Hardware>; since 1.20 in <Platform>, what only
// x86 has in <Platform>/<x86>. Facts: VirtualBox's settings schema.
#include <array>
#include <set>

#include "importers/vbox/scope.hpp"

#include "support/text.hpp"

namespace ferry::vbox {
namespace {

constexpr std::string_view kHostSide = "how VirtualBox uses the host's CPU; the guest does not see it";

// VirtualBox's private names of CPU features, as CPU/@... of the extra data use them, are in extra_data.cpp.
void add_feature(Scope &scope, const SettingsReader &cpu, std::string_view element, std::string_view feature) {
  const auto child = cpu.child(element);
  if (!child) return;
  const std::string field = scope.field("cpu.features." + std::to_string(scope.hw.cpu.features.size()));
  if (const auto enabled = child->boolean("enabled", field)) {
    scope.hw.cpu.features.push_back({std::string(feature), *enabled});
  }
}

// With CPU hot-plugging @count is the most that the machine can have, and <CpuTree> has those that are plugged in.
void read_plugged_cpus(Scope &scope, const SettingsReader &element) {
  Cpu &cpu = scope.hw.cpu;
  const auto tree = element.child("CpuTree");
  if (!tree) return;
  std::set<std::uint64_t> plugged;
  for (const SettingsReader &one : tree->children("Cpu")) {
    const auto id = one.number("id", scope.field("cpu.count"));
    if (id && *id < cpu.count) plugged.insert(*id);
  }
  tree->settle_all(Disposition::irrelevant, "CPU hot-plugging is off");
  if (cpu.hotplug.value_or(false)) cpu.most = cpu.count;
  if (!cpu.hotplug.value_or(false) || plugged.empty() || plugged.size() == cpu.count) return;
  element.settle("count", Disposition::translated,
                 "the guest has the " + std::to_string(plugged.size()) + " CPUs that are plugged in");
  cpu.count = static_cast<unsigned>(plugged.size());
}

void read_common_cpu(Scope &scope, const SettingsReader &element) {
  constexpr unsigned kMostCpus = 1024;
  Cpu &cpu = scope.hw.cpu;
  cpu.origin = element.place();
  if (const auto count = small_number(element, "count", scope.field("cpu.count"), kMostCpus)) {
    cpu.count = *count;
  } else if (const auto old = element.child("CPUCount")) {  // before 1.5
    cpu.count = small_number(*old, "count", scope.field("cpu.count"), kMostCpus).value_or(1);
  }
  if (cpu.count == 0) {
    throw Error(ErrorKind::malformed,
                {.where = element.place("count"), .message = "the machine has no CPU", .found = "0"});
  }
  if (const auto hotplug = element.boolean("hotplug", scope.field("cpu.hotplug"))) cpu.hotplug = hotplug;
  const auto cap = small_number(element, "executionCap", scope.field("cpu.execution_cap_percent"), 100);
  if (cap && *cap < 100) cpu.execution_cap_percent = cap;
  cpu.profile = element.text("CpuProfile", scope.field("cpu.profile"));
  element.settle("CpuIdPortabilityLevel", Disposition::dropped,
                 "the domain's CPU model decides what the guest may use; choose an older one for a portable guest");
  read_plugged_cpus(scope, element);
}

void read_x86_cpu(Scope &scope, const SettingsReader &element) {
  Cpu &cpu = scope.hw.cpu;
  if (const auto pae = enabled_child(element, "PAE", scope.field("cpu.pae"))) {
    cpu.pae = pae;
  } else if (scope.version().before(9)) {
    cpu.pae = false;  // the default of those versions; later ones always write it
  }
  const auto set = [&](std::optional<bool> &into, std::string_view name, FieldOf<Hardware> field) {
    if (const auto value = enabled_child(element, name, scope.field(field))) into = value;
  };
  set(cpu.long_mode, "LongMode", "cpu.long_mode");
  set(cpu.apic, "APIC", "cpu.apic");
  set(cpu.x2apic, "X2APIC", "cpu.x2apic");
  set(cpu.nested_virtualization, "NestedHWVirt", "cpu.nested_virtualization");
  set(scope.hw.memory.large_pages, "HardwareVirtExLargePages", "memory.large_pages");
  add_feature(scope, element, "SpecCtrl", "spec-ctrl");
  for (const std::string_view name :
       {"HardwareVirtEx", "HardwareVirtExNestedPaging", "HardwareVirtExVPID", "HardwareVirtExUX", "HardwareVirtForce",
        "HardwareVirtExUseNativeApi", "HardwareVirtExVirtVmsaveVmload", "IBPBOn", "SpecCtrlByHost", "L1DFlushOn",
        "MDSClearOn"}) {
    if (const auto child = element.child(name)) child->settle_all(Disposition::irrelevant, kHostSide);
  }
  if (const auto child = element.child("TripleFaultReset")) {
    child->settle_all(Disposition::irrelevant, "QEMU resets the machine on a triple fault");
  }
  if (const auto child = element.child("SyntheticCpu")) {  // before 3.2
    child->settle_all(Disposition::dropped, "choose an older CPU model in the domain for a portable guest");
  }
  if (const auto tree = element.child("CpuIdTree")) {
    tree->settle_all(Disposition::dropped,
                     "CPUID results that the user fixed; choose a CPU model and features in the domain instead");
  }
}

void read_arm_cpu(Scope &scope, const SettingsReader &element) {
  if (const auto nested = enabled_child(element, "NestedHWVirt", scope.field("cpu.nested_virtualization"))) {
    scope.hw.cpu.nested_virtualization = nested;
  }
  if (const auto child = element.child("GicIts")) {
    child->settle_all(Disposition::irrelevant, "QEMU's virt machine brings its own interrupt controller");
  }
}

enum class Iommu { none, automatic, amd, intel };

void read_chipset(Scope &scope) {
  static constexpr std::array<Word<Chipset>, 3> kChipsets{
      {{"PIIX3", Chipset::piix3}, {"ICH9", Chipset::ich9}, {"ARMv8Virtual", Chipset::armv8_virtual}}};
  if (const auto chipset = scope.platform.child("Chipset")) {
    const auto type = word<Chipset>(scope.in, *chipset, "type", scope.field("chipset"), kChipsets);
    if (type) scope.hw.chipset = *type;
  }
  if (const auto iommu = scope.platform.child("Iommu")) {
    static constexpr std::array<Word<Iommu>, 4> kTypes{
        {{"None", Iommu::none}, {"Automatic", Iommu::automatic}, {"AMD", Iommu::amd}, {"Intel", Iommu::intel}}};
    // Automatic is the host's own kind; a guest that has used AMD's finds Intel's as a new computer's would be.
    const auto type = word<Iommu>(scope.in, *iommu, "type", scope.field("iommu"), kTypes);
    if (type && *type != Iommu::none) scope.hw.iommu = true;
  }
}

void read_clock(Scope &scope) {
  Clock &clock = scope.hw.clock;
  clock.base = Clock::Base::local_time;  // unless the file says UTC
  clock.hpet = false;                    // unless the file says enabled
  clock.origin = scope.platform.place();
  if (const auto rtc = scope.platform.child("RTC")) {
    clock.origin = rtc->place();
    if (rtc->text("localOrUTC", scope.field("clock.base")) == "UTC") clock.base = Clock::Base::utc;
  }
}

void read_architecture(Scope &scope) {
  static constexpr std::array<Word<bool>, 3> kIsArm{{{"x86", false}, {"ARM", true}, {"None", false}}};
  Cpu &cpu = scope.hw.cpu;
  const bool arm =
      word<bool>(scope.in, scope.platform, "architecture", scope.field("cpu.architecture"), kIsArm).value_or(false);
  if (arm) {
    cpu.architecture = Cpu::Architecture::arm64;
    scope.hw.chipset = Chipset::armv8_virtual;
    return;
  }
  // Without <LongMode> VirtualBox goes by the guest's type.
  const bool wide = cpu.long_mode.value_or(scope.in.machine.guest_os.is_64bit);
  cpu.architecture = wide ? Cpu::Architecture::x86_64 : Cpu::Architecture::x86;
}

// What a file of 1.20 has in <Hardware> besides <Platform> is left from an older one; VirtualBox does not read it.
void settle_leftovers(const Scope &scope) {
  if (&scope.platform.element() == &scope.hardware.element()) return;
  for (const std::string_view name : {"CPU", "Chipset", "RTC", "HPET", "Iommu"}) {
    if (const auto leftover = scope.hardware.child(name)) {
      leftover->settle_all(Disposition::irrelevant, "since 1.20 <Platform> says it");
    }
  }
}

}  // namespace

void read_platform(Scope &scope) {
  if (const auto cpu = scope.platform.child("CPU")) {
    read_common_cpu(scope, *cpu);
    read_x86_cpu(scope, *cpu);
  }
  std::vector<SettingsReader> holders{scope.platform};  // of what is x86's
  if (const auto x86 = scope.platform.child("x86")) {
    if (const auto cpu = x86->child("CPU")) {
      read_x86_cpu(scope, *cpu);
      holders.push_back(*cpu);  // where the schema has the HPET; VirtualBox 7.1 writes it a level above
    }
    holders.push_back(*x86);
  }
  if (const auto arm = scope.platform.child("arm")) {
    if (const auto cpu = arm->child("CPU")) read_arm_cpu(scope, *cpu);
  }
  read_architecture(scope);
  read_chipset(scope);
  read_clock(scope);
  for (const SettingsReader &holder : holders) {
    if (const auto hpet = enabled_child(holder, "HPET", scope.field("clock.hpet"))) scope.hw.clock.hpet = hpet;
  }
  settle_leftovers(scope);
}

void read_memory(Scope &scope) {
  constexpr unsigned kMostMebibytes = 2097152;  // 2 TiB: VirtualBox's own limit
  constexpr unsigned kMebibyte = 20;            // as a shift
  Memory &memory = scope.hw.memory;
  const auto element = scope.hardware.child("Memory");
  const std::string *written = element ? element->element().attribute("RAMSize") : nullptr;
  std::optional<unsigned> size;
  if (written != nullptr && text::trim(*written).empty()) {
    (void)element->text("RAMSize", scope.field("memory.bytes"));
  } else if (element) {
    size = small_number(*element, "RAMSize", scope.field("memory.bytes"), kMostMebibytes);
  }
  // Nothing said, or 0: the target chooses, and says so, as for every kind of source.
  memory.bytes = std::uint64_t{size.value_or(0)} << kMebibyte;
  memory.origin = element ? element->place() : scope.hardware.place();
  if (const auto fusion = element ? element->boolean("PageFusion", scope.field("memory.page_fusion")) : std::nullopt)
    memory.page_fusion = fusion;
  if (const auto guest = scope.hardware.child("Guest")) {
    auto balloon = small_number(*guest, "memoryBalloonSize", scope.field("memory.balloon_bytes"), kMostMebibytes);
    if (!balloon) {  // before 1.3
      balloon = small_number(*guest, "MemoryBalloonSize", scope.field("memory.balloon_bytes"), kMostMebibytes);
    }
    if (balloon && *balloon > 0) memory.balloon_bytes = std::uint64_t{*balloon} << kMebibyte;
  }
}

}  // namespace ferry::vbox
