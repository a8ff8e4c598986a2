// SPDX-License-Identifier: Apache-2.0
// <disk> and <controller>.
#include "exporters/libvirt/xml/domain_xml.hpp"

namespace ferry::libvirt {
namespace {

void write_driver(xml::Node &disk, const DomainDisk &values) {
  xml::Node driver = disk.child("driver");
  driver.set("name", "qemu").set("type", values.format.empty() ? "raw" : values.format);
  if (!values.cache.empty()) driver.set("cache", values.cache);
  if (!values.error_policy.empty()) driver.set("error_policy", values.error_policy);
  if (!values.read_error_policy.empty()) driver.set("rerror_policy", values.read_error_policy);
  if (!values.io.empty()) driver.set("io", values.io);
  if (!values.discard.empty()) driver.set("discard", values.discard);
  if (!values.detect_zeroes.empty()) driver.set("detect_zeroes", values.detect_zeroes);
}

void write_backing(xml::Node &disk, const DomainBacking &values) {
  xml::Node store = disk.child("backingStore");
  store.set("type", values.file.empty() ? "network" : "file");
  store.child("format").set("type", values.format);
  xml::Node source = store.child("source");
  if (values.file.empty()) {
    source.set("protocol", "nbd").set("name", values.name);
    source.child("host").set("transport", "unix").set("socket", values.socket);
    if (values.reconnect > 0) source.child("reconnect").set("delay", std::uint64_t{values.reconnect});
  } else {
    source.set("file", values.file);
    source.child("slices")
        .child("slice")
        .set("type", "storage")
        .set("offset", values.offset)
        .set("size", values.length);
  }
  store.child("backingStore");
}

void write_drive_address(xml::Node &disk, const DomainDisk &values) {
  if (values.pci) write_address(disk, *values.pci);
  if (values.usb) write_address(disk, *values.usb);
  if (!values.drive || values.bus == "nvme") return;  // the target's name is an NVMe disk's address
  disk.child("address")
      .set("type", "drive")
      .set("controller", std::uint64_t{values.drive->controller})
      .set("bus", std::uint64_t{values.drive->bus})
      .set("target", std::uint64_t{values.drive->target})
      .set("unit", std::uint64_t{values.drive->unit});
}

}  // namespace

void write_disk(xml::Node &devices, const DomainDisk &values) {
  xml::Node disk = devices.child("disk");
  const bool block = values.file.starts_with("/dev/");
  disk.set("type", block ? "block" : "file").set("device", values.device);
  if (values.no_snapshots) disk.set("snapshot", "no");
  write_driver(disk, values);
  if (!values.file.empty()) disk.child("source").set(block ? "dev" : "file", values.file);
  if (values.backing) write_backing(disk, *values.backing);
  xml::Node target = disk.child("target");
  target.set("dev", values.target).set("bus", values.bus);
  if (values.solid_state) target.set("rotation_rate", "1");
  if (values.read_only) disk.child("readonly");
  if (values.shareable) disk.child("shareable");
  if (values.transient) disk.child("transient");
  if (!values.serial.empty()) disk.child("serial", values.serial);
  if (!values.wwn.empty()) disk.child("wwn", values.wwn);
  if (!values.vendor.empty()) disk.child("vendor", values.vendor);
  if (!values.product.empty()) disk.child("product", values.product);
  write_boot(disk, values.boot_order);
  write_alias(disk, values.alias);
  write_drive_address(disk, values);
}

void write_controller(xml::Node &devices, const DomainController &values) {
  xml::Node controller = devices.child("controller");
  controller.set("type", values.type).set("index", std::uint64_t{values.index});
  if (!values.model.empty()) controller.set("model", values.model);
  if (!values.serial.empty()) controller.child("serial", values.serial);
  if (values.master_port) controller.child("master").set("startport", std::uint64_t{*values.master_port});
  if (values.hotplug || values.chassis || values.port || values.chassis_number) {
    xml::Node target = controller.child("target");
    if (values.chassis_number) target.set("chassisNr", std::uint64_t{*values.chassis_number});
    if (values.port) target.set("port", std::uint64_t{*values.port});
    if (values.chassis) target.set("chassis", std::uint64_t{*values.chassis});
    if (values.hotplug) target.set("hotplug", *values.hotplug ? "on" : "off");
  }
  write_alias(controller, values.alias);
  if (values.address) write_address(controller, *values.address);
}

}  // namespace ferry::libvirt
