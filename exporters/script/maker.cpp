// SPDX-License-Identifier: Apache-2.0
#include "exporters/script/maker.hpp"

#include <algorithm>
#include <charconv>

#include "support/text.hpp"

namespace ferry::script {
namespace {

const xml::Element kNone;

std::string alias_of(const xml::Element &element) { return attribute(child(&element, "alias"), "name"); }

}  // namespace

std::string attribute(const xml::Element *element, std::string_view name) {
  const std::string *value = element == nullptr ? nullptr : element->attribute(name);
  return value == nullptr ? std::string() : *value;
}

std::string text_of(const xml::Element *element) { return element == nullptr ? std::string() : element->text; }

const xml::Element *child(const xml::Element *element, std::string_view name) {
  return element == nullptr ? nullptr : element->child(name);
}

std::vector<const xml::Element *> children(const xml::Element &element, std::string_view name) {
  std::vector<const xml::Element *> out;
  for (const xml::Element &one : element.children) {
    if (one.name == name) out.push_back(&one);
  }
  return out;
}

std::optional<unsigned> number(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

Maker::Maker(const Request &its_request)
    : request(its_request),
      domain(*its_request.domain),
      devices(domain.child("devices") != nullptr ? *domain.child("devices") : kNone) {
  const xml::Element *type = child(domain.child("os"), "type");
  if (domain.name != "domain" || type == nullptr)
    throw Error(ErrorKind::malformed, {.message = "this is not a libvirt domain", .expected = "<domain> with <os>"});
  const std::string architecture = attribute(type, "arch");
  const std::string kind = attribute(&domain, "type");
  machine = attribute(type, "machine");
  kvm = kind == "kvm";
  q35 = machine.find("q35") != std::string::npos;
  const bool pc = machine.empty() || machine == "pc" || machine.starts_with("pc-i440fx-") || q35;
  const bool x86 = architecture.empty() || architecture == "x86_64" || architecture == "i686";
  if ((!kvm && kind != "qemu") || text_of(type) != "hvm" || !x86 || !pc) {
    throw Error(ErrorKind::unsupported, {.message = "no script can be written for a machine of this kind",
                                         .found = kind + ", " + architecture + ", " + machine,
                                         .expected = "a QEMU PC: type kvm or qemu, machine pc or q35"});
  }
  name = text_of(domain.child("name"));
  uuid = text_of(domain.child("uuid"));
  for (const xml::Element *boot : children(*domain.child("os"), "boot"))
    boot_classes_.push_back(attribute(boot, "dev"));
  read_overrides();
  collect_places();
}

void Maker::read_overrides() {
  for (const xml::Element *of_device : children(domain, "override")) {
    for (const xml::Element *device : children(*of_device, "device")) {
      const xml::Element *frontend = device->child("frontend");
      if (frontend == nullptr) continue;
      auto &properties = overrides_[attribute(device, "alias")];
      for (const xml::Element *property : children(*frontend, "property")) {
        std::string value = attribute(property, "value");
        if (attribute(property, "type") == "bool") value = value == "true" ? "on" : "off";  // QEMU's own words
        properties.emplace_back(attribute(property, "name"), std::move(value));
      }
    }
  }
}

// Those that devices ask for, so that no other gets them before.
void Maker::collect_places() {
  slots_ = {{0, 0}, {0, q35 ? 0x1FU : 1U}};
  for (const xml::Element &device : devices.children) {
    const xml::Element *address = device.child("address");
    const std::string type = attribute(address, "type");
    if (type == "pci") {
      const auto bus = number(attribute(address, "bus")), slot = number(attribute(address, "slot"));
      if (bus && slot) slots_.insert({*bus, *slot});
    } else if (type == "usb") {
      const auto port = number(attribute(address, "port"));
      if (port) take_number("usb" + attribute(address, "bus"), *port);
    } else if (type == "virtio-serial") {
      const auto port = number(attribute(address, "port"));
      if (port) take_number("virtio-serial" + attribute(address, "controller"), *port);
    }
  }
}

void Maker::device(Keys keys, const xml::Element &element) {
  if (const auto found = overrides_.find(alias_of(element)); found != overrides_.end()) {
    for (const auto &[property, value] : found->second) keys.replace(property, value);
  }
  option("-device", keys);
}

bool Maker::is_overridden(const xml::Element &element, std::string_view property) const {
  const auto found = overrides_.find(alias_of(element));
  return found != overrides_.end() && std::any_of(found->second.begin(), found->second.end(),
                                                  [&](const auto &one) { return one.first == property; });
}

void Maker::report(const FindingKind &kind, const std::string &message, std::string advice) {
  Finding finding = raise(kind, {}, message, std::move(advice));
  if (std::find(findings.begin(), findings.end(), finding) == findings.end()) findings.push_back(std::move(finding));
}

Word Maker::file(const std::string &path) const {
  const std::filesystem::path relative =
      request.folder.empty() ? std::filesystem::path() : std::filesystem::path(path).lexically_relative(request.folder);
  const bool below = !relative.empty() && relative != "." && *relative.begin() != "..";
  if (!below) return path;
  Word out;
  out.variable("here").add("/" + relative.string());
  return out;
}

Word Maker::in_run_folder(std::string_view name) {
  Word out;
  out.variable("run").add("/" + std::string(name));
  return out;
}

std::string Maker::pci_bus(unsigned index) const {
  if (index == 0) return q35 ? "pcie.0" : "pci.0";
  return "pci." + std::to_string(index);
}

void Maker::place_pci(Keys &keys, const xml::Element &element, std::optional<unsigned> usual) {
  const xml::Element *address = element.child("address");
  unsigned bus = 0, slot = 0, function = 0;
  if (attribute(address, "type") == "pci") {
    bus = number(attribute(address, "bus")).value_or(0);
    slot = number(attribute(address, "slot")).value_or(0);
    function = number(attribute(address, "function")).value_or(0);
  } else {
    // Slot 1 of q35 and 2 of pc are where libvirt has the screen.
    slot = usual.value_or(q35 ? 2 : 3);
    while (slot < 0x1E && slots_.contains({0, slot})) ++slot;
    slots_.insert({0, slot});
  }
  keys.set("bus", pci_bus(bus));
  if (attribute(address, "multifunction") == "on") keys.on("multifunction");
  keys.set("addr", "0x" + text::hex(slot, 1) + (function == 0 ? "" : "." + text::hex(function, 1)));
}

unsigned Maker::free_number(const std::string &bus) {
  unsigned out = 1;
  while (!numbers_[bus].insert(out).second) ++out;
  return out;
}

void Maker::place_usb(Keys &keys, const xml::Element &element) {
  const xml::Element *address = element.child("address");
  const bool given = attribute(address, "type") == "usb";
  const std::string bus = given ? attribute(address, "bus") : "0";
  keys.set("bus", (bus == "0" || bus.empty() ? std::string("usb") : "usb" + bus) + ".0");
  // Without a port QEMU takes the next free one, and adds a hub where there is none.
  if (given) keys.set_some("port", attribute(address, "port"));
}

std::string Maker::id(const xml::Element &element, const std::string &ours) const {
  const std::string alias = alias_of(element);
  return alias.empty() ? ours : alias;
}

std::string Maker::boot_place(const xml::Element &element, std::string_view boot_class) {
  if (const xml::Element *boot = element.child("boot")) return attribute(boot, "order");
  const auto at = std::find(boot_classes_.begin(), boot_classes_.end(), boot_class);
  if (at == boot_classes_.end() || !booted_.insert(std::string(boot_class)).second) return {};
  return std::to_string(at - boot_classes_.begin() + 1);
}

}  // namespace ferry::script
