// SPDX-License-Identifier: Apache-2.0
#include "migration/registered_details.hpp"

#include <memory>

#include "migration/reader.hpp"
#include "migration/source.hpp"
#include "migration/survey.hpp"

namespace ferry::migration {
namespace {

// The data of the disks as they are now.
std::uint64_t size_of(const Machine &machine, Reader &reader) {
  std::vector<Medium> media;
  for (const Controller &controller : machine.hardware.controllers) {
    for (const Drive &drive : controller.drives)
      if (drive.kind == DriveKind::disk && drive.medium) media.push_back(*drive.medium);
  }
  std::uint64_t out = 0;
  for (const MediumLook &look : reader.look(media, open_options(machine, {}), disk::Engine::native))
    if (look.info) out += look.info->allocated;
  return out;
}

void describe(const Machine &machine, Reader &reader, RegisteredDetails &out) {
  out.guest_os = machine.guest_os.label.empty() ? machine.guest_os.source_id : machine.guest_os.label;
  out.snapshots = machine.snapshots.size();
  out.size = size_of(machine, reader);
  out.state = machine.encrypted ? "encrypted" : machine.saved_state ? "suspended" : "off";
}

}  // namespace

RegisteredDetails details_of(const RegisteredMachine &machine, const std::vector<RunRecord> &runs) {
  RegisteredDetails out;
  for (const RunRecord &run : runs) {
    if (!run.done || run.undone || run.source != machine.file) continue;
    out.run = run.run;
    out.read_by_run = run.reads_source();
  }
  if (!machine.exists) {
    out.state = "missing";
    return out;
  }
  try {
    const std::shared_ptr<Reader> reader = reader_of(find_source(machine.file.string()), {});
    const std::vector<ReadMachine> read = reader->import(Newer::ignore);
    if (!read.empty()) describe(read.front().imported.machine, *reader, out);
  } catch (const Error &error) {
    out.state = "unreadable";
    out.error = error;
  }
  return out;
}

}  // namespace ferry::migration
