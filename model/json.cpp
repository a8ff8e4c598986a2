// SPDX-License-Identifier: Apache-2.0
#include "model/json.hpp"

#include <nlohmann/json.hpp>

#include "model/names.hpp"

#include "support/text.hpp"

namespace ferry {
namespace {

// dump() throws on text that is not UTF-8; file names on Linux need not be.
std::string utf8(const std::string &text) {
  if (text::is_valid_utf8(text)) return text;
  std::string out;
  for (const char32_t c : text::decode_utf8_lossy(text)) text::append_utf8(out, c);
  return out;
}

std::string path_text(const std::filesystem::path &path, const JsonContext &context) {
  if (!context.base.empty()) {
    const auto relative = path.lexically_relative(context.base);
    if (!relative.empty() && *relative.begin() != "..") return utf8(relative.string());
  }
  return utf8(path.string());
}

Json value(bool flag) { return flag; }
Json value(const Uuid &uuid) { return uuid.text(); }
Json value(const MacAddress &mac) { return mac.text(); }
template <class T>
requires std::is_enum_v<T> Json value(T enumerator) { return std::string(to_string(enumerator)); }
template <class T>
requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) Json value(T number) { return number; }

// Collects the members of one object in the order of the struct.
class ObjectWriter {
 public:
  explicit ObjectWriter(const JsonContext &context) : context_(context), json_(Json::object()) {}

  template <class T>
  ObjectWriter &put(const char *name, const T &member) {
    json_[name] = value(member);
    return *this;
  }
  template <class T>
  ObjectWriter &put(const char *name, const std::optional<T> &member) {
    if (member) put(name, *member);
    return *this;
  }
  ObjectWriter &put(const char *name, const std::string &member) {
    if (!member.empty()) json_[name] = utf8(member);
    return *this;
  }
  ObjectWriter &put(const char *name, const std::map<std::string, std::string> &members) {
    for (const auto &[key, text] : members) json_[name][utf8(key)] = utf8(text);
    return *this;
  }
  ObjectWriter &put(const char *name, const std::vector<std::string> &members) {
    for (const std::string &text : members) json_[name].push_back(utf8(text));
    return *this;
  }
  ObjectWriter &path(const char *name, const std::filesystem::path &member) {
    if (!member.empty()) json_[name] = path_text(member, context_);
    return *this;
  }
  template <class T, class Convert>
  ObjectWriter &list(const char *name, const std::vector<T> &members, Convert convert) {
    for (const T &member : members) json_[name].push_back(convert(member, context_));
    return *this;
  }
  template <class T, class Convert>
  ObjectWriter &object(const char *name, const std::optional<T> &member, Convert convert) {
    if (member) json_[name] = convert(*member, context_);
    return *this;
  }
  ObjectWriter &member(const char *name, Json json) {
    json_[name] = std::move(json);
    return *this;
  }
  Json origin(const Place &place) {
    if (Json where = to_json(place, context_); !where.empty()) json_["origin"] = std::move(where);
    return std::move(json_);
  }
  Json done() { return std::move(json_); }

