// SPDX-License-Identifier: Apache-2.0
// -cpu: libvirt's model, features and enlightenments in QEMU's names.
#include <algorithm>

#include "exporters/script/maker.hpp"

#include "support/text.hpp"

namespace ferry::script {
namespace {

std::string dashed(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

bool timer_present(const Maker &m, std::string_view name, std::string_view present) {
  const xml::Element *clock = m.domain.child("clock");
  if (clock == nullptr) return false;
  const auto timers = children(*clock, "timer");
  return std::any_of(timers.begin(), timers.end(), [&](const xml::Element *timer) {
    return attribute(timer, "name") == name && attribute(timer, "present") == present;
  });
}

std::string model_of(const Maker &m, const xml::Element *cpu) {
  const std::string mode = attribute(cpu, "mode");
  if (mode == "host-passthrough" || mode == "host-model") return m.kvm ? "host" : "max";
  if (mode == "maximum") return "max";
  const std::string model = text_of(child(cpu, "model"));
  return model.empty() ? "qemu64" : model;
}

void add_features(const xml::Element &cpu, Keys &keys) {
  for (const xml::Element *feature : children(cpu, "feature")) {
    const std::string policy = attribute(feature, "policy"), name = dashed(attribute(feature, "name"));
    if (policy == "disable" || policy == "forbid") keys.on(name, false);
    if (policy == "require" || policy == "force" || policy.empty()) keys.on(name);
  }
  const std::string cache = attribute(cpu.child("cache"), "mode");
  if (cache == "emulate") keys.on("l3-cache");
  if (cache == "passthrough") keys.on("host-cache-info").on("l3-cache", false);
}

void add_enlightenments(const xml::Element &hyperv, Keys &keys) {
  for (const xml::Element &feature : hyperv.children) {
    if (attribute(&feature, "state") != "on") continue;
    if (feature.name == "spinlocks") {
      const auto retries = number(attribute(&feature, "retries"));
      keys.set("hv-spinlocks", Word("0x" + text::hex(retries.value_or(8191), 1)));
    } else if (feature.name == "vendor_id") {
      keys.set("hv-vendor-id", Word(attribute(&feature, "value")));
    } else {
      keys.on("hv-" + dashed(feature.name));
      if (attribute(feature.child("direct"), "state") == "on") keys.on("hv-stimer-direct");
    }
  }
}

}  // namespace

void add_cpu(Maker &m) {
  const xml::Element *cpu = m.domain.child("cpu");
  const xml::Element *features = m.domain.child("features");
  Keys keys(model_of(m, cpu));
  const std::string migratable = attribute(cpu, "migratable");
  if (!migratable.empty() && m.kvm && attribute(cpu, "mode") == "host-passthrough")
    keys.set("migratable", Word(migratable));
  if (cpu != nullptr) {
    keys.set_some("vendor", attribute(cpu->child("model"), "vendor_id"));
    add_features(*cpu, keys);
  }
  if (const xml::Element *hyperv = child(features, "hyperv")) add_enlightenments(*hyperv, keys);
  if (timer_present(m, "hypervclock", "yes")) keys.on("hv-time");
  if (timer_present(m, "kvmclock", "no")) keys.on("kvmclock", false);
  if (attribute(child(child(features, "kvm"), "hidden"), "state") == "on") keys.on("kvm", false);
  if (attribute(child(features, "pmu"), "state") == "off") keys.on("pmu", false);
  if (cpu == nullptr && keys.word().shell() == "qemu64") return;  // QEMU's own choice, as libvirt leaves it
  m.option("-cpu", keys);
}

}  // namespace ferry::script
