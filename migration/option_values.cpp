// SPDX-License-Identifier: Apache-2.0
#include "migration/option_values.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "migration/identity.hpp"
#include "migration/target_names.hpp"

#include "hosts/known_hosts.hpp"
#include "hosts/url.hpp"
#include "support/file_names.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

[[noreturn]] void bad_value(std::string_view option, const std::string &found, std::string expected) {
  throw Error(ErrorKind::usage, {.where = {.path = "--" + std::string(option)},
                                 .message = "the value cannot be understood",
                                 .found = "\"" + text::printable(found) + "\"",
                                 .expected = std::move(expected)});
}

bool flag(std::string_view option, const std::string &value) {
  if (value == "true") return true;
  if (value == "false") return false;
  bad_value(option, value, "true or false");
}

// "2=SPEC" -> card number 1 (from 0) and SPEC.
std::pair<std::size_t, std::string> numbered(std::string_view option, const std::string &value,
                                             const std::string &expected) {
  const std::size_t equals = value.find('=');
  const auto number = equals == std::string::npos ? std::nullopt : text::parse_u64(value.substr(0, equals));
  if (!number || *number == 0 || equals + 1 == value.size()) bad_value(option, value, expected);
  return {*number - 1, value.substr(equals + 1)};
}

void set_mac(Options &options, const std::string &value) {
  constexpr auto kExpected = "keep, new, or N=XX:XX:XX:XX:XX:XX with N from 1";
  if (value == "keep") {
    options.identity.mac_policy = MacPolicy::keep;
  } else if (value == "new") {
    options.identity.mac_policy = MacPolicy::regenerate;
  } else {
    const auto [number, spec] = numbered("mac", value, kExpected);
    const auto mac = MacAddress::parse(spec);
    if (!mac) bad_value("mac", value, kExpected);
    if (mac->is_multicast()) bad_value("mac", value, "a unicast address (the first byte even)");
    options.identity.macs[number] = *mac;
  }
}

void set_uuid(Options &options, const std::string &value) {
  if (value == "keep") {
    options.identity.uuid_policy = UuidPolicy::keep;
  } else if (value == "new") {
    options.identity.uuid_policy = UuidPolicy::regenerate;
  } else if (const auto uuid = Uuid::parse(value); uuid && is_usable(*uuid)) {
    options.identity.uuid_policy = UuidPolicy::given;
    options.identity.uuid = *uuid;
  } else {
    bad_value("uuid", value, "keep, new, or a UUID whose bytes are not all the same");
  }
}

void set_network(Options &options, const std::string &value) {
  constexpr auto kExpected =
      "N=SPEC with N from 1, or default=SPEC, where SPEC is user, bridge:NAME, network:NAME or none";
  constexpr std::string_view kDefault = "default=";
  const bool is_default = value.starts_with(kDefault);
  const auto [number, spec] =
      is_default ? std::pair{std::size_t{0}, value.substr(kDefault.size())} : numbered("network", value, kExpected);
  const auto network = target::Network::parse(spec);
  if (!network) bad_value("network", value, kExpected);
  if (is_default) {
    options.hardware.default_network = network;
  } else {
    options.hardware.networks[number] = *network;
  }
}

void set_skip_disk(Options &options, const std::string &value) {
  if (value == "missing") {
    options.skip_disks.missing = true;
  } else if (value == "unsupported") {
    options.skip_disks.unsupported = true;
  } else if (const auto number = text::parse_u64(value); number && *number > 0) {
    options.skip_disks.numbers.insert(*number);
  } else {
    bad_value("skip-disk", value, "the number of a disk from 1, missing, or unsupported");
  }
}

template <class T, std::size_t N>
T one_of(std::string_view option, const std::string &value,
         const std::array<std::pair<std::string_view, T>, N> &choices) {
  std::string expected;
  for (const auto &[name, choice] : choices) {
    if (name == value) return choice;
    expected += (expected.empty() ? "" : ", ") + std::string(name);
  }
  bad_value(option, value, (choices.size() == 1 ? "" : "one of ") + expected);
}

