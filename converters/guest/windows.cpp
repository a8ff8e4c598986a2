// SPDX-License-Identifier: Apache-2.0
// Windows, from its registry: SYSTEM says what starts and how, SOFTWARE which Windows it is.
//
// Facts: Microsoft's documentation of HKLM\SYSTEM\Select and CurrentControlSet\Services (Start), of StartOverride (what
// Windows 8 and later read in its place), of partmgr's SanPolicy, and of hiberfil.sys' header.
#include <algorithm>
#include <array>

#include "converters/guest/hive.hpp"
#include "converters/guest/systems.hpp"
#include "model/guest_tools.hpp"

#include "support/text.hpp"

namespace ferry::guest {
namespace {

// Of storage, network and guests' tools.
constexpr std::array kServices{"storahci", "stornvme", "msahci",     "pciide",   "intelide",    "atapi",
                               "lsi_sas",  "lsi_sas2", "lsi_sas3",   "lsi_scsi", "megasas",     "pvscsi",
                               "viostor",  "vioscsi",  "netkvm",     "iaStorV",  "iaStorAVC",   "sym_hi",
                               "buslogic", "aic78xx",  "e1iexpress", "E1G60",    "vmxnet3ndis6"};

struct WindowsTool {
  const char *service, *name;
};
constexpr std::array kTools{WindowsTool{"VMTools", kVmwareTools},     WindowsTool{"VBoxService", kGuestAdditions},
                            WindowsTool{"QEMU-GA", kQemuAgent},       WindowsTool{"vdservice", kSpiceAgent},
                            WindowsTool{"spice-agent", kSpiceAgent},  WindowsTool{"xenbus", kXenDrivers},
                            WindowsTool{"prl_tools", kParallelsTools}};

std::string architecture_of(const std::string &name) {
  if (text::iequals_ascii(name, "AMD64")) return "x86_64";
  if (text::iequals_ascii(name, "ARM64")) return "aarch64";
  return text::iequals_ascii(name, "x86") ? "i686" : name;
}

std::string set_name(std::uint32_t number) {
  std::string digits = std::to_string(number);
  return "ControlSet" + std::string(3 - std::min<std::size_t>(digits.size(), 3), '0') + digits;
}

class WindowsReader {
 public:
  WindowsReader(const Mounted &mounted, ObservedWindows &out) : files_(*mounted.files), out_(out) {}

  void read(const SourcePtr &system, const std::string &config) {
    system_ = system;
    const Hive hive(system);
    out_.registry_dirty = hive.is_dirty() || has_newer_log(hive, config);
    read_select(hive);
    for (const std::uint32_t number : sets()) read_set(hive, number);
    try_to([&] {
      if (const SourcePtr software = files_.open(config + "/SOFTWARE")) read_product(Hive(software));
    });
    try_to([&] { read_hibernation(); });
  }

 private:
  [[nodiscard]] bool has_newer_log(const Hive &hive, const std::string &config) const {
    bool out = false;
    for (const char *name : {"/SYSTEM.LOG1", "/SYSTEM.LOG2", "/SYSTEM.LOG"}) {
      try_to([&] {
        const SourcePtr log = files_.open(config + name);
        out = out || (log && log_is_newer(*log, hive.sequence()));
      });
    }
    return out;
  }

  void read_select(const Hive &hive) {
    const auto select = hive.find(hive.root(), "Select");
    if (!select) malformed("the registry does not say which control set is used");
    out_.current = hive.dword(*select, "Current").value_or(0);
    out_.default_set = hive.dword(*select, "Default").value_or(0);
    out_.last_known_good = hive.dword(*select, "LastKnownGood").value_or(0);
  }

  // Those that may be used, the next one's first.
  [[nodiscard]] std::vector<std::uint32_t> sets() const {
    std::vector<std::uint32_t> out;
    for (const std::uint32_t number : {out_.default_set, out_.current, out_.last_known_good}) {
      if (number != 0 && number < 1000 && std::find(out.begin(), out.end(), number) == out.end()) out.push_back(number);
    }
    return out;
  }

  void read_set(const Hive &hive, std::uint32_t number) {
    const auto set = hive.find(hive.root(), set_name(number));
    if (!set) return;
    const auto services = hive.find(*set, "Services");
    ObservedControlSet seen{.number = number};
    const bool first = out_.control_sets.empty();
    if (services) {
      for (const auto &[name, key] : hive.children(*services)) read_service(hive, name, key, seen, first);
      if (const auto partitions = hive.find(*services, "partmgr\\Parameters")) {
        seen.san_policy = hive.dword(*partitions, "SanPolicy");
        if (seen.san_policy) seen.san_policy_at = place_of(hive, *partitions, "SanPolicy");
      }
    }
    out_.control_sets.push_back(std::move(seen));
    if (!first) return;
    read_control(hive, *set);
    if (services) try_to([&] { read_addresses(hive, *set, *services); });
  }

  // Of a DWORD, on the disk.
  [[nodiscard]] std::optional<std::uint64_t> place_of(const Hive &hive, Hive::Key key, std::string_view name) const {
    const auto value = hive.value(key, name);
    if (!value || value->data.size() != 4) return std::nullopt;
    const auto first = system_->place(value->data_at), last = system_->place(value->data_at + 3);
    return first && last && *last == *first + 3 ? first : std::nullopt;
  }

