// SPDX-License-Identifier: Apache-2.0
// The domain's XML: everything but the devices. The order of elements is that of libvirt's own output.
#include "exporters/libvirt/xml/domain_xml.hpp"

namespace ferry::libvirt {
namespace {

constexpr std::string_view kQemuNamespace = "http://libvirt.org/schemas/domain/qemu/1.0";
constexpr std::string_view kOsinfoNamespace = "http://libosinfo.org/xmlns/libvirt/domain/1.0";
constexpr std::uint64_t kCpuPeriod = 100000;  // microseconds, libvirt's default

std::string_view on_off(bool value) { return value ? "on" : "off"; }
std::string_view yes_no(bool value) { return value ? "yes" : "no"; }

void write_identity(xml::Node &root, const Domain &d) {
  root.child("name", d.name);
  root.child("uuid", d.uuid);
  if (d.generation_id == "auto") root.child("genid");
  if (!d.generation_id.empty() && d.generation_id != "auto") root.child("genid", d.generation_id);
  if (!d.title.empty()) root.child("title", d.title);
  if (!d.description.empty()) root.child("description", d.description);
  if (d.osinfo_id.empty()) return;
  xml::Node metadata = root.child("metadata");
  metadata.define_namespace("libosinfo", kOsinfoNamespace);
  metadata.child_in("libosinfo", "libosinfo").child_in("libosinfo", "os").set("id", d.osinfo_id);
}

void write_memory(xml::Node &root, const Domain &d) {
  if (d.most_memory_kib > 0)
    root.child("maxMemory", std::to_string(d.most_memory_kib))
        .set("slots", std::uint64_t{d.memory_slots})
        .set("unit", "KiB");
  root.child("memory", std::to_string(d.memory_kib)).set("unit", "KiB");
  root.child("currentMemory", std::to_string(d.current_memory_kib)).set("unit", "KiB");
  if (d.huge_pages || d.preallocated) {
    xml::Node backing = root.child("memoryBacking");
    if (d.huge_pages) backing.child("hugepages");
    if (d.preallocated) backing.child("allocation").set("mode", "immediate");
  }
  if (d.shared_memory) {
    xml::Node backing = root.child("memoryBacking");
    backing.child("source").set("type", "memfd");
    backing.child("access").set("mode", "shared");
  }
  xml::Node vcpu = root.child("vcpu", std::to_string(d.vcpus));
  vcpu.set("placement", "static");
  if (d.vcpus_now) vcpu.set("current", std::uint64_t{*d.vcpus_now});
  if (d.cpu_quota_percent) {
    xml::Node tune = root.child("cputune");
    tune.child("period", std::to_string(kCpuPeriod));
    tune.child("quota", std::to_string(kCpuPeriod / 100 * *d.cpu_quota_percent));
  }
}

void write_sysinfo(xml::Node &root, const Domain &d) {
  if (!d.os.sysinfo) return;
  xml::Node sysinfo = root.child("sysinfo");
  sysinfo.set("type", "smbios");
  for (const auto &[group, entries] : d.sysinfo) {
    xml::Node node = sysinfo.child(group);
    for (const auto &[name, value] : entries) node.child("entry", value).set("name", name);
  }
  if (d.oem_strings.empty()) return;
  xml::Node oem = sysinfo.child("oemStrings");
  for (const std::string &text : d.oem_strings) oem.child("entry", text);
}

void write_os(xml::Node &root, const DomainOs &os) {
  xml::Node node = root.child("os");
  node.child("type", "hvm").set("arch", "x86_64").set("machine", os.machine);
  if (!os.loader.empty()) {
    xml::Node loader = node.child("loader", os.loader);
    loader.set("readonly", "yes");
    if (os.secure_loader) loader.set("secure", "yes");
    loader.set("type", "pflash");
    xml::Node nvram = os.nvram.empty() ? node.child("nvram") : node.child("nvram", os.nvram);
    if (!os.nvram_template.empty()) nvram.set("template", os.nvram_template);
  }
  if (!os.kernel.empty()) node.child("kernel", os.kernel);
  if (!os.initrd.empty()) node.child("initrd", os.initrd);
  if (!os.command_line.empty()) node.child("cmdline", os.command_line);
  if (os.boot_menu) {
    xml::Node menu = node.child("bootmenu");
    menu.set("enable", "yes");
    if (os.boot_menu_timeout_ms) menu.set("timeout", std::uint64_t{*os.boot_menu_timeout_ms});
  }
  if (os.sysinfo) node.child("smbios").set("mode", "sysinfo");
}

void write_features(xml::Node &root, const DomainFeatures &features) {
  xml::Node node = root.child("features");
  if (features.acpi) node.child("acpi");
  if (features.apic) node.child("apic");
  if (features.pae) node.child("pae");
  if (!features.hyperv.empty()) {
    xml::Node hyperv = node.child("hyperv");
    hyperv.set("mode", "custom");
    for (const std::string &name : features.hyperv) {
      xml::Node feature = hyperv.child(name);
      feature.set("state", "on");
      if (name == "spinlocks") feature.set("retries", std::uint64_t{features.spinlock_retries});
      if (name == "vendor_id") feature.set("value", features.hyperv_vendor);
      for (const char *variant : {"direct", "extended"}) {
        if (features.hyperv_variants.contains(name + "_" + variant)) feature.child(variant).set("state", "on");
      }
    }
  }
  if (features.kvm_hidden) node.child("kvm").child("hidden").set("state", "on");
  // VMware's backdoor port: its absolute mouse would fight with SPICE's.
  if (features.vmport) node.child("vmport").set("state", on_off(*features.vmport));
  if (features.smm) node.child("smm").set("state", "on");
  if (!features.smm && features.smm_off == true) node.child("smm").set("state", "off");
}

void write_cpu(xml::Node &root, const Domain &d) {
  const DomainCpu &cpu = d.cpu;
  xml::Node node = root.child("cpu");
  node.set("mode", cpu.mode);
  if (cpu.mode == "custom") node.set("match", "exact");
  node.set("check", "none");
  if (cpu.mode == "host-passthrough") node.set("migratable", "on");
  if (!cpu.model.empty() || !cpu.vendor_id.empty()) {
    xml::Node model = cpu.model.empty() ? node.child("model") : node.child("model", cpu.model);
    model.set("fallback", "allow");
    if (!cpu.vendor_id.empty()) model.set("vendor_id", cpu.vendor_id);
  }
  xml::Node topology = node.child("topology");
  topology.set("sockets", std::uint64_t{cpu.sockets});
  if (cpu.dies > 1) topology.set("dies", std::uint64_t{cpu.dies});
  topology.set("cores", std::uint64_t{cpu.cores}).set("threads", std::uint64_t{cpu.threads});
  if (cpu.emulated_cache) node.child("cache").set("level", std::uint64_t{3}).set("mode", "emulate");
  for (const CpuFeaturePolicy &feature : cpu.features) {
    node.child("feature").set("policy", feature.policy).set("name", feature.name);
  }
  if (d.most_memory_kib == 0) return;
  node.child("numa")
      .child("cell")
      .set("id", std::uint64_t{0})
      .set("cpus", "0-" + std::to_string(d.vcpus - 1))
      .set("memory", d.memory_kib)
      .set("unit", "KiB");
}

void write_clock(xml::Node &root, const DomainClock &clock) {
  xml::Node node = root.child("clock");
  node.set("offset", clock.offset);
  if (clock.adjustment) node.set("adjustment", std::to_string(*clock.adjustment)).set("basis", clock.basis);
  for (const Timer &timer : clock.timers) {
    xml::Node child = node.child("timer");
    child.set("name", timer.name);
    if (!timer.tickpolicy.empty()) child.set("tickpolicy", timer.tickpolicy);
    if (timer.present) child.set("present", yes_no(*timer.present));
  }
}

void write_lifecycle(xml::Node &root, const Domain &d) {
  root.child("on_poweroff", "destroy");
  root.child("on_reboot", "restart");
  root.child("on_crash", "destroy");
  // As virt-install: guests that sleep are hard to wake for a person at a viewer.
  if (!d.suspend_to_mem && !d.suspend_to_disk) return;
  xml::Node pm = root.child("pm");
  if (d.suspend_to_mem) pm.child("suspend-to-mem").set("enabled", yes_no(*d.suspend_to_mem));
  if (d.suspend_to_disk) pm.child("suspend-to-disk").set("enabled", yes_no(*d.suspend_to_disk));
}

void write_qemu(xml::Node &root, const Domain &d) {
  if (!d.qemu_arguments.empty()) {
    xml::Node line = root.child_in("qemu", "commandline");
    for (const std::string &argument : d.qemu_arguments) line.child_in("qemu", "arg").set("value", argument);
  }
  if (d.qemu_overrides.empty()) return;
  xml::Node overrides = root.child_in("qemu", "override");
  for (const QemuOverride &device : d.qemu_overrides) {
    xml::Node frontend = overrides.child_in("qemu", "device").set("alias", device.alias).child_in("qemu", "frontend");
    for (const QemuProperty &property : device.properties) {
      frontend.child_in("qemu", "property")
          .set("name", property.name)
          .set("type", property.type)
          .set("value", property.value);
    }
  }
}

}  // namespace

void write_address(xml::Node &parent, const PciAddress &address) {
  xml::Node node = parent.child("address");
  node.set("type", "pci")
      .set("domain", std::uint64_t{0})
      .set("bus", std::uint64_t{address.bus})
      .set("slot", std::uint64_t{address.slot})
      .set("function", std::uint64_t{address.function});
  if (address.multifunction) node.set("multifunction", on_off(true));
}

void write_address(xml::Node &parent, const UsbAddress &address) {
  parent.child("address").set("type", "usb").set("bus", std::uint64_t{address.bus}).set("port", address.port);
}

void write_alias(xml::Node &parent, const std::string &alias) {
  if (!alias.empty()) parent.child("alias").set("name", alias);
}

void write_boot(xml::Node &parent, const std::optional<unsigned> &order) {
  if (order) parent.child("boot").set("order", std::uint64_t{*order});
}

std::string domain_xml(const Domain &domain) {
  xml::Document document("domain");
  xml::Node root = document.root();
  root.set("type", domain.type);
  if (!domain.qemu_arguments.empty() || !domain.qemu_overrides.empty()) {
    root.define_namespace("qemu", kQemuNamespace);
  }
  write_identity(root, domain);
  write_memory(root, domain);
  write_sysinfo(root, domain);
  write_os(root, domain.os);
  write_features(root, domain.features);
  write_cpu(root, domain);
  write_clock(root, domain.clock);
  write_lifecycle(root, domain);
  write_devices(root, domain);
  write_qemu(root, domain);
  return document.text();
}

}  // namespace ferry::libvirt
