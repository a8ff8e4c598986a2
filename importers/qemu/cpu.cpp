// SPDX-License-Identifier: Apache-2.0
// The CPU: model, features, what it tells of its hypervisor, and how many there are.
#include <algorithm>
#include <array>

#include "importers/qemu/context.hpp"
#include "importers/qemu/cpu_names.hpp"

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

// By libvirt's names. "time" and "reset" are spelled otherwise there.
constexpr std::array<std::pair<std::string_view, std::string_view>, 19> kEnlightenments = {{
    {"relaxed", "relaxed"},
    {"vapic", "vapic"},
    {"spinlocks", "spinlocks"},
    {"vpindex", "vpindex"},
    {"runtime", "runtime"},
    {"synic", "synic"},
    {"stimer", "stimer"},
    {"reset", "reset"},
    {"vendor-id", "vendor_id"},
    {"frequencies", "frequencies"},
    {"reenlightenment", "reenlightenment"},
    {"tlbflush", "tlbflush"},
    {"ipi", "ipi"},
    {"evmcs", "evmcs"},
    {"avic", "avic"},
    {"time", "time"},
    {"stimer-direct", "stimer-direct"},
    {"crash", "crash"},
    {"no-nonarch-coresharing", "no-nonarch-coresharing"},
}};

std::string dashed(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

class CpuReader {
 public:
  CpuReader(Context &c, Option &option) : c_(c), option_(option), cpu_(c.hardware().cpu) {}

  void read() {
    cpu_.origin = option_.where;
    const std::string model = c_.text(option_, "model", "hardware.cpu.model").value_or("qemu64");
    cpu_.model = model;
    if (model != "host" && model != "max" && !is_libvirt_model(model)) foreign(model);
    for (auto &key : option_.keys) {
      if (!key.taken) property(key.name, key);
    }
  }

 private:
  // QEMU gets the whole of it after libvirt's own, and takes the last.
  void foreign(const std::string &model) {
    std::string nearest = model;
    const std::size_t version = nearest.rfind("-v");
    if (version != std::string::npos) nearest.resize(version);
    cpu_.model = is_libvirt_model(nearest) ? nearest : "qemu64";
    c_.hardware().qemu_arguments.insert(c_.hardware().qemu_arguments.end(), {"-cpu", without_opens(option_.argument)});
    c_.raise(kCpuModel, option_.where, "libvirt does not know the CPU model '" + text::printable(model) + "'.");
  }

  // "+sse3", "-hypervisor", "kvm=off", "hv_relaxed", "vendor=GenuineIntel". A flag with "no" in front keeps its name.
  void property(const std::string &name, Key &key) {
    std::string bare = key.implied && key.value == "off" ? "no" + name : name;
    bool on = !key.named || parse_bool(key.value).value_or(true);
    if (bare.starts_with('+') || bare.starts_with('-')) {
      on = bare.front() == '+';
      bare.erase(0, 1);
    }
    const std::string plain = dashed(bare);
    if (plain.starts_with("hv-")) return enlightenment(plain.substr(3), name, on);
    if (plain == "vendor") {
      cpu_.vendor = c_.text(option_, name, "hardware.cpu.vendor");
    } else if (plain == "kvm") {
      c_.text(option_, name, "hardware.cpu.hypervisor_hidden");
      if (!on) cpu_.hypervisor_hidden = true;
    } else if (plain == "check" || plain == "enforce") {
      c_.settle(option_, name, Disposition::irrelevant, "what QEMU does when the host lacks a feature");
    } else if (plain == "migratable") {
      c_.settle(option_, name, Disposition::irrelevant, "the default");
    } else if (plain == "vmware-cpuid-freq" && on) {
      c_.settle(option_, name, Disposition::irrelevant, "the default");
    } else if (const std::string_view known = libvirt_feature(bare); !known.empty()) {
      c_.text(option_, name, "hardware.cpu.features");
      feature(known, on);
    } else {
      verbatim(bare, name, key, on);
    }
  }

  void feature(std::string_view name, bool on) {
    const auto same = std::find_if(cpu_.features.begin(), cpu_.features.end(),
                                   [&](const CpuFeature &one) { return one.name == name; });
    if (same != cpu_.features.end()) {
      same->enabled = on;
    } else {
      cpu_.features.push_back({std::string(name), on});
    }
  }

  void enlightenment(const std::string &plain, const std::string &name, bool on) {
    const auto known = std::find_if(kEnlightenments.begin(), kEnlightenments.end(),
                                    [&](const auto &one) { return one.first == plain; });
    if (known == kEnlightenments.end() || plain == "crash" || plain == "no-nonarch-coresharing" || plain == "avic") {
      return verbatim(
          "hv-" + plain, name,
          *std::find_if(option_.keys.begin(), option_.keys.end(), [&](const Key &one) { return one.name == name; }),
          on);
    }
    const Key *key = Context::find(option_, name);
    const bool valued = key != nullptr && key->named && !parse_bool(key->value);
    const std::string value = c_.text(option_, name, "hardware.cpu.enlightenments").value_or("on");
    if (on) cpu_.enlightenments[std::string(known->second)] = valued ? value : "on";
  }

  // libvirt has no word for it: QEMU is told as it is told of any device.
  void verbatim(const std::string &bare, const std::string &name, Key &key, bool on) {
    const std::string value = c_.text(option_, name, "hardware.qemu_arguments").value_or("on");
    const std::string given = key.named ? value : on ? "on" : "off";
    const std::string type = cpu_.architecture == Cpu::Architecture::x86 ? "i386-cpu" : "x86_64-cpu";
    c_.hardware().qemu_arguments.insert(c_.hardware().qemu_arguments.end(),
                                        {"-global", "x86_64-cpu." + dashed(bare) + "=" + given});
    c_.raise(kCommandlineKept, option_.where,
             "libvirt has no CPU feature '" + text::printable(bare) + "'; QEMU gets it as it is.");
  }

  Context &c_;
  Option &option_;
  Cpu &cpu_;
};

// QEMU's rules (hw/core/machine-smp.c): what is missing follows from what is given; the number of CPUs is the product.
// What is left over goes to cores from machine version 6.2 on, to sockets before.
void read_topology(Context &c) {
  Cpu &cpu = c.hardware().cpu;
  std::optional<std::uint64_t> cpus, sockets, dies, cores, threads, most;
  Place where = c.launch.where;
  for (Option *option : c.all("smp")) {
    where = option->where;
    const auto take = [&](std::optional<std::uint64_t> &into, std::string_view key, std::string_view field) {
      if (const auto value = c.number(*option, key, field); value && *value > 0) into = value;
    };
    take(cpus, "cpus", "hardware.cpu.count");
    take(sockets, "sockets", "hardware.cpu.sockets");
    take(dies, "dies", "hardware.cpu.dies");
    take(cores, "cores", "hardware.cpu.cores_per_socket");
    take(threads, "threads", "hardware.cpu.threads_per_core");
    take(most, "maxcpus", "hardware.cpu.most");
    c.settle_rest(*option, Disposition::irrelevant, "a PC has one of them");
  }
  constexpr std::uint64_t kMost = 4096;
  for (const auto &value : {cpus, sockets, dies, cores, threads, most}) {
    if (value && *value > kMost) {
      throw Error(ErrorKind::malformed, {.where = where,
                                         .message = "the number of CPUs is out of range",
                                         .found = std::to_string(*value),
                                         .expected = "at most " + std::to_string(kMost)});
    }
  }
  const bool open = !sockets || !cores;
  const bool prefer_sockets = c.type.before(6, 2);
  const std::uint64_t d = dies.value_or(1), total = most.value_or(cpus.value_or(0));
  const std::uint64_t t = threads.value_or(1);
  if (!cpus && !most) {
    sockets = sockets.value_or(1);
    cores = cores.value_or(1);
  } else if (prefer_sockets) {
    if (!sockets) {
      cores = cores.value_or(1);
      sockets = std::max<std::uint64_t>(total / (d * *cores * t), 1);
    } else if (!cores) {
      cores = std::max<std::uint64_t>(total / (*sockets * d * t), 1);
    }
  } else {
    if (!cores) {
      sockets = sockets.value_or(1);
      cores = std::max<std::uint64_t>(total / (*sockets * d * t), 1);
    } else if (!sockets) {
      sockets = std::max<std::uint64_t>(total / (d * *cores * t), 1);
    }
  }
  if (!threads && (cpus || most)) threads = std::max<std::uint64_t>(total / (*sockets * d * *cores), 1);
  const std::uint64_t product = *sockets * d * *cores * threads.value_or(1);
  const std::uint64_t maximum = most.value_or(cpus.value_or(product));
  const std::uint64_t count = cpus.value_or(maximum);
  if (product != maximum || count > maximum) {
    throw Error(ErrorKind::malformed, {.where = where,
                                       .message = "sockets, dies, cores and threads do not make the number of CPUs",
                                       .found = std::to_string(*sockets) + " x " + std::to_string(d) + " x " +
                                                std::to_string(*cores) + " x " + std::to_string(threads.value_or(1)) +
                                                " for " + std::to_string(std::max(count, maximum)),
                                       .advice = "Correct -smp: QEMU itself would refuse it."});
  }
  cpu.count = static_cast<unsigned>(count);
  cpu.sockets = static_cast<unsigned>(*sockets);
  if (dies) cpu.dies = static_cast<unsigned>(d);
  cpu.cores_per_socket = static_cast<unsigned>(*cores);
  cpu.threads_per_core = static_cast<unsigned>(threads.value_or(1));
  if (maximum != count) cpu.most = static_cast<unsigned>(maximum);
  if (open && count > 1 && !c.type.major) {
    c.raise(kTopology, where,
            "The CPUs are " + std::to_string(*cores) + " cores on " + std::to_string(*sockets) +
                (*sockets == 1 ? " socket" : " sockets") + ", as QEMU 6.2 and newer make them.");
  }
}

// qemu-system-i386 shows no CPU's long mode (target/i386/cpu.c), and libvirt runs the machine by qemu-system-x86_64.
void without_long_mode(Cpu &cpu) {
  constexpr std::array<std::string_view, 9> kWithout = {"486",     "pentium", "pentium2", "pentium3", "qemu32",
                                                        "coreduo", "kvm32",   "n270",     "athlon"};
  if (std::find(kWithout.begin(), kWithout.end(), cpu.model) != kWithout.end()) return;
  cpu.long_mode = false;
  std::erase_if(cpu.features, [](const CpuFeature &feature) { return feature.name == "lm"; });
  cpu.features.push_back({"lm", false});
}

}  // namespace

void read_cpu(Context &c) {
  Cpu &cpu = c.hardware().cpu;
  if (Option *option = c.last("cpu")) {
    for (Option *earlier : c.all("cpu")) {
      if (earlier != option) c.settle(*earlier, Disposition::irrelevant, "a later -cpu takes its place");
    }
    CpuReader(c, *option).read();
  } else {
    cpu.model = cpu.architecture == Cpu::Architecture::x86 ? "qemu32" : "qemu64";
  }
  if (cpu.architecture == Cpu::Architecture::x86) without_long_mode(cpu);
  read_topology(c);
}

}  // namespace ferry::qemu
