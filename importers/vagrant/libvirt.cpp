// SPDX-License-Identifier: Apache-2.0
// vagrant-libvirt's machine [read: its domain.xml.erb and documentation of options]: libvirt's default board (an
// i440FX) with 1 CPU of the host's model, 512 MiB, virtio disks, a virtio card on a NAT network, a Cirrus card, a
// serial console, PS/2 input, a clock in UTC. In QEMU's words it is a command, which importers/qemu reads like any
// other.
#include "importers/vagrant/libvirt.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "importers/qemu/qemu.hpp"
#include "importers/vagrant/findings.hpp"
#include "importers/vagrant/settings.hpp"
#include "model/members.hpp"

#include "support/text.hpp"

namespace ferry::vagrant {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostMemory = 24ULL << 20U;  // MiB: 24 TiB
constexpr std::uint64_t kMostCpus = 4096;

// ---- where everything comes from ----

template <class T>
void place_origins(T &, const Place &) {}
template <class T>
void place_origins(std::vector<T> &list, const Place &where);
template <class T>
void place_origins(std::optional<T> &held, const Place &where);
template <Described T>
void place_origins(T &object, const Place &where);
inline void place_origins(Place &place, const Place &where) { place = where; }

template <class T>
void place_origins(std::vector<T> &list, const Place &where) {
  for (T &one : list) place_origins(one, where);
}
template <class T>
void place_origins(std::optional<T> &held, const Place &where) {
  if (held) place_origins(*held, where);
}
template <Described T>
void place_origins(T &object, const Place &where) {
  for_each_member<T>([&](const auto &member) { place_origins(object.*member.at, where); });
}

// ---- the command ----

class Command {
 public:
  Command(const Box &box, Options &options, const Metadata &metadata)
      : box_(box), options_(options), metadata_(metadata) {}

  std::vector<std::string> words() {
    const auto machine = options_.text("machine_type", "hardware.machine_type");
    machine_ = machine.value_or("pc");
    add({"-nodefaults", "-machine", machine_, "-enable-kvm", "-rtc", "base=utc", "-serial", "pty", "-usb"});
    add({"-m", std::to_string(options_.number("memory", "hardware.memory.bytes", kMostMemory).value_or(512))});
    add({"-smp", std::to_string(options_.number("cpus", "hardware.cpu.count", kMostCpus).value_or(1))});
    add({"-cpu", cpu()});
    add_disks();
    add({"-netdev", "user,id=net0", "-device", card() + ",netdev=net0"});
    add_display();
    add_others();
    return std::move(words_);
  }

 private:
  void add(std::initializer_list<std::string> words) { words_.insert(words_.end(), words); }

  std::string cpu() {
    const auto mode = options_.text("cpu_mode", "hardware.cpu.model");
    const auto model = options_.text("cpu_model", "hardware.cpu.model");
    if (mode == "custom" && model) return *model;
    return mode == "maximum" ? "max" : "host";
  }

  // The bus of all disks; of those that are not known the default.
  std::string bus() {
    const std::string bus = text::lower_ascii(options_.text("disk_bus", "hardware.controllers").value_or("virtio"));
    constexpr std::array<std::string_view, 6> kKnown{"virtio", "scsi", "sata", "ide", "usb", "nvme"};
    if (std::find(kKnown.begin(), kKnown.end(), bus) == kKnown.end()) {
      options_.bad_value("disk_bus", "\"" + text::printable(bus) + "\" is not a disk bus that is known");
      return "virtio";
    }
    return bus == "ide" && is_q35() ? "sata" : bus;
  }

  [[nodiscard]] bool is_q35() const { return machine_.find("q35") != std::string::npos; }

