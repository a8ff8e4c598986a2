// SPDX-License-Identifier: Apache-2.0
#include "migration/report_builder.hpp"

#include <algorithm>

#include "migration/describe.hpp"
#include "migration/look_inside.hpp"
#include "migration/picture.hpp"
#include "model/names.hpp"

#include "support/secrets.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

// Without a plan the source's own amount, when it says one.
std::string summary_of(const Hardware &hardware, std::uint64_t memory) {
  return chipset_text(hardware.chipset) + ", " + firmware_text(hardware.firmware) + ", " +
         std::to_string(hardware.cpu.count) + (hardware.cpu.count == 1 ? " CPU" : " CPUs") +
         (memory == 0 ? "" : ", " + text::human_bytes(memory) + " memory");
}

std::string engine_text(disk::Engine engine, disk::Mode mode) {
  if (mode == disk::Mode::link) return "link";
  if (mode == disk::Mode::overlay) return "overlay";
  return engine == disk::Engine::qemu_img ? "qemu-img" : "native";
}

report::Disk disk_of(const DiskPlan &plan) {
  report::Disk out;
  for (const image::ImageInfo &image : plan.info.chain) out.chain.push_back(image.file.string());
  if (!plan.info.chain.empty()) {
    const image::ImageInfo &leaf = plan.info.chain.back();
    out.source = leaf.file.string();
    out.format = std::string(to_string(leaf.format)) + (leaf.variant.empty() ? "" : " " + leaf.variant);
  }
  out.virtual_size = plan.info.virtual_size;
  out.allocated = plan.info.allocated;
  out.target = plan.target.string();
  out.engine = engine_text(plan.info.engine, plan.mode);
  return out;
}

void describe(report::MachineReport &out, const Machine &machine, std::uint64_t memory) {
  out.source = machine.source.file.string();
  out.kind = to_string(machine.source.kind);
  out.guest_os = machine.guest_os.label.empty() ? machine.guest_os.source_id : machine.guest_os.label;
  out.summary = summary_of(machine.hardware, memory);
}

}  // namespace

report::MachineReport report_of(const MachinePlan &plan) {
  report::MachineReport out;
  const Machine &machine = plan.imported.machine;
  describe(out, machine, plan.memory);
  out.name = plan.name;
  out.status = report::Status::planned;
  out.uuid = plan.domain_uuid.text();
  if (plan.observed) out.observed = described(*plan.observed);
  for (const DiskPlan &disk : plan.disks) out.disks.push_back(disk_of(disk));
  for (const target::Nic &nic : plan.nics)
    out.nics.push_back({nic.mac, nic.model, nic.network, nic.guest_name, nic.forwards});
  for (const SnapshotPlan &planned : plan.snapshots) {
    const Snapshot &snapshot = machine.snapshots[planned.snapshot];
    report::SnapshotLine line{planned.name,     snapshot.id,  snapshot.description,
                              snapshot.created, std::nullopt, planned.current};
    for (const SnapshotPlan &other : plan.snapshots) {
      if (snapshot.parent == other.snapshot) line.parent = other.name;
    }
    out.snapshots.push_back(std::move(line));
  }
  out.settings = plan.imported.ledger;
  out.findings = plan.findings;
  out.space_needed = plan.space_needed;
  out.space_available = plan.space_available;
  out.domain_xml = plan.domain_xml;
  for (const auto &file : plan.files) out.files.push_back(file.string());
  out.picture = picture_of(plan);
  return out;
}

void add_run(report::MachineReport &report, const RunResult &result) {
  report.status = report::Status::migrated;
  report.run = result.run;
  for (const Finding &finding : result.findings) {  // some of them the plan had foreseen
    if (std::find(report.findings.begin(), report.findings.end(), finding) == report.findings.end())
      report.findings.push_back(finding);
  }
  report.next_steps = result.next_steps;
  report.written = 0;
  for (const auto &[file, made] : result.disks) *report.written += made.bytes_written;
  for (report::Disk &disk : report.disks) {
    const auto made = result.disks.find(disk.target);
    if (made == result.disks.end()) continue;
    disk.sha256 = made->second.sha256;
    disk.engine = engine_text(made->second.engine, made->second.mode);
  }
  if (result.libvirt_error) refuse(report, *result.libvirt_error);
}

void hide_values(report::MachineReport &report) {
  Ledger shown;
  for (const LedgerEntry &entry : report.settings.entries()) {
    const bool hidden = entry.disposition == Disposition::unknown && !entry.value.empty();
    const Ledger::Id id = shown.enter(entry.where, hidden ? std::string(secrets::kHiddenUnknown) : entry.value);
    if (!entry.field.empty()) shown.take(id, entry.field);
    if (entry.disposition != Disposition::unknown && entry.disposition != Disposition::unsettled)
      shown.settle(id, entry.disposition, entry.note);
  }
  report.settings = std::move(shown);
  constexpr std::string_view kOsk = "isa-applesmc,osk=";
  if (const std::size_t at = report.domain_xml.find(kOsk); at != std::string::npos) {
    const std::size_t begin = at + kOsk.size();
    const std::size_t end = std::min(report.domain_xml.find('"', begin), report.domain_xml.size());
    report.domain_xml.replace(begin, end - begin, secrets::kHidden);
  }
}

void refuse(report::MachineReport &report, const Error &error) {
  report.status = exit_code(error.kind()) == 1 ? report::Status::failed : report::Status::refused;
  report.refusal = {error.kind(), error.detail()};
}

report::MachineReport not_found(const std::string &argument, const Error &error) {
  report::MachineReport out;
  const std::filesystem::path path(argument);
  out.name = (path.has_filename() ? path : path.parent_path()).stem().string();  // "web/" is web
  out.source = argument;
  out.kind = "unknown";
  refuse(out, error);
  return out;
}

report::MachineReport refusal_of(const FoundSource &source, const ImportedMachine *machine, const Error &error) {
  report::MachineReport out;
  out.source = source.file.string();
  out.kind = to_string(source.kind);
  out.name = source.file.stem().string();
  if (machine != nullptr) {
    describe(out, machine->machine, machine->machine.hardware.memory.bytes);
    out.name = machine->machine.name;
    out.settings = machine->ledger;
    out.findings = machine->findings;
  }
  refuse(out, error);
  return out;
}

}  // namespace ferry::migration
