// SPDX-License-Identifier: Apache-2.0
// Names, guest OS, memory, TPM, shared folders, and what macOS needs.
#include <algorithm>
#include <array>

#include "exporters/libvirt/mapping.hpp"
#include "model/support/text.hpp"

namespace ferry::libvirt {
namespace {

// libvirt refuses a title with a line break.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

// Folders that hold the system or everything that the user has: sharing them by a line in a file that may come from
// elsewhere gives the guest the host.
bool is_too_wide(const std::filesystem::path &path) {
  const std::filesystem::path normal = path.lexically_normal();
  const auto depth = std::distance(normal.begin(), normal.end());  // "/" counts as one
  if (!normal.is_absolute() || depth <= 2) return true;
  constexpr std::array<std::string_view, 8> kSystem = {"etc", "proc", "sys", "dev", "boot", "run", "root", "usr"};
  const std::string first = std::next(normal.begin())->string();
  if (std::find(kSystem.begin(), kSystem.end(), first) != kSystem.end()) return true;
  return first == "home" && depth <= 3;
}

// What the guest mounts a folder by: its name, cut to a virtiofs tag's 36 bytes, and not another folder's.
std::string unique_tag(const std::string &name, const std::vector<DomainFilesystem> &others) {
  constexpr std::size_t kLongest = 36;
  std::string tag = text::cut_utf8(name, kLongest);
  const auto taken = [&] { return std::ranges::find(others, tag, &DomainFilesystem::tag) != others.end(); };
  for (unsigned n = 2; taken(); ++n) {
    const std::string end = "-" + std::to_string(n);
    tag = text::cut_utf8(name, kLongest - end.size()) + end;
  }
  return tag;
}

void map_folder(Mapping &m, std::size_t i, const SharedFolder &folder, std::vector<std::string> &left_out) {
  const std::string field = field_at("shared_folders", i);
  if (is_too_wide(folder.host_path)) {
    m.drop(field, "this folder is too wide to share: '" + folder.host_path + "'");
    left_out.push_back(folder.name + " (too wide a folder)");
    return;
  }
  // The virtiofs driver of libvirt cannot make a mount read-only before 11.0.
  if (!folder.writable && !m.host_has_libvirt(11, 0)) {
    m.drop(field, "this host's libvirt cannot share a folder read-only");
    left_out.push_back(folder.name + " (read-only)");
    return;
  }
  DomainFilesystem out{
      .source = folder.host_path, .tag = unique_tag(folder.name, m.domain.filesystems), .read_only = !folder.writable};
  out.address = m.slots.place(std::nullopt);
  m.translate(field, "virtiofs; in the guest: mount -t virtiofs " + out.tag + " /mnt");
  m.domain.filesystems.push_back(std::move(out));
  m.domain.shared_memory = true;
}

std::string tpm_model(const Mapping &m, bool old) {
  const std::string_view wanted = old ? "tpm-tis" : "tpm-crb";
  if (unknown_or_has(m.host.tpm_models, wanted)) return std::string(wanted);
  return has(m.host.tpm_models, "tpm-tis") ? "tpm-tis" : std::string{};
}

}  // namespace

void map_identity(Mapping &m) {
  const Machine &machine = m.machine;
  m.domain.name = m.options.name.empty() ? machine.name : m.options.name;
  m.domain.description = machine.description;
  // The programs that show the system know no id that their database lacks.
  const bool newer = !machine.guest_os.osinfo_newer.empty() && m.host.osinfo_db >= kOsinfoNewerRelease;
  m.domain.osinfo_id = newer ? machine.guest_os.osinfo_newer : machine.guest_os.osinfo_id;
  // GNOME Boxes lists a domain without a title with no name at all [tried, 43.2].
  m.domain.title = one_line(m.options.title.empty() ? machine.name : m.options.title);
  if (m.domain.name == machine.name) {
    m.keep("/name");
  } else {
    m.translate("/name", "domain name " + m.domain.name);
  }
  m.keep("/description");
  m.keep("/current_snapshot");
  m.keep("/current_state_modified", "the current state is always carried over as it is");
  m.drop("/groups", "libvirt has no groups of machines");
  if (!machine.groups.empty() && machine.groups != std::vector<std::string>{"/"}) {
    m.raise(kGroupsDropped, machine.origin, "The machine's groups are not carried over: libvirt has none.");
  }
  m.drop("/extra", "a value of the source platform's own code");
  if (m.domain.osinfo_id.empty()) {
    m.translate("/guest_os", "libosinfo has no such system; nothing is written");
    m.raise(
        kGuestOsUnknown, machine.origin,
        machine.guest_os.source_id.empty()
            ? "The source does not say which guest system it is; defaults are general ones."
            : "The guest system '" + machine.guest_os.source_id + "' has no libosinfo id; defaults are general ones.");
  } else {
    m.translate("/guest_os", m.domain.osinfo_id);
  }
}

void map_memory(Mapping &m) {
  const Memory &memory = m.hardware.memory;
  constexpr std::uint64_t kAssumed = std::uint64_t{1} << 30U;
  std::uint64_t bytes = memory.bytes;
  m.keep("memory.bytes");
  if (bytes == 0) {
    bytes = kAssumed;
    m.raise(kMemoryAssumed, memory.origin, "The source does not say how much memory the machine has; it gets 1 GiB.");
  }
  m.domain.memory_kib = (bytes + 1023) / 1024;
  m.domain.current_memory_kib = m.domain.memory_kib;
  const std::uint64_t balloon = memory.balloon_bytes.value_or(0);
  m.keep("memory.balloon_bytes", "none");
  if (balloon > 0 && balloon < bytes) {
    m.domain.balloon = true;
    m.domain.balloon_address = m.slots.place(std::nullopt);
    m.domain.current_memory_kib = (bytes - balloon) / 1024;
    m.translate("memory.balloon_bytes", "virtio balloon");
    m.raise(kBalloon, memory.origin, "The memory balloon becomes a virtio one, which needs its driver in the guest.");
  }
  m.drop("memory.page_fusion", "the host's KSM works for all machines; it is not a machine's setting");
  m.drop("memory.large_pages", "huge pages are the host's to set up");
  m.drop("memory.hot_add", "all memory is present from the start");
  if (memory.large_pages == true) {
    m.raise(kLargePagesDropped, memory.origin, "Large pages are not asked for: the host must have set them up first.");
  }
}

void map_tpm(Mapping &m) {
  m.keep("tpm");
  if (!m.hardware.tpm) return;
  const Tpm &tpm = *m.hardware.tpm;
  const bool old = tpm.version == Tpm::Version::v1_2;
  const std::string model = tpm_model(m, old);
  const bool possible = m.host.swtpm_setup && unknown_or_has(m.host.tpm_backends, "emulator") && !model.empty();
  if (!possible) {
    m.drop("tpm", "this host has no TPM emulator (swtpm)");
    m.raise(kTpmDropped, tpm.origin, "The machine had a TPM; this host has no emulator for one.");
    return;
  }
  m.domain.tpm = DomainTpm{model, old ? "1.2" : "2.0"};
  m.keep("tpm.version", "TPM " + m.domain.tpm->version + " (" + model + ")");
  if (tpm.version == Tpm::Version::host) m.translate("tpm.version", "an emulated TPM 2.0 in place of the host's");
  m.raise(kTpmBitlocker, tpm.origin,
          "The firmware changes, so what the guest has sealed in its TPM (BitLocker, LUKS) will not open.");
}

void map_folders(Mapping &m) {
  const auto &folders = m.hardware.shared_folders;
  m.keep("shared_folders");
  if (folders.empty()) return;
  // As an ordinary user virtiofsd needs user namespaces, which libvirt sets up from 10.0 on.
  const bool possible = m.host.virtiofsd && unknown_or_has(m.host.filesystem_drivers, "virtiofs") &&
                        (!m.session() || m.host_has_libvirt(10, 0));
  std::vector<std::string> left_out;
  for (std::size_t i = 0; i < folders.size(); ++i) {
    if (m.options.shared_folders && possible) {
      map_folder(m, i, folders[i], left_out);
    } else {
      m.drop(field_at("shared_folders", i), "shared folders need VirtualBox's or VMware's tools");
      left_out.push_back(folders[i].name);
    }
  }
  if (left_out.empty()) return;
  std::string names;
  for (const std::string &name : left_out) names += (names.empty() ? "" : ", ") + name;
  m.raise(kFolderDropped, folders.front().origin, "Shared folders are left out: " + names + ".",
          m.options.shared_folders && !possible
              ? "virtiofs in a session needs libvirt 10.0 and virtiofsd on the host; or share the folder over SSH."
              : "");
}

// macOS starts only with Apple's SMC key, which the source machine carries in its extra data, and knows few CPUs.
void map_macos(Mapping &m) {
  if (m.machine.guest_os.family != OsFamily::macos) return;
  const auto key = m.machine.extra.find("smc.key");
  if (key == m.machine.extra.end() || key->second.empty()) {
    m.raise(kMacosKeyMissing, m.machine.origin, "The machine has no SMC key of its own; macOS does not start without.");
  } else {
    std::string value;
    for (const char c : key->second) value += c == ',' ? ",," : std::string(1, c);  // QEMU's escape
    m.domain.qemu_arguments.insert(m.domain.qemu_arguments.end(), {"-device", "isa-applesmc,osk=" + value});
    m.translate("/extra.smc.key", "QEMU's isa-applesmc");
    m.taint("Apple's SMC, which macOS needs");
  }
  if (!unknown_or_has(m.host.cpu_models, "Penryn")) return;
  DomainCpu &cpu = m.domain.cpu;
  cpu.mode = "custom";
  cpu.model = "Penryn";
  // What releases up to macOS 12 ask for beyond a Penryn; shown where the host has it.
  for (const std::string_view feature : {"sse4.2", "popcnt", "aes", "xsave", "avx"}) {
    m.cpu_feature(feature, "optional");
  }
  m.translate("cpu", "CPU model Penryn, which macOS knows");
  m.raise(kMacosCpu, m.hardware.cpu.origin, "macOS gets a Penryn CPU, which its releases up to 12 know.");
}

}  // namespace ferry::libvirt
