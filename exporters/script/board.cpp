// SPDX-License-Identifier: Apache-2.0
// Machine, memory, firmware, SMBIOS tables and clock.
#include <algorithm>
#include <array>

#include "exporters/script/maker.hpp"

#include "support/text.hpp"

namespace ferry::script {
namespace {

const xml::Element *timer(const Maker &m, std::string_view name) {
  const xml::Element *clock = m.domain.child("clock");
  if (clock == nullptr) return nullptr;
  for (const xml::Element *one : children(*clock, "timer")) {
    if (attribute(one, "name") == name) return one;
  }
  return nullptr;
}

bool has_feature(const Maker &m, std::string_view name) { return child(m.domain.child("features"), name) != nullptr; }

std::string feature_state(const Maker &m, std::string_view name) {
  return attribute(child(m.domain.child("features"), name), "state");
}

// libvirt's sizes: a number and a unit, KiB when none is named.
std::uint64_t kibibytes(const xml::Element *element) {
  const std::uint64_t value = text::parse_u64(text_of(element)).value_or(0);
  const std::string unit = attribute(element, "unit");
  if (unit == "b" || unit == "bytes") return value / 1024;
  if (unit == "M" || unit == "MiB") return value * 1024;
  if (unit == "G" || unit == "GiB") return value * 1024 * 1024;
  if (unit == "T" || unit == "TiB") return value * 1024 * 1024 * 1024;
  return value;
}

void add_topology(Maker &m) {
  const xml::Element *vcpu = m.domain.child("vcpu");
  const std::string most = text_of(vcpu).empty() ? "1" : text_of(vcpu);
  const std::string current = attribute(vcpu, "current");
  Keys keys(current.empty() ? most : current);
  if (!current.empty()) keys.set("maxcpus", Word(most));
  if (const xml::Element *topology = child(m.domain.child("cpu"), "topology")) {
    for (const char *key : {"sockets", "dies", "cores", "threads"}) {
      const std::string value = attribute(topology, key);
      if (!value.empty() && !(std::string_view(key) == "dies" && value == "1")) keys.set(key, Word(value));
    }
  } else {
    keys.set("sockets", Word(most))
        .set("cores", 1)
        .set("threads", 1);  // as libvirt does, whatever the machine's version
  }
  m.option("-smp", keys);
}

void add_memory(Maker &m, Keys &machine) {
  const std::uint64_t size = kibibytes(m.domain.child("memory"));
  const xml::Element *backing = m.domain.child("memoryBacking");
  const bool shared = attribute(child(backing, "access"), "mode") == "shared";
  const bool huge = child(backing, "hugepages") != nullptr;
  const bool memfd = attribute(child(backing, "source"), "type") == "memfd" || huge;
  if (shared || memfd) {
    Keys object("memory-backend-memfd");
    object.set("id", "pc.ram").set("size", Word(std::to_string(size) + "k"));
    if (shared) object.on("share");
    if (huge) object.on("hugetlb");
    m.option("-object", object);
    machine.set("memory-backend", "pc.ram");
  }
  m.option("-m", Word(std::to_string(size) + "k"));
  const std::uint64_t current = kibibytes(m.domain.child("currentMemory"));
  if (current != 0 && current < size)
    m.report(kLeftOut, "libvirt takes " + text::human_bytes((size - current) * 1024) +
                           " of the memory away by the balloon once the guest runs; the script leaves them.");
  if (m.domain.child("maxMemory") != nullptr)
    m.report(kLeftOut, "Memory cannot be added while the script's machine runs.");
}

void add_sleep(Maker &m) {
  const xml::Element *pm = m.domain.child("pm");
  const std::string device = m.q35 ? "ICH9-LPC" : "PIIX4_PM";
  for (const auto &[element, property] :
       {std::pair{"suspend-to-mem", "disable_s3"}, std::pair{"suspend-to-disk", "disable_s4"}}) {
    const std::string enabled = attribute(child(pm, element), "enabled");
    if (!enabled.empty()) m.option("-global", device + "." + property + "=" + (enabled == "no" ? "1" : "0"));
  }
}

void add_boot_menu(Maker &m) {
  const xml::Element *os = m.domain.child("os");
  const xml::Element *menu = child(os, "bootmenu");
  Keys keys("strict=on");
  if (attribute(menu, "enable") == "yes") keys.on("menu").set_some("splash-time", attribute(menu, "timeout"));
  keys.set_some("reboot-timeout", attribute(child(os, "bios"), "rebootTimeout"));
  m.option("-boot", keys);
}

void add_kernel(Maker &m) {
  const xml::Element *os = m.domain.child("os");
  for (const auto &[element, option] : {std::pair{"kernel", "-kernel"}, std::pair{"initrd", "-initrd"}}) {
    if (const std::string file = text_of(child(os, element)); !file.empty()) m.option(option, m.file(file));
  }
  if (const std::string line = text_of(child(os, "cmdline")); !line.empty()) m.option("-append", Word(line));
}

// A group of <sysinfo> is a type of SMBIOS' tables; its entries have names of QEMU's own there.
struct SmbiosTable {
  const char *group;
  const char *type;
  std::array<std::pair<const char *, const char *>, 7> entries;
};
constexpr std::array<SmbiosTable, 4> kTables{{
    {"bios", "0", {{{"vendor", "vendor"}, {"version", "version"}, {"date", "date"}, {"release", "release"}}}},
    {"system",
     "1",
     {{{"manufacturer", "manufacturer"},
       {"product", "product"},
       {"version", "version"},
       {"serial", "serial"},
       {"uuid", "uuid"},
       {"sku", "sku"},
       {"family", "family"}}}},
    {"baseBoard",
     "2",
     {{{"manufacturer", "manufacturer"},
       {"product", "product"},
       {"version", "version"},
       {"serial", "serial"},
       {"asset", "asset"},
       {"location", "location"}}}},
    {"chassis",
     "3",
     {{{"manufacturer", "manufacturer"},
       {"version", "version"},
       {"serial", "serial"},
       {"asset", "asset"},
       {"sku", "sku"}}}},
}};

void add_table(Maker &m, const xml::Element &group, const SmbiosTable &table) {
  Keys keys(std::string("type=") + table.type);
  for (const auto &[name, key] : table.entries) {
    if (name == nullptr) break;
    for (const xml::Element *entry : children(group, "entry")) {
      if (attribute(entry, "name") == name) keys.set(key, Word(entry->text));
    }
  }
  m.option("-smbios", keys);
}

void add_code(Maker &m, const xml::Element &loader) {
  if (attribute(&loader, "type") != "pflash") {
    m.option("-bios", m.file(loader.text));
    return;
  }
  m.option("-drive",
           Keys("if=pflash").set("unit", 0).set("format", "raw").on("readonly").set("file", m.file(loader.text)));
  const xml::Element *nvram = child(m.domain.child("os"), "nvram");
  std::string file = text_of(nvram);
  if (file.empty()) file = attribute(child(nvram, "source"), "file");
  const std::string made_from = attribute(nvram, "template");
  if (file.empty() && made_from.empty()) return;
  // Domains that libvirt has not started yet may name the template alone.
  const Word store = file.empty() ? Word().variable("here").add("/" + m.uuid + "_VARS.fd") : m.file(file);
  m.store = Store{store, made_from.empty() ? Word() : m.file(made_from)};
  m.option("-drive", Keys("if=pflash").set("unit", 1).set("format", "raw").set("file", Word().variable("store")));
}

}  // namespace

void add_machine(Maker &m) {
  m.group("the machine");
  m.option("-name", Keys("guest=", Word(m.name)).on("debug-threads"));
  if (!m.uuid.empty()) m.option("-uuid", Word(m.uuid));
  Keys machine(m.machine.empty() ? "pc" : m.machine);
  machine.on("usb", false);
  if (const std::string vmport = feature_state(m, "vmport"); !vmport.empty()) machine.set("vmport", Word(vmport));
  if (const xml::Element *smm = child(m.domain.child("features"), "smm"))
    machine.on("smm", attribute(smm, "state") != "off");
  if (attribute(timer(m, "hpet"), "present") == "no") machine.on("hpet", false);
  if (!has_feature(m, "acpi")) machine.on("acpi", false);
  machine.on("dump-guest-core", false);
  m.option("-nodefaults");
  m.option("-no-user-config");
  const std::size_t at = m.groups.back().options.size();
  add_memory(m, machine);
  auto &options = m.groups.back().options;
  options.insert(options.begin() + static_cast<std::ptrdiff_t>(at), Option{"-machine", machine.word()});
  const std::string mode = attribute(m.domain.child("cpu"), "mode");
  if (m.kvm) m.option("-accel", Word("kvm"));
  // The host's own CPU is KVM's alone to give.
  if (!m.kvm || mode == "custom" || mode == "maximum" || mode.empty()) m.option("-accel", Word("tcg"));
  add_cpu(m);
  add_topology(m);
  add_sleep(m);
  add_boot_menu(m);
  add_kernel(m);
}

void add_firmware(Maker &m) {
  const xml::Element *os = m.domain.child("os");
  const xml::Element *loader = child(os, "loader");
  if (text_of(loader).empty()) {
    if (attribute(os, "firmware") == "efi") {
      throw Error(ErrorKind::unsupported,
                  {.message = "the domain asks for UEFI, and libvirt has not chosen the firmware yet",
                   .expected = "<loader> with a file",
                   .advice = "Start the domain once, then write the script."});
    }
    return;
  }
  m.group("firmware and its variables");
  add_code(m, *loader);
  if (attribute(loader, "secure") == "yes") m.option("-global", Word("driver=cfi.pflash01,property=secure,value=on"));
}

void add_smbios(Maker &m) {
  const std::string mode = attribute(child(m.domain.child("os"), "smbios"), "mode");
  if (mode == "host") m.report(kLeftOut, "The host's own SMBIOS tables are not copied into the script.");
  if (mode != "sysinfo") return;
  for (const xml::Element *sysinfo : children(m.domain, "sysinfo")) {
    if (attribute(sysinfo, "type") != "smbios") continue;
    m.group("what the guest reads in SMBIOS");
    for (const SmbiosTable &table : kTables) {
      for (const xml::Element *group : children(*sysinfo, table.group)) add_table(m, *group, table);
    }
    for (const xml::Element *oem : children(*sysinfo, "oemStrings")) {
      Keys keys("type=11");
      for (const xml::Element *entry : children(*oem, "entry")) keys.set("value", Word(entry->text));
      m.option("-smbios", keys);
    }
  }
}

void add_clock(Maker &m) {
  m.group("clock");
  const xml::Element *clock = m.domain.child("clock");
  const std::string offset = attribute(clock, "offset"), adjustment = attribute(clock, "adjustment");
  std::string base = offset == "localtime" ? "localtime" : "utc";
  Word word("base=");
  const auto seconds = text::parse_i64(adjustment);
  if (offset == "variable" && seconds && *seconds != 0) {
    const bool local = attribute(clock, "basis") == "localtime";
    m.start_date = std::string("$(") + (local ? "" : "TZ=UTC ") + "date -d \"@$(( $(date +%s) + " +
                   std::to_string(*seconds) + " ))\" +%Y-%m-%dT%H:%M:%S)";
    word.variable("clock");
  } else {
    if (offset == "variable" && attribute(clock, "basis") == "localtime") base = "localtime";
    word.add(base);
  }
  if (offset == "timezone") m.report(kLeftOut, "The clock keeps a time zone of its own; the script's runs in UTC.");
  if (attribute(timer(m, "rtc"), "tickpolicy") == "catchup") word.add(",driftfix=slew");
  m.option("-rtc", word);
  const std::string ticks = attribute(timer(m, "pit"), "tickpolicy");
  if (m.kvm && (ticks == "delay" || ticks == "discard")) m.option("-global", "kvm-pit.lost_tick_policy=" + ticks);
}

}  // namespace ferry::script