// Values that have their names from to_string().
template <class T, std::size_t N>
T one_of(std::string_view option, const std::string &value, const std::array<T, N> &choices) {
  std::array<std::pair<std::string_view, T>, N> named{};
  for (std::size_t i = 0; i < N; ++i) named[i] = {to_string(choices[i]), choices[i]};
  return one_of(option, value, named);
}

void set_forward(Options &options, const std::string &value) {
  constexpr auto kExpected =
      "CARD:HOST=GUEST or CARD:HOST=none, as 1:2222=22, 1:udp:5353=53 or 1:127.0.0.1:8080=80, with CARD from 1";
  const std::size_t colon = value.find(':');
  const auto card = colon == std::string::npos ? std::nullopt : text::parse_u64(value.substr(0, colon));
  const auto forward = card ? target::Forward::parse(value.substr(colon + 1)) : std::nullopt;
  if (!card || *card == 0 || !forward) bad_value("forward", value, kExpected);
  options.hardware.forwards[static_cast<std::size_t>(*card) - 1].push_back(*forward);
}

void set_snapshots(Options &options, const std::string &value) {
  enum class Choice { keep, flatten, skip_unreadable };
  const auto choice = one_of<Choice>(
      "snapshots", value,
      std::array<std::pair<std::string_view, Choice>, 3>{
          {{"keep", Choice::keep}, {"flatten", Choice::flatten}, {"skip-unreadable", Choice::skip_unreadable}}});
  options.snapshots_given = true;
  options.keep_snapshots = choice != Choice::flatten;
  options.skip_unreadable_snapshots = choice == Choice::skip_unreadable;
}

void set_variable(Options &options, const std::string &value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos || equals == 0) bad_value("set", value, "NAME=VALUE");
  options.variables[value.substr(0, equals)] = value.substr(equals + 1);
}

void set_property(Options &options, const std::string &value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos || equals == 0) bad_value("ovf-property", value, "KEY=VALUE");
  options.ovf_properties[value.substr(0, equals)] = value.substr(equals + 1);
}

void set_cluster_size(Options &options, const std::string &value) {
  // "64K" and "1M" as qemu-img takes them.
  std::string_view digits = value;
  unsigned shift = 0;
  if (!digits.empty() && (digits.back() == 'K' || digits.back() == 'k')) shift = 10;
  if (!digits.empty() && (digits.back() == 'M' || digits.back() == 'm')) shift = 20;
  if (shift != 0) digits.remove_suffix(1);
  auto bytes = text::parse_u64(digits);
  if (bytes && *bytes <= (2U << 20U)) *bytes <<= shift;
  if (!bytes || *bytes < 4096 || *bytes > (2U << 20U) || (*bytes & (*bytes - 1)) != 0) {
    bad_value("cluster-size", value, "a power of two from 4096 (4K) to 2097152 (2M)");
  }
  options.cluster_size = static_cast<std::uint32_t>(*bytes);
}

// Kept in MiB, as targets take it.
void set_pull_limit(Options &options, const std::string &value) {
  std::string_view digits = value;
  const char unit = digits.empty() ? '\0' : digits.back();
  const unsigned shift = unit == 'G' || unit == 'g' ? 10 : 0;
  const bool has_unit = shift != 0 || unit == 'M' || unit == 'm';
  if (has_unit) digits.remove_suffix(1);
  constexpr std::uint64_t kMost = 1'000'000;
  const auto number = text::parse_u64(digits);
  if (!has_unit || !number || *number == 0 || *number > kMost) {
    bad_value("pull-limit", value, "mebibytes or gibibytes a second, such as 50M or 1G");
  }
  options.pull_limit = *number << shift;
}

std::filesystem::path folder(std::string_view option, const std::string &value) {
  std::error_code error;
  if (hosts::is_ssh_url(value)) {  // of the host that the source is on, which says whether it is there
    std::filesystem::path there = hosts::path_of_url(value);
    hosts::allow(on_host::authority_of(there));
    if (!on_host::is_directory(there, error)) bad_value(option, value, "an existing folder");
    return there;
  }
  std::filesystem::path path = std::filesystem::absolute(names::as_spelt(value), error).lexically_normal();
  if (value.empty() || !std::filesystem::is_directory(path, error)) bad_value(option, value, "an existing folder");
  return path;
}

