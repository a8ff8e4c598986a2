// SPDX-License-Identifier: Apache-2.0
// Keyboard and mouse, TPM, host devices and the like; what libvirt passes on as it is; and what is left out.
#include <algorithm>
#include <array>

#include "exporters/script/maker.hpp"

namespace ferry::script {
namespace {

void add_inputs(Maker &m) {
  unsigned index = 0;
  for (const xml::Element *input : children(m.devices, "input")) {
    const std::string type = attribute(input, "type"), bus = attribute(input, "bus");
    if (bus == "ps2" || bus == "xen") continue;  // the board has them
    const std::string kind = type == "keyboard" ? "kbd" : type;
    const bool known = type == "tablet" || type == "mouse" || type == "keyboard";
    if (!known || (bus != "usb" && bus != "virtio")) {
      m.report(kDeviceLeftOut, "An input device of the type '" + type + "' is left out.");
      continue;
    }
    Keys keys(bus == "usb" ? "usb-" + kind : "virtio-" + type + "-pci");
    keys.set("id", Word(m.id(*input, "input" + std::to_string(index++))));
    if (bus == "usb") {
      m.place_usb(keys, *input);
    } else {
      m.place_pci(keys, *input);
    }
    m.device(keys, *input);
  }
}

void add_tpm(Maker &m) {
  const xml::Element *tpm = m.devices.child("tpm");
  if (tpm == nullptr) return;
  const xml::Element *backend = tpm->child("backend");
  const std::string kind = attribute(backend, "type"), model = attribute(tpm, "model");
  if (kind == "emulator") {
    m.tpm_version = attribute(backend, "version").empty() ? "2.0" : attribute(backend, "version");
    m.tpm_folder = m.request.tpm_state.empty() ? Word().variable("here").add("/" + m.uuid + "-tpm")
                                               : m.file(m.request.tpm_state.string());
    if (m.request.tpm_state.empty())
      m.report(kTpmNew, "The script's TPM is a new one; what the guest sealed does not open.");
    if (backend->child("encryption") != nullptr)
      m.report(kSecret, "The TPM's state is encrypted with a key of libvirt's.");
    m.option("-chardev", Keys("socket").set("id", "chrtpm").set("path", Maker::in_run_folder("tpm.sock")));
    m.option("-tpmdev", Keys("emulator").set("id", "tpm-tpm0").set("chardev", "chrtpm"));
  } else if (kind == "passthrough") {
    const std::string path = attribute(backend->child("device"), "path");
    m.option("-tpmdev", Keys("passthrough").set("id", "tpm-tpm0").set("path", Word(path.empty() ? "/dev/tpm0" : path)));
    m.report(kHostDevice, "The host's TPM is given to the machine.");
  } else {
    m.report(kDeviceLeftOut, "A TPM of the type '" + kind + "' is left out.");
    return;
  }
  m.device(Keys(model.empty() ? "tpm-tis" : model).set("tpmdev", "tpm-tpm0").set("id", "tpm0"), *tpm);
}

void add_redirections(Maker &m) {
  unsigned index = 0;
  for (const xml::Element *redirection : children(m.devices, "redirdev")) {
    const std::string id = "redir" + std::to_string(index++), chardev = "char" + id;
    if (attribute(redirection, "type") != "spicevmc" || !m.has_spice) {
      m.report(kDeviceLeftOut, "A USB redirection is left out: it needs a SPICE screen, and there is none.");
      continue;
    }
    m.option("-chardev", Keys("spicevmc").set("id", Word(chardev)).set("name", "usbredir"));
    Keys keys("usb-redir");
    keys.set("chardev", Word(chardev)).set("id", Word(m.id(*redirection, id)));
    m.place_usb(keys, *redirection);
    m.device(keys, *redirection);
  }
}

// A card that the viewer hands on, in a reader on USB.
void add_smartcards(Maker &m) {
  unsigned index = 0;
  for (const xml::Element *card : children(m.devices, "smartcard")) {
    const std::string number = std::to_string(index++), chardev = "charsmartcard" + number, reader = "ccid" + number;
    if (attribute(card, "type") != "spicevmc" || !m.has_spice) {
      m.report(kDeviceLeftOut, "A card reader is left out: it needs a SPICE screen, and there is none.");
      continue;
    }
    m.option("-chardev", Keys("spicevmc").set("id", Word(chardev)).set("name", "smartcard"));
    m.option("-device", Keys("usb-ccid").set("id", Word(reader)));
    m.option("-device", Keys("ccid-card-passthru").set("chardev", Word(chardev)).set("bus", Word(reader + ".0")));
  }
}

void add_balloon(Maker &m) {
  for (const xml::Element *balloon : children(m.devices, "memballoon")) {
    const std::string model = attribute(balloon, "model");
    if (!model.starts_with("virtio")) continue;
    Keys keys("virtio-balloon-pci" + model.substr(std::string_view("virtio").size()));
    keys.set("id", "balloon0");
    if (attribute(balloon, "autodeflate") == "on") keys.on("deflate-on-oom");
    if (attribute(balloon, "freePageReporting") == "on") keys.on("free-page-reporting");
    m.place_pci(keys, *balloon);
    m.device(keys, *balloon);
  }
}

void add_random(Maker &m) {
  unsigned index = 0;
  for (const xml::Element *rng : children(m.devices, "rng")) {
    const xml::Element *backend = rng->child("backend");
    const std::string kind = attribute(backend, "model"), id = "rng" + std::to_string(index++);
    if (kind != "random" && kind != "builtin") {
      m.report(kDeviceLeftOut, "A random number generator that is fed by '" + kind + "' is left out.");
      continue;
    }
    Keys object(kind == "builtin" ? "rng-builtin" : "rng-random");
    object.set("id", Word("obj" + id));
    if (kind == "random") object.set("filename", Word(text_of(backend).empty() ? "/dev/urandom" : text_of(backend)));
    m.option("-object", object);
    Keys keys("virtio-rng-pci");
    keys.set("rng", Word("obj" + id)).set("id", Word(m.id(*rng, id)));
    if (const xml::Element *rate = rng->child("rate")) {
      keys.set_some("max-bytes", attribute(rate, "bytes"));
      const std::string period = attribute(rate, "period");
      keys.set("period", Word(period.empty() ? "1000" : period));
    }
    m.place_pci(keys, *rng);
    m.device(keys, *rng);
  }
}

void add_watchdog(Maker &m) {
  for (const xml::Element *watchdog : children(m.devices, "watchdog")) {
    const std::string model = attribute(watchdog, "model"), action = attribute(watchdog, "action");
    if (model == "itco") continue;  // q35 has it
    Keys keys(model);
    keys.set("id", "watchdog0");
    if (model == "i6300esb") m.place_pci(keys, *watchdog);
    m.device(keys, *watchdog);
    if (!action.empty()) m.option("-watchdog-action", Word(action == "dump" ? "pause" : action));
  }
}

void add_filesystems(Maker &m) {
  unsigned index = 0;
  for (const xml::Element *shared : children(m.devices, "filesystem")) {
    const std::string driver = attribute(shared->child("driver"), "type"), mode = attribute(shared, "accessmode");
    const std::string folder = attribute(shared->child("source"), "dir"),
                      tag = attribute(shared->child("target"), "dir");
    const std::string id = "fs" + std::to_string(index++);
    if (attribute(shared, "type") != "mount" || (!driver.empty() && driver != "path")) {
      m.report(kDeviceLeftOut,
               "The shared folder '" + folder + "' is left out: it needs a virtiofsd that libvirt starts.");
      continue;
    }
    Keys backend("local");
    backend.set("id", Word("fsdev-" + id)).set("path", m.file(folder));
    backend.set("security_model", mode == "passthrough" ? "passthrough" : mode == "squash" ? "none" : "mapped");
    if (shared->child("readonly") != nullptr) backend.on("readonly");
    m.option("-fsdev", backend);
    Keys keys("virtio-9p-pci");
    keys.set("id", Word(m.id(*shared, id))).set("fsdev", Word("fsdev-" + id)).set("mount_tag", Word(tag));
    m.place_pci(keys, *shared);
    m.device(keys, *shared);
  }
}

std::string host_pci(const xml::Element &address) {
  std::string out;
  const auto part = [&](const char *name, std::size_t width) {
    std::string digits = attribute(&address, name);
    if (digits.starts_with("0x")) digits.erase(0, 2);
    return std::string(digits.size() < width ? width - digits.size() : 0, '0') + digits;
  };
  return part("domain", 4) + ":" + part("bus", 2) + ":" + part("slot", 2) + "." + part("function", 1);
}

void add_host_devices(Maker &m) {
  unsigned index = 0;
  for (const xml::Element *device : children(m.devices, "hostdev")) {
    const std::string type = attribute(device, "type"), id = m.id(*device, "hostdev" + std::to_string(index++));
    const xml::Element *source = device->child("source");
    const xml::Element *address = child(source, "address");
    if (attribute(device, "mode") == "subsystem" && type == "pci" && address != nullptr) {
      Keys keys("vfio-pci");
      keys.set("host", Word(host_pci(*address))).set("id", Word(id));
      m.place_pci(keys, *device);
      m.device(keys, *device);
      m.report(kHostDevice, "The host's PCI device " + host_pci(*address) + " is given to the machine.");
    } else if (attribute(device, "mode") == "subsystem" && type == "usb") {
      Keys keys("usb-host");
      keys.set("id", Word(id));
      keys.set_some("vendorid", attribute(child(source, "vendor"), "id"));
      keys.set_some("productid", attribute(child(source, "product"), "id"));
      keys.set_some("hostbus", attribute(address, "bus"));
      keys.set_some("hostaddr", attribute(address, "device"));
      m.place_usb(keys, *device);
      m.device(keys, *device);
      m.report(kHostDevice, "A USB device of the host is given to the machine.");
    } else {
      m.report(kDeviceLeftOut, "A device of the host, of the type '" + type + "', is left out.");
    }
  }
}

template <std::size_t size>
bool is_in(const std::array<std::string_view, size> &list, const std::string &name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

void add_others(Maker &m) {
  m.group("everything else");
  add_inputs(m);
  add_tpm(m);
  add_redirections(m);
  add_smartcards(m);
  add_balloon(m);
  add_random(m);
  add_watchdog(m);
  add_filesystems(m);
  add_host_devices(m);
  if (const xml::Element *genid = m.domain.child("genid")) {
    m.option("-device", Keys("vmgenid").set("guid", Word(genid->text.empty() ? "auto" : genid->text)));
  }
  for (const xml::Element *panic : children(m.devices, "panic")) {
    const std::string model = attribute(panic, "model");
    if (model.empty() || model == "isa") m.device(Keys("pvpanic"), *panic);
    if (model == "pvpanic") m.device(Keys("pvpanic-pci"), *panic);
  }
  if (text_of(m.domain.child("on_reboot")) == "destroy") m.option("-no-reboot");
}

void add_arguments(Maker &m) {
  for (const xml::Element *line : children(m.domain, "commandline")) {
    const auto words = children(*line, "arg");
    if (words.empty()) continue;
    m.group("as the domain hands it to QEMU");
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string word = attribute(words[i], "value");
      const bool takes_value = i + 1 < words.size() && !attribute(words[i + 1], "value").starts_with("-");
      if (takes_value) {
        m.option(word, Word(attribute(words[++i], "value")));
      } else {
        m.option(word);
      }
    }
    for (const xml::Element *variable : children(*line, "env"))
      m.report(kLeftOut, "The variable " + attribute(variable, "name") + " is not set for QEMU.");
  }
}

void report_rest(Maker &m) {
  static constexpr std::array<std::string_view, 28> kDevices{
      "emulator", "disk",  "controller", "interface", "serial", "parallel", "channel",    "console", "graphics",
      "video",    "sound", "audio",      "input",     "tpm",    "redirdev", "memballoon", "rng",     "watchdog",
      "hostdev",  "hub",   "filesystem", "panic",     "lease",  "iommu",    "smartcard"};
  for (const xml::Element &device : m.devices.children) {
    if (!is_in(kDevices, device.name))
      m.report(kDeviceLeftOut, "A device of the kind <" + device.name + "> is left out.");
  }
  static constexpr std::array<std::string_view, 29> kSettings{
      "name",     "uuid",           "genid",         "title",       "description", "metadata",
      "memory",   "currentMemory",  "memoryBacking", "vcpu",        "os",          "features",
      "cpu",      "clock",          "devices",       "on_poweroff", "on_reboot",   "on_crash",
      "pm",       "sysinfo",        "commandline",   "override",    "maxMemory",   "iothreads",
      "resource", "on_lockfailure", "capabilities"};
  std::string rest;
  for (const xml::Element &setting : m.domain.children) {
    const bool own_label = setting.name == "seclabel";
    if (own_label || !is_in(kSettings, setting.name)) rest += (rest.empty() ? "<" : ", <") + setting.name + ">";
  }
  if (!rest.empty()) m.report(kLeftOut, "What only libvirt does is left out: " + rest + ".");
  if (m.request.is_defined)
    m.report(kSameImages, "The images are those of the domain: it and the script cannot run at the same time.");
  if (m.request.snapshots > 0)
    m.report(kSnapshots, "libvirt knows of " + std::to_string(m.request.snapshots) + " snapshots of the machine.");
}

}  // namespace ferry::script