 private:
  const JsonContext &context_;
  Json json_;
};

Json write_range(const FileRange &range, const JsonContext &context) {
  ObjectWriter out(context);
  out.path("file", range.file);
  if (range.offset != 0) out.put("offset", range.offset);
  return out.put("length", range.length).done();
}

Json write_image(const ImageFile &image, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("declared_location", image.declared_location).list("pieces", image.pieces, write_range);
  if (image.gzip) out.put("gzip", true);
  if (image.gzip_outer) out.put("gzip_outer", true);
  if (image.blank) out.put("blank", true);
  out.put("declared_format", image.declared_format)
      .put("uuid", image.uuid)
      .put("declared_capacity", image.declared_capacity);
  if (image.encrypted) out.put("encrypted", true);
  return out.origin(image.origin);
}

Json write_medium(const Medium &medium, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("type", medium.type);
  if (medium.auto_reset) out.put("auto_reset", true);
  return out.list("chain", medium.chain, write_image).origin(medium.origin);
}

Json write_drive(const Drive &drive, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("kind", drive.kind).put("port", drive.port).put("device", drive.device);
  out.object("medium", drive.medium, write_medium);
  out.put("host_device", drive.host_device).put("client_device", drive.client_device);
  out.put("serial", drive.serial).put("model", drive.model).put("nonrotational", drive.nonrotational);
  out.put("discard", drive.discard).put("hotpluggable", drive.hotpluggable).put("passthrough", drive.passthrough);
  out.put("temporary_eject", drive.temporary_eject);
  return out.put("connected_at_start", drive.connected_at_start).origin(drive.origin);
}

Json write_controller(const Controller &controller, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("type", controller.type).put("name", controller.name).put("index", controller.index);
  out.put("ports", controller.ports)
      .put("pci_slot", controller.pci_slot)
      .put("host_io_cache", controller.host_io_cache);
  return out.put("bootable", controller.bootable)
      .list("drives", controller.drives, write_drive)
      .origin(controller.origin);
}

Json write_forward(const PortForward &forward, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("name", forward.name).put("protocol", forward.protocol).put("host_address", forward.host_address);
  out.put("host_port", forward.host_port).put("guest_address", forward.guest_address);
  return out.put("guest_port", forward.guest_port).origin(forward.origin);
}

Json write_nic(const Nic &nic, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("model", nic.model).put("mac", nic.mac).put("mac_generated", nic.mac_generated).put("slot", nic.slot);
  out.put("pci_slot", nic.pci_slot).put("mode", nic.mode).put("network", nic.network).put("nat_cidr", nic.nat_cidr);
  out.put("nat_reaches_loopback", nic.nat_reaches_loopback);
  out.put("cable_connected", nic.cable_connected).list("forwards", nic.forwards, write_forward);
  out.put("boot_priority", nic.boot_priority).put("bandwidth_bytes_per_second", nic.bandwidth_bytes_per_second);
  return out.put("properties", nic.properties).origin(nic.origin);
}

Json write_char_port(const CharPort &port, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("slot", port.slot).put("backend", port.backend).put("path", port.path).put("server", port.server);
  out.put("uart", port.uart).put("io_base", port.io_base).put("irq", port.irq);
  return out.put("connected_at_start", port.connected_at_start).origin(port.origin);
}

Json write_sound(const Sound &sound, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("model", sound.model).put("codec", sound.codec).put("host_driver", sound.host_driver);
  return out.put("output", sound.output).put("input", sound.input).origin(sound.origin);
}

Json write_usb_controller(const UsbController &controller, const JsonContext &context) {
  return ObjectWriter(context)
      .put("type", controller.type)
      .put("pci_slot", controller.pci_slot)
      .origin(controller.origin);
}

Json write_usb_filter(const UsbFilter &filter, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("name", filter.name).put("active", filter.active).put("vendor_id", filter.vendor_id);
  out.put("product_id", filter.product_id).put("revision", filter.revision).put("manufacturer", filter.manufacturer);
  return out.put("product", filter.product)
      .put("serial_number", filter.serial_number)
      .put("port", filter.port)
      .origin(filter.origin);
}

Json write_firmware(const Firmware &firmware, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("type", firmware.type).put("secure_boot", firmware.secure_boot);
  if (firmware.nvram_file) out.path("nvram_file", *firmware.nvram_file);
  out.object("nvram_inside", firmware.nvram_inside, write_range);
  if (firmware.nvram_encrypted) out.put("nvram_encrypted", true);
  out.put("boot_menu_timeout_ms", firmware.boot_menu_timeout_ms).put("boot_menu", firmware.boot_menu);
  return out.put("acpi", firmware.acpi).put("ioapic", firmware.ioapic).origin(firmware.origin);
}

Json write_cpu_feature(const CpuFeature &feature, const JsonContext &context) {
  return ObjectWriter(context).put("name", feature.name).put("enabled", feature.enabled).done();
}

Json write_cpu(const Cpu &cpu, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("architecture", cpu.architecture).put("count", cpu.count).put("cores_per_socket", cpu.cores_per_socket);
  out.put("threads_per_core", cpu.threads_per_core).put("pae", cpu.pae).put("long_mode", cpu.long_mode);
  out.put("nested_virtualization", cpu.nested_virtualization).put("apic", cpu.apic).put("x2apic", cpu.x2apic);
  out.put("hotplug", cpu.hotplug).put("execution_cap_percent", cpu.execution_cap_percent).put("profile", cpu.profile);
  return out.list("features", cpu.features, write_cpu_feature).origin(cpu.origin);
}

Json write_memory(const Memory &memory, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("bytes", memory.bytes).put("balloon_bytes", memory.balloon_bytes).put("page_fusion", memory.page_fusion);
  return out.put("large_pages", memory.large_pages).put("hot_add", memory.hot_add).origin(memory.origin);
}

Json write_remote(const Display::Remote &remote, const JsonContext &context) {
  ObjectWriter out(context);
  return out.put("enabled", remote.enabled)
      .put("ports", remote.ports)
      .put("address", remote.address)
      .origin(remote.origin);
}

Json write_display(const Display &display, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("adapter", display.adapter)
      .put("video_memory_bytes", display.video_memory_bytes)
      .put("monitors", display.monitors);
  out.put("accelerate_3d", display.accelerate_3d).put("accelerate_2d", display.accelerate_2d);
  return out.object("remote", display.remote, write_remote).origin(display.origin);
}

Json write_clock(const Clock &clock, const JsonContext &context) {
  ObjectWriter out(context);
  return out.put("base", clock.base).put("offset_ms", clock.offset_ms).put("hpet", clock.hpet).origin(clock.origin);
}

Json write_tpm(const Tpm &tpm, const JsonContext &context) {
  return ObjectWriter(context)
      .put("version", tpm.version)
      .put("state_encrypted", tpm.state_encrypted)
      .origin(tpm.origin);
}

Json write_boot_device(const BootDevice &device, const JsonContext &context) {
  return ObjectWriter(context).put("kind", device.kind).put("detail", device.detail).done();
}

Json write_shared_folder(const SharedFolder &folder, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("name", folder.name).put("host_path", folder.host_path).put("mount_point", folder.mount_point);
  return out.put("writable", folder.writable).put("auto_mount", folder.auto_mount).origin(folder.origin);
}

Json write_smbios(const Smbios &smbios, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("uuid", smbios.uuid).put("uuid_little_endian", smbios.uuid_little_endian);
  return out.put("older_than_2_6", smbios.older_than_2_6).put("strings", smbios.strings).origin(smbios.origin);
}

Json write_saved_state(const SavedState &state, const JsonContext &context) {
  return ObjectWriter(context).path("file", state.file).origin(state.origin);
}

Json write_snapshot(const Snapshot &snapshot, const JsonContext &context) {
  ObjectWriter out(context);
  out.put("id", snapshot.id).put("name", snapshot.name).put("description", snapshot.description);
  out.put("created", snapshot.created).put("parent", snapshot.parent);
  out.object("saved_state", snapshot.saved_state, write_saved_state);
  return out.member("hardware", to_json(snapshot.hardware, context)).origin(snapshot.origin);
}

}  // namespace