// What the user names is looked for at once: with a slip in it, the answer would be about something else.
std::filesystem::path existing(std::string_view option, const std::string &value) {
  std::error_code error;
  std::filesystem::path path = names::as_spelt(value);
  if (value.empty() || !std::filesystem::exists(path, error)) bad_value(option, value, "an existing file");
  return path;
}

std::string filled(std::string_view option, const std::string &value, const char *expected) {
  if (text::trim(value).empty()) bad_value(option, value, expected);
  return value;
}

// A source's name is made fit for files; one that somebody types is taken as it is or not at all.
std::string typed_name(const std::string &value) {
  const std::string name = name_by_pattern(value, "x");
  if (text::trim(name).empty() || safe_name(name) != text::trim(name))
    bad_value("name", value,
              "a name of at most 200 bytes, without '/' and control characters, that does not begin "
              "with '.' or '-'");
  return value;
}

void set_removable(Options &options, const std::string &value) {
  enum class Removable { link, copy, none };
  const auto chosen =
      one_of<Removable>("removable", value,
                        std::array<std::pair<std::string_view, Removable>, 3>{
                            {{"link", Removable::link}, {"copy", Removable::copy}, {"none", Removable::none}}});
  options.copy_removable = chosen == Removable::copy;
  options.drop_removable = chosen == Removable::none;
}

constexpr std::string_view kTarget = "Target";
constexpr std::string_view kFiles = "Where the source's files are";
constexpr std::string_view kIdentity = "What the guest sees";
constexpr std::string_view kDisks = "Disks and snapshots";

using Setter = void (*)(Options &, const std::string &);
struct Row {
  OptionSpec spec;
  Setter set;
};