  void add_disks() {
    const std::string kind = bus();
    if (kind == "scsi") add({"-device", "virtio-scsi-pci,id=disks"});
    if (kind == "sata" && !is_q35()) add({"-device", "ich9-ahci,id=disks"});
    if (kind == "usb") add({"-device", "qemu-xhci,id=disks"});
    std::string file;  // commas are doubled for QEMU
    for (const char c : box_.file().string()) file += c == ',' ? ",," : std::string(1, c);
    for (std::size_t i = 0; i < metadata_.disks.size(); ++i) {
      const std::string n = std::to_string(i);
      const std::string format = metadata_.disks[i].format == "raw" ? "raw" : "qcow2";
      add({"-drive", "file=" + file + ",if=none,id=disk" + n + ",format=" + format});
      std::string device;
      if (kind == "virtio") device = "virtio-blk-pci";
      if (kind == "scsi") device = "scsi-hd,bus=disks.0";
      if (kind == "sata") device = "ide-hd,bus=" + std::string(is_q35() ? "ide." : "disks.") + n;
      if (kind == "ide") device = "ide-hd,bus=ide." + std::to_string(i / 2) + ",unit=" + std::to_string(i % 2);
      if (kind == "usb") device = "usb-storage,bus=disks.0";
      if (kind == "nvme") device = "nvme,serial=box" + n;
      add({"-device", device + ",drive=disk" + n + ",bootindex=" + n});
    }
  }

  std::string card() {
    std::string model = options_.text("nic_model_type", "hardware.nics").value_or("virtio");
    constexpr std::array<std::string_view, 7> kKnown{"e1000",   "e1000e",   "rtl8139",       "pcnet",
                                                     "vmxnet3", "ne2k_pci", "virtio-net-pci"};
    if (model == "virtio") return "virtio-net-pci";
    if (std::find(kKnown.begin(), kKnown.end(), model) != kKnown.end()) return model;
    options_.bad_value("nic_model_type", "\"" + text::printable(model) + "\" is not a network card that is known");
    return "virtio-net-pci";
  }

  void add_display() {
    const std::string type = options_.text("video_type", "hardware.display").value_or("cirrus");
    (void)options_.number("video_vram", "hardware.display", UINT64_MAX);
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kCards{{{"cirrus", "cirrus-vga"},
                                                                                   {"vga", "VGA"},
                                                                                   {"qxl", "qxl-vga"},
                                                                                   {"virtio", "virtio-vga"},
                                                                                   {"vmvga", "vmware-svga"},
                                                                                   {"bochs", "bochs-display"}}};
    const auto *known = std::find_if(kCards.begin(), kCards.end(), [&](const auto &row) { return row.first == type; });
    if (known == kCards.end()) {
      if (type == "none") return;
      options_.bad_value("video_type", "\"" + text::printable(type) + "\" is not a graphics card that is known");
      known = kCards.begin();
    }
    add({"-device", std::string(known->second)});
  }

  void add_others() {
    const std::string sound = options_.text("sound_type", "hardware.sound").value_or("");
    if (sound == "ich6") add({"-device", "intel-hda", "-device", "hda-duplex"});
    if (sound == "ich9") add({"-device", "ich9-intel-hda", "-device", "hda-duplex"});
    if (sound == "ac97") add({"-device", "AC97"});
    if (options_.called("random", "hardware.devices"))
      add({"-object", "rng-random,id=random,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=random"});
  }