  void read_service(const Hive &hive, const std::string &name, Hive::Key key, ObservedControlSet &set, bool first) {
    const auto same = [&name](const char *known) { return text::iequals_ascii(name, known); };
    if (std::any_of(kServices.begin(), kServices.end(), same)) {
      ObservedService service{.name = text::lower_ascii(name)};
      const auto start = hive.dword(key, "Start");
      if (!start) return;
      service.start = *start;
      service.start_at = place_of(hive, key, "Start");
      if (const auto other = hive.find(key, "StartOverride")) {
        service.start_override = hive.dword(*other, "0");
        if (service.start_override) service.override_at = place_of(hive, *other, "0");
      }
      set.services.push_back(std::move(service));
    }
    if (!first) return;
    for (const WindowsTool &tool : kTools) {
      if (same(tool.service)) out_.tools.emplace_back(tool.name);
    }
  }

  void read_control(const Hive &hive, Hive::Key set) {
    const auto control = hive.find(set, "Control");
    if (!control) return;
    if (const auto name = hive.find(*control, "ComputerName\\ComputerName"))
      out_.computer_name = hive.text(*name, "ComputerName");
    if (const auto environment = hive.find(*control, "Session Manager\\Environment"))
      out_.architecture = architecture_of(hive.text(*environment, "PROCESSOR_ARCHITECTURE"));
    if (const auto power = hive.find(*control, "Session Manager\\Power"))
      out_.fast_startup = hive.dword(*power, "HiberbootEnabled").value_or(0) != 0;
    if (const auto options = hive.find(*control, "ProductOptions")) {
      const std::string type = hive.text(*options, "ProductType");
      out_.server = !type.empty() && !text::iequals_ascii(type, "WinNT");
    }
  }

  void read_addresses(const Hive &hive, Hive::Key set, Hive::Key services) {
    const auto interfaces = hive.find(services, "Tcpip\\Parameters\\Interfaces");
    if (!interfaces) return;
    for (const auto &[id, key] : hive.children(*interfaces)) {
      if (hive.dword(key, "EnableDHCP").value_or(1) != 0) continue;
      ObservedAddress one{.adapter = id, .addresses = hive.texts(key, "IPAddress")};
      std::erase_if(one.addresses, [](const std::string &address) { return address.empty() || address == "0.0.0.0"; });
      if (one.addresses.empty()) continue;
      const std::string connection = "Control\\Network\\{4D36E972-E325-11CE-BFC1-08002BE10318}\\" + id + "\\Connection";
      if (const auto named = hive.find(set, connection)) {
        if (std::string name = hive.text(*named, "Name"); !name.empty()) one.adapter = std::move(name);
      }
      out_.addresses.push_back(std::move(one));
    }
  }

  void read_product(const Hive &hive) {
    const auto key = hive.find(hive.root(), "Microsoft\\Windows NT\\CurrentVersion");
    if (!key) return;
    out_.product = hive.text(*key, "ProductName");
    std::string build = hive.text(*key, "CurrentBuildNumber");
    if (build.empty()) build = hive.text(*key, "CurrentBuild");
    const auto major = hive.dword(*key, "CurrentMajorVersionNumber"),
               minor = hive.dword(*key, "CurrentMinorVersionNumber");
    out_.version =
        major && minor ? std::to_string(*major) + "." + std::to_string(*minor) : hive.text(*key, "CurrentVersion");
    if (!build.empty()) out_.version += "." + build;
    for (const char *name : {"DisplayVersion", "ReleaseId", "CSDVersion"}) {
      if (out_.release.empty()) out_.release = hive.text(*key, name);
    }
    // Windows 11 still calls itself 10 there.
    constexpr std::uint64_t kFirstEleven = 22000;
    constexpr std::string_view kTen = "Windows 10";
    if (!out_.server && text::parse_u64(build).value_or(0) >= kFirstEleven && out_.product.starts_with(kTen))
      out_.product.replace(0, kTen.size(), "Windows 11");
  }

  // "hibr" while memory lies in it; "wake" or zeros once it was read again.
  void read_hibernation() {
    const SourcePtr file = files_.open("hiberfil.sys");
    if (!file) return;
    const Bytes head = read_up_to(*file, 0, 4);
    out_.hibernated = text::lower_ascii(std::string(head.begin(), head.end())) == "hibr";
  }

  const FileSystem &files_;
  ObservedWindows &out_;
  SourcePtr system_;  // the hive's file
};

}  // namespace

void look_for_windows(const Mounted &volume, Observed &out) {
  ObservedVolume &seen = out.volumes[volume.volume];
  for (const char *folder : {"Windows", "WINNT"}) {
    const std::string config = std::string(folder) + "/System32/config";
    try_to(
        [&] {
          const SourcePtr system = volume.files->open(config + "/SYSTEM");
          if (!system) return;
          ObservedWindows found{.disk = seen.disk, .partition = seen.number, .folder = folder};
          try_to([&] { WindowsReader(volume, found).read(system, config); },
                 [&](const std::string &why) { seen.problem = "its registry cannot be read: " + why; });
          out.windows.push_back(std::move(found));
        },
        [&](const std::string &why) { seen.problem = "its registry cannot be read: " + why; });
  }
}

}  // namespace ferry::guest
