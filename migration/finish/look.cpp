// SPDX-License-Identifier: Apache-2.0
// The disks of a machine of the target are QEMU's: qemu-nbd serves them, in a cage with their files alone, and what is
// in them is understood by a process that may open nothing (migration/reader).
#include "migration/finish/look.hpp"

#include <memory>
#include <utility>

#include "converters/qemu_img.hpp"
#include "converters/verify/nbd_server.hpp"
#include "migration/finish/guest_scripts.hpp"
#include "migration/image_driver.hpp"
#include "migration/pull_calls.hpp"
#include "migration/reader.hpp"

#include "support/error.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostLayers = 64;             // of an image over others
constexpr std::chrono::seconds kLookPatience{120};  // an emulated guest unpacks its initial RAM disk

// ---- by the agent ----

GuestEvidence ask_windows(const GuestAgent &agent) {
  GuestEvidence out{.by_agent = true};
  out.devices = agent.devices();
  if (!out.devices)
    out.why_not = "the guest's agent does not list its devices; shut the guest down to look into its disks";
  return out;
}

GuestEvidence ask_linux(const GuestAgent &agent, const std::stop_token &stop) {
  GuestEvidence out{.by_agent = true};
  const auto result = agent.run(look_script(), kLookPatience, stop);
  if (!result) {
    out.why_not = "the guest's agent runs no programs (guest-exec); shut the guest down to look into its disks";
    return out;
  }
  if (auto seen = read_look(result->output)) {
    out.observed = std::move(*seen);
  } else {
    out.why_not = "what the guest's agent has run says nothing: " + text::excerpt(result->errors, 200);
  }
  return out;
}

GuestEvidence ask_guest(const target::Machines &machines, const std::string &machine, const std::stop_token &stop) {
  const GuestAgent agent(machines, machine);
  if (!agent.answers()) {
    return {.by_agent = true,
            .why_not = "the machine runs, and no guest agent answers; shut it down to look into its disks"};
  }
  return agent.system() == "mswindows" ? ask_windows(agent) : ask_linux(agent, stop);
}

// ---- by a look ----

// The images under it are opened by who serves it.
qemu_img::Source with_layers(const target::BackedDisk &disk) {
  const auto format = image_format_of(disk.format.empty() ? "raw" : disk.format);
  if (!format) throw Error(ErrorKind::unsupported, {.message = "its format is not known", .found = disk.format});
  qemu_img::Source out{.format = *format, .range = {.file = disk.file}};
  qemu_img::Info info = qemu_img::info(out);
  fs::path above = disk.file;
  while (info.backing_file && out.extents.size() < kMostLayers) {
    const fs::path file = (above.parent_path() / *info.backing_file).lexically_normal();
    const auto under = image_format_of(info.backing_format.value_or("raw"));
    if (!under) break;
    out.extents.push_back(file);
    above = file;
    info = qemu_img::info({.format = *under, .range = {.file = file}});
  }
  return out;
}

GuestEvidence look_at_disks(const std::string &document) {
  GuestEvidence out;
  std::vector<std::unique_ptr<verify::NbdServer>> servers;
  std::vector<std::size_t> numbers;
  std::vector<file::Descriptor> connections;
  std::string problem;
  for (const target::BackedDisk &disk : file_disks(document)) {
    out.disks.push_back(disk.name);
    try {
      servers.push_back(std::make_unique<verify::NbdServer>(with_layers(disk), std::nullopt));
      connections.push_back(servers.back()->connect());
      numbers.push_back(out.disks.size());
    } catch (const Error &error) {
      problem = disk.name + " was not looked into: " + error.detail().message;
    }
  }
  if (!numbers.empty()) {
    try {
      out.observed = reader_of_connections()->look_inside(numbers, std::move(connections));
    } catch (const Error &error) {
      problem = "its disks were not looked into: " + error.detail().message;
    }
  }
  for (const ObservedDisk &disk : out.observed.disks)
    if (!disk.problem.empty()) problem = "disk " + std::to_string(disk.number) + " was not read: " + disk.problem;
  for (const ObservedVolume &volume : out.observed.volumes)
    if (!volume.problem.empty()) problem = volume.named() + " was not read: " + volume.problem;
  if (out.observed.windows.empty() && out.observed.linux_systems.empty()) out.why_not = text::printable(problem);
  return out;
}

}  // namespace

GuestEvidence look_at_guest(const target::Machines &machines, const std::string &machine, const std::string &document,
                            const std::stop_token &stop) {
  try {
    const bool off = machines.condition(machine) == target::Condition::off;
    return off ? look_at_disks(document) : ask_guest(machines, machine, stop);
  } catch (const Error &error) {
    if (error.kind() == ErrorKind::cancelled) throw;
    return {.why_not = error.detail().message};
  }
}

}  // namespace ferry::migration