  const Box &box_;
  Options &options_;
  const Metadata &metadata_;
  std::string machine_;
  std::vector<std::string> words_;
};

// The firmware that the box asks for: its path is another host's, its name says what it is.
void read_firmware(Options &options, Hardware &hardware) {
  const auto loader = options.text("loader", "hardware.firmware.type");
  const auto nvram = options.text("nvram", "hardware.firmware.nvram_file");
  const std::string name = text::lower_ascii(loader.value_or(""));
  if (nvram || name.find("ovmf") != std::string::npos || name.find("edk2") != std::string::npos ||
      name.find("efi") != std::string::npos)
    hardware.firmware.type = FirmwareType::efi64;
  const bool tpm = options.text("tpm_type", "hardware.tpm").value_or("") == "emulator" ||
                   options.text("tpm_version", "hardware.tpm").has_value() ||
                   options.text("tpm_model", "hardware.tpm").has_value();
  if (tpm) hardware.tpm = Tpm{.version = Tpm::Version::v2_0};
  hardware.cpu.nested_virtualization =
      options.on("nested", "hardware.cpu.nested_virtualization") ? std::optional(true) : std::nullopt;
}

void refuse_arm(const Metadata &metadata, Options &options) {
  const std::string arch = options.text("machine_arch", "hardware.cpu.architecture").value_or(metadata.architecture);
  if (arch.empty() || arch == "amd64" || arch == "x86_64" || arch == "i386" || arch == "i686" || arch == "unknown")
    return;
  throw Error(ErrorKind::unsupported, {.where = metadata.disks.front().where,
                                       .message = "the box's machine is not a PC",
                                       .found = text::printable(arch),
                                       .expected = "amd64 or i386",
                                       .advice = "Use the box's edition for amd64, if there is one."});
}

// Gives each disk its member in place of the box as a whole.
void attach_disks(const Box &box, const ImportOptions &options, const Metadata &metadata, Hardware &hardware) {
  std::size_t number = 0;
  for (Controller &controller : hardware.controllers) {
    for (Drive &drive : controller.drives) {
      if (drive.kind != DriveKind::disk || !drive.medium || number == metadata.disks.size()) continue;
      const DiskOfBox &disk = metadata.disks[number++];
      ImageFile image;
      image.declared_location = disk.path;
      image.origin = disk.where;
      image.gzip_outer = box.is_gzip();
      if (disk.format == "raw") image.declared_format = ImageFormat::raw;
      if (disk.format == "qcow2") image.declared_format = ImageFormat::qcow2;
      if (auto range = box.find(disk.path, {}, options.places)) image.pieces.push_back(std::move(*range));
      drive.medium->chain = {std::move(image)};
    }
  }
}

std::string name_of(const Box &box) {
  if (box.is_archive()) return box.file().stem().string();
  // ~/.vagrant.d/boxes/debian-VAGRANTSLASH-bookworm64/12.0/libvirt/metadata.json
  std::string after_boxes;
  for (const fs::path &part : box.file()) {
    if (after_boxes == "boxes") {
      std::string name = part.string();
      if (const std::size_t at = name.find("-VAGRANTSLASH-"); at != std::string::npos) name.replace(at, 14, "-");
      return name;
    }
    after_boxes = part.string();
  }
  return box.file().parent_path().filename().string();
}

}  // namespace

ImportedMachine import_libvirt(const Box &box, const ImportOptions &given) {
  ImportedMachine out;
  const Metadata metadata = read_metadata(box, out.ledger);
  Options options(box, {"libvirt", "qemu"}, out.ledger, out.findings);
  refuse_arm(metadata, options);
  const Place where{box.shown("metadata.json"), std::nullopt, {}};
  ImportOptions reading;
  reading.base = box.file().parent_path();
  out.machine = qemu::import_words(Command(box, options, metadata).words(), where, name_of(box), reading).machine;
  Machine &machine = out.machine;
  place_origins(machine, where);
  machine.source = {SourceKind::vagrant, box.file(), metadata.provider, "Vagrant"};
  attach_disks(box, given, metadata, machine.hardware);
  read_firmware(options, machine.hardware);
  for (Nic &nic : machine.hardware.nics) {
    nic.mac.reset();
    nic.mac_generated = false;
    const auto mac = options.text("config.vm.base_mac", "hardware.nics.0.mac");
    if (mac) nic.mac = MacAddress::parse(*mac);
  }
  const Hardware &hardware = machine.hardware;
  out.findings.push_back(raise(kDefaults, where,
                               "the machine has " + std::to_string(hardware.cpu.count) +
                                   (hardware.cpu.count == 1 ? " processor and " : " processors and ") +
                                   text::human_bytes(hardware.memory.bytes) +
                                   " of memory, as 'vagrant up' gives it, and a new UUID and MAC address"));
  options.finish();
  return out;
}

}  // namespace ferry::vagrant