constexpr std::array
    kRows{
        Row{{"connect", "URI", "libvirt connection [qemu:///session]", kTarget},
            [](Options &o, const std::string &v) {
              o.connect = v;
              o.connect_given = true;
            }},
        Row{{"target", "libvirt|kubevirt",
             "kubevirt: a manifest and images for a cluster, which is not asked; snapshots are flattened [libvirt]",
             kTarget},
            [](Options &o, const std::string &v) {
              o.target =
                  one_of<TargetKind>("target", v,
                                     std::array<std::pair<std::string_view, TargetKind>, 2>{
                                         {{"libvirt", TargetKind::libvirt}, {"kubevirt", TargetKind::kubevirt}}});
              if (o.target != TargetKind::kubevirt) return;
              o.define = false;
              o.keep_snapshots = false;
            }},
        Row{{"dest", "DIR", "where disks, firmware state and XML go [the connection's image folder]", kTarget},
            [](Options &o, const std::string &v) { o.dest = filled("dest", v, "a folder, which need not exist"); }},
        Row{{"name", "NAME",
             "name of the new machine; {name} in it stands for the source's, as in '{name}-new' [{name}]", kTarget},
            [](Options &o, const std::string &v) { o.name = typed_name(v); }},
        Row{{"no-define", "", "stop before defining; asks nothing of libvirt unless --connect is given", kTarget},
            [](Options &o, const std::string &v) { o.define = !flag("no-define", v); }},
        Row{{"start", "", "start the machine when done", kTarget},
            [](Options &o, const std::string &v) { o.start = flag("start", v); }},
        Row{{"start-now", "",
             "start the machine at once, from the untouched source, and copy behind it ('virt-ferry pull' shows how "
             "far)",
             kTarget},
            [](Options &o, const std::string &v) {
              o.start_now = flag("start-now", v);
              o.start = o.start || o.start_now;
            }},
        Row{{"pull-limit", "RATE", "with --start-now: copy at most so much a second, such as 50M [as fast as it goes]",
             kTarget},
            set_pull_limit},
        Row{{"overwrite", "", "replace files and a machine of the same name", kTarget},
            [](Options &o, const std::string &v) { o.overwrite = flag("overwrite", v); }},
        Row{{"host-profile", "FILE", "plan for a recorded host ('virt-ferry host' records one)", kTarget},
            [](Options &o, const std::string &v) { o.host_profile = existing("host-profile", v); }},
        Row{{"firmware", "FILE", "EFI firmware for machines without Secure Boot [the host's]", kTarget},
            [](Options &o, const std::string &v) { o.firmware = existing("firmware", v); }},
        Row{{"show-values", "", "show the values of unknown settings in reports (never passwords and keys)", kTarget},
            [](Options &o, const std::string &v) { o.show_values = flag("show-values", v); }},
        Row{{"ovf-configuration", "ID", "OVF: deployment option to take [the default one]", kTarget},
            [](Options &o, const std::string &v) { o.ovf_configuration = v; }},
        Row{{"ovf-property", "KEY=VALUE", "OVF: what the guest is told for a property of the package", kTarget, true},
            set_property},

        Row{{"search", "DIR", "another folder to look in for images, their parents and extents, at any depth", kFiles,
             true},
            [](Options &o, const std::string &v) { o.search.push_back(folder("search", v)); }},
        Row{{"allow-outside", "DIR", "use files of the machine that are in DIR, outside its own folder", kFiles, true},
            [](Options &o, const std::string &v) { o.allow_outside.push_back(folder("allow-outside", v)); }},
        Row{{"allow-in-use", "", "go on even if the source machine runs or its images are locked", kFiles},
            [](Options &o, const std::string &v) { o.allow_in_use = flag("allow-in-use", v); }},
        Row{{"input-format", "raw", "take disk images of unknown format, and a lone -flat file of a VMDK, as raw disks",
             kFiles},
            [](Options &o, const std::string &v) {
              o.input_raw =
                  one_of<bool>("input-format", v, std::array<std::pair<std::string_view, bool>, 1>{{{"raw", true}}});
            }},
        Row{{"virtualbox-registry", "FILE", "the VirtualBox.xml that lists the media [your own VirtualBox's]", kFiles},
            [](Options &o, const std::string &v) { o.virtualbox_registry = existing("virtualbox-registry", v); }},
        Row{{"set", "NAME=VALUE", "QEMU script: what a variable holds, or argument 1, 2, ... of the script", kTarget,
             true},
            set_variable},
        Row{{"base", "DIR", "QEMU command: where its relative paths begin [the script's folder]", kTarget},
            [](Options &o, const std::string &v) { o.base = folder("base", v); }},
        Row{{"machine", "N", "which machine of a source that has several (from 1)", kTarget},
            [](Options &o, const std::string &v) {
              const auto number = text::parse_u64(v);
              if (!number || *number == 0) bad_value("machine", v, "a number from 1");
              o.machine = static_cast<std::size_t>(*number);
            }},

        Row{{"mac", "keep|new|N=MAC", "MAC addresses: the source's, fresh ones, or one for card N (from 1) [keep]",
             kIdentity, true},
            set_mac},
        Row{{"uuid", "keep|new|UUID", "SMBIOS and domain UUID [keep]", kIdentity}, set_uuid},
        Row{{"network", "N|default=SPEC",
             "where card N (from 1) goes, or all that have none of their own: user, bridge:NAME, network:NAME, none",
             kIdentity, true},
            set_network},
        Row{{"forward", "CARD:HOST=GUEST|none",
             "port HOST of this host leads to port GUEST of the guest, or no longer to any; [udp:][ADDRESS:] before "
             "HOST",
             kIdentity, true},
            set_forward},
        Row{{"nic-names", "keep|auto|off",
             "keep: also VMware's ens33, by QEMU properties that taint the domain; off: not even VirtualBox's enp0s3 "
             "[auto]",
             kIdentity},
            [](Options &o, const std::string &v) {
              o.hardware.keep_nic_names =
                  one_of<std::optional<bool>>("nic-names", v,
                                              std::array<std::pair<std::string_view, std::optional<bool>>, 3>{
                                                  {{"keep", true}, {"auto", std::nullopt}, {"off", false}}});
            }},
        Row{{"smbios", "keep|host", "vendor and product strings of the source platform [host]", kIdentity},
            [](Options &o, const std::string &v) {
              o.hardware.keep_smbios_strings = one_of<bool>(
                  "smbios", v, std::array<std::pair<std::string_view, bool>, 2>{{{"keep", true}, {"host", false}}});
            }},
        Row{{"disk-model", "keep|host", "disk model strings of the source platform, VBOX HARDDISK [host]", kIdentity},
            [](Options &o, const std::string &v) {
              o.hardware.keep_disk_models = one_of<bool>(
                  "disk-model", v, std::array<std::pair<std::string_view, bool>, 2>{{{"keep", true}, {"host", false}}});
            }},
        Row{{"disk-bus", "BUS", "put all disks on sata, scsi, virtio, ide, usb or nvme", kIdentity},
            [](Options &o, const std::string &v) {
              using target::DiskBus;
              o.hardware.disk_bus = one_of(
                  "disk-bus", v,
                  std::array{DiskBus::sata, DiskBus::scsi, DiskBus::virtio, DiskBus::ide, DiskBus::usb, DiskBus::nvme});
            }},
        Row{{"video", "MODEL",
             "video model: vga, virtio, virtio-3d (on the host's GPU), qxl, cirrus, bochs, vmvga, none", kIdentity},
            [](Options &o, const std::string &v) {
              using target::VideoModel;
              o.hardware.video_model =
                  one_of("video", v,
                         std::array{VideoModel::vga, VideoModel::virtio, VideoModel::virtio_3d, VideoModel::qxl,
                                    VideoModel::cirrus, VideoModel::bochs, VideoModel::vmvga, VideoModel::none});
            }},
        Row{{"shared-folders", "none|virtiofs", "shared folders [none]", kIdentity},
            [](Options &o, const std::string &v) {
              o.hardware.shared_folders =
                  one_of<bool>("shared-folders", v,
                               std::array<std::pair<std::string_view, bool>, 2>{{{"none", false}, {"virtiofs", true}}});
            }},
        Row{{"seed", "auto|off",
             "a CD with what the source's platform hands to the guest: guestinfo, properties of an OVF package [auto]",
             kIdentity},
            [](Options &o, const std::string &v) {
              o.seed = one_of<bool>("seed", v,
                                    std::array<std::pair<std::string_view, bool>, 2>{{{"auto", true}, {"off", false}}});
            }},
        Row{{"hot-add", "keep|off",
             "CPUs and memory can be added while the machine runs, where the source allows it [keep]", kIdentity},
            [](Options &o, const std::string &v) {
              o.hardware.hot_add = one_of<bool>(
                  "hot-add", v, std::array<std::pair<std::string_view, bool>, 2>{{{"keep", true}, {"off", false}}});
            }},
        Row{{"host-devices", "", "connect serial and parallel ports to the same devices of this host", kIdentity},
            [](Options &o, const std::string &v) { o.hardware.map_host_devices = flag("host-devices", v); }},

        Row{{"look-inside", "auto|off", "read the guest's own files: what system it is, whether it will boot [auto]",
             kDisks},
            [](Options &o, const std::string &v) {
              o.look_inside = one_of<bool>(
                  "look-inside", v, std::array<std::pair<std::string_view, bool>, 2>{{{"auto", true}, {"off", false}}});
            }},
        Row{{"guest-fix", "auto|off|list",
             "change a few bytes of the guest's settings in the copy where it would not boot without; list: say which "
             "[auto]",
             kDisks},
            [](Options &o, const std::string &v) {
              o.guest_fixes = one_of<GuestFixes>(
                  "guest-fix", v,
                  std::array<std::pair<std::string_view, GuestFixes>, 3>{
                      {{"auto", GuestFixes::automatic}, {"off", GuestFixes::off}, {"list", GuestFixes::list}}});
            }},
        Row{{"snapshots", "keep|flatten|skip-unreadable",
             "snapshots; skip-unreadable: without those whose disks cannot be read [keep]", kDisks},
            set_snapshots},
        Row{{"newest-state", "", "take newer images beside a disk that continue it, although nothing attaches them",
             kDisks},
            [](Options &o, const std::string &v) { o.newest_state = flag("newest-state", v); }},
        Row{{"disk-changes", "keep|discard",
             "what VMware's redo logs and the images over VirtualBox's immutable disks hold: make it part of the disk, "
             "or "
             "leave it behind [discard, with a finding]",
             kDisks},
            [](Options &o, const std::string &v) {
              o.keep_disk_changes =
                  one_of<bool>("disk-changes", v,
                               std::array<std::pair<std::string_view, bool>, 2>{{{"keep", true}, {"discard", false}}});
            }},
        Row{{"discard-saved-state", "", "migrate a suspended machine without its memory", kDisks},
            [](Options &o, const std::string &v) { o.discard_saved_state = flag("discard-saved-state", v); }},
        Row{{"allow-modified-parent", "",
             "take a parent image that changed after its child was made (a deleted snapshot)", kDisks},
            [](Options &o, const std::string &v) { o.allow_modified_parent = flag("allow-modified-parent", v); }},
        Row{{"skip-disk", "N|missing|unsupported",
             "leave out disk N (from 1), disks whose images are missing, or iSCSI and host disks", kDisks, true},
            set_skip_disk},
        Row{{"disk-mode", "MODE", "auto, copy, share (clone blocks), overlay (on the untouched source), link [auto]",
             kDisks},
            [](Options &o, const std::string &v) {
              using disk::Mode;
              o.mode = one_of<Mode>("disk-mode", v,
                                    std::array<std::pair<std::string_view, Mode>, 5>{{{"auto", Mode::automatic},
                                                                                      {"copy", Mode::copy},
                                                                                      {"share", Mode::share},
                                                                                      {"overlay", Mode::overlay},
                                                                                      {"link", Mode::link}}});
            }},
        Row{{"compress", "none|zlib|zstd", "compress the new images [none]", kDisks},
            [](Options &o, const std::string &v) {
              using disk::Compression;
              o.compression = one_of<Compression>(
                  "compress", v,
                  std::array<std::pair<std::string_view, Compression>, 3>{
                      {{"none", Compression::none}, {"zlib", Compression::zlib}, {"zstd", Compression::zstd}}});
            }},
        Row{{"cluster-size", "BYTES", "qcow2 cluster size, such as 65536 or 64K [64K]", kDisks}, set_cluster_size},
        Row{{"engine", "auto|native|qemu-img", "what reads the disks [auto]", kDisks},
            [](Options &o, const std::string &v) {
              using disk::Engine;
              o.engine = one_of<Engine>(
                  "engine", v,
                  std::array<std::pair<std::string_view, Engine>, 3>{
                      {{"auto", Engine::automatic}, {"native", Engine::native}, {"qemu-img", Engine::qemu_img}}});
            }},
        Row{{"removable", "link|copy|none",
             "CD images: use them where they are, copy them, or leave the drives empty [link]", kDisks},
            set_removable},
        Row{{"verify", "", "read the result back and compare it with the source", kDisks},
            [](Options &o, const std::string &v) { o.verify = flag("verify", v); }},
    };

constexpr auto kSpecs = [] {
  std::array<OptionSpec, kRows.size()> out{};
  for (std::size_t i = 0; i < kRows.size(); ++i) out[i] = kRows[i].spec;
  return out;
}();

}  // namespace

std::span<const OptionSpec> option_specs() { return kSpecs; }

void apply_option(Options &options, std::string_view name, const std::string &value) {
  const auto *row =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row &candidate) { return candidate.spec.name == name; });
  if (row == kRows.end()) {
    throw Error(ErrorKind::usage, {.message = "there is no option \"" + text::printable(name) + "\""});
  }
  row->set(options, value);
}

}  // namespace ferry::migration