Json to_json(const Place &place, const JsonContext &context) {
  ObjectWriter out(context);
  if (place.file != context.machine) out.path("file", place.file);
  return out.put("line", place.line).put("path", place.path).done();
}

Json to_json(const Finding &finding, const JsonContext &context) {
  Json out{{"id", finding.id}, {"severity", std::string(to_string(finding.severity))}};
  out["where"] = to_json(finding.where, context);
  out["message"] = utf8(finding.message);
  out["advice"] = utf8(finding.advice);
  return out;
}

Json to_json(const Medium &medium, const JsonContext &context) { return write_medium(medium, context); }

Json to_json(const Hardware &hardware, const JsonContext &context) {
  ObjectWriter out(context);
  out.member("firmware", write_firmware(hardware.firmware, context)).put("chipset", hardware.chipset);
  out.member("cpu", write_cpu(hardware.cpu, context)).member("memory", write_memory(hardware.memory, context));
  out.put("paravirtualization", hardware.paravirtualization);
  out.list("controllers", hardware.controllers, write_controller).list("nics", hardware.nics, write_nic);
  out.list("serial_ports", hardware.serial_ports, write_char_port);
  out.list("parallel_ports", hardware.parallel_ports, write_char_port).object("sound", hardware.sound, write_sound);
  out.list("usb_controllers", hardware.usb_controllers, write_usb_controller);
  out.list("usb_filters", hardware.usb_filters, write_usb_filter);
  out.member("input", ObjectWriter(context)
                          .put("pointing", hardware.input.pointing)
                          .put("keyboard", hardware.input.keyboard)
                          .origin(hardware.input.origin));
  out.member("display", write_display(hardware.display, context)).member("clock", write_clock(hardware.clock, context));
  out.object("tpm", hardware.tpm, write_tpm).list("boot_order", hardware.boot_order, write_boot_device);
  out.list("shared_folders", hardware.shared_folders, write_shared_folder);
  return out.member("smbios", write_smbios(hardware.smbios, context)).done();
}

Json to_json(const Machine &machine, const std::filesystem::path &base) {
  const JsonContext context{base, machine.source.file};
  ObjectWriter out(context);
  ObjectWriter source(context);
  source.put("kind", machine.source.kind).path("file", machine.source.file);
  source.put("format_version", machine.source.format_version).put("product", machine.source.product);
  out.member("source", source.done()).put("name", machine.name).put("uuid", machine.uuid);
  out.put("description", machine.description).put("groups", machine.groups);
  ObjectWriter os(context);
  os.put("source_id", machine.guest_os.source_id)
      .put("label", machine.guest_os.label)
      .put("family", machine.guest_os.family);
  os.put("is_64bit", machine.guest_os.is_64bit).put("osinfo_id", machine.guest_os.osinfo_id);
  os.put("osinfo_newer", machine.guest_os.osinfo_newer);
  out.member("guest_os", os.done());
  if (machine.encrypted) out.put("encrypted", true);
  out.object("saved_state", machine.saved_state, write_saved_state).put("extra", machine.extra);
  out.member("hardware", to_json(machine.hardware, context)).list("snapshots", machine.snapshots, write_snapshot);
  out.put("current_snapshot", machine.current_snapshot);
  return out.put("current_state_modified", machine.current_state_modified).origin(machine.origin);
}

Json to_json(const LedgerEntry &entry, const JsonContext &context) {
  ObjectWriter out(context);
  out.member("where", to_json(entry.where, context)).put("value", entry.value).put("field", entry.field);
  return out.put("disposition", entry.disposition).put("note", entry.note).done();
}

Json to_json(const LedgerCounts &counts) {
  Json out{{"total", counts.total},           {"kept", counts.kept},
           {"translated", counts.translated}, {"dropped", counts.dropped},
           {"irrelevant", counts.irrelevant}, {"unknown", counts.unknown}};
  if (counts.unsettled > 0) out["unsettled"] = counts.unsettled;
  return out;
}

}  // namespace ferry
