// SPDX-License-Identifier: Apache-2.0
#include "migration/plan.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "converters/firmware/tpm_state.hpp"
#include "migration/findings.hpp"
#include "migration/guest_buses.hpp"
#include "migration/guest_judgement.hpp"
#include "migration/host.hpp"
#include "migration/identity.hpp"
#include "migration/plan_disks.hpp"
#include "migration/plan_files.hpp"
#include "migration/plan_firmware.hpp"
#include "migration/plan_refusals.hpp"
#include "migration/target_names.hpp"
#include "migration/tpm_place.hpp"

#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

class MachinePlanner {
 public:
  MachinePlanner(ImportedMachine imported, const Survey &survey, const Options &options, const target::Target &target,
                 target::Taken taken)
      : survey_(survey), options_(options), target_(target), taken_(std::move(taken)) {
    plan_.imported = std::move(imported);
    plan_.name = machine_name(options.target, options.name.value_or(machine().name));
    if (options.overwrite) taken_.forget(plan_.name);
  }

  MachinePlan plan() {
    refuse_what_cannot_be_carried(machine(), options_);
    refuse_taken_name(plan_.name, options_, taken_, target_.facts.place);
    plan_.dest = destination(options_, target_);
    plan_.store_folder = folder_of_stores(options_, plan_.dest);
    plan_.definition_apart = is_in_own_pool(options_);
    plan_.reader = survey_.reader;
    plan_.start_now = options_.start_now;
    plan_.pull_limit = options_.pull_limit;
    plan_.number = survey_.number;
    plan_.observed = survey_.observed;
    plan_.findings = plan_.imported.findings;
    append(plan_.findings, survey_.findings);
    general_findings();
    if (plan_.observed)
      take_observed_system(*plan_.observed, plan_.imported.machine.guest_os, machine().origin, plan_.findings);
    DisksPlan disks = plan_disks(machine(), survey_, options_, plan_.name, plan_.dest);
    append(plan_.findings, disks.findings);
    append(settlements_, disks.settlements);
    if (plan_.observed) tell_what_boots(disks);
    plan_firmware();
    const IdentityContext identity(options_.identity, taken_, machine(), plan_.name);
    DecidedUuid uuid = decide_uuid(machine(), identity);
    plan_.domain_uuid = uuid.uuid;
    plan_seed(disks);
    target::Result result =
        describe(machine().hardware, "hardware", disks.media, plan_.firmware, std::move(uuid), identity);
    if (plan_.observed) judge_what_was_seen(result, disks);
    plan_.document = plan_.dest / (plan_.name + target_.facts.document_suffix);
    plan_.domain_xml = result.document;
    plan_.next_steps = result.next_steps;
    plan_.nics = result.nics;
    plan_.board = result.board;
    plan_.drives = planned_drives(result, disks);
    plan_.listen = result.listen;
    plan_.memory = result.memory;
    append(plan_.findings, result.findings);
    plan_tpm(result.has_tpm);
    if (options_.start_now) say_that_it_reads_its_source(result);
    const bool unmanaged =
        std::any_of(result.disks.begin(), result.disks.end(), [](const target::Disk &disk) { return disk.unmanaged; });
    plan_snapshots(disks, identity, unmanaged);
    plan_.disks = std::move(disks.disks);
    plan_.copies = std::move(disks.copies);
    append(settlements_, result.settlements);
    settle_identity();
    plan_.imported.ledger.settle(settlements_);
    plan_.files = files_of(plan_);
    plan_.space_needed = space_of(plan_);
    plan_.space_available = survey_.available;
    return std::move(plan_);
  }

 private:
  [[nodiscard]] const Machine &machine() const { return plan_.imported.machine; }

  template <class T>
  static void append(std::vector<T> &to, const std::vector<T> &from) {
    to.insert(to.end(), from.begin(), from.end());
  }

  void general_findings() {
    if (target_.facts.assumed)
      plan_.findings.push_back(
          raise(kBuiltInProfile, {}, "the plan is made for " + target_.facts.name + ", not for this host"));
    if (auto said = survey_.reader ? uncaged(*survey_.reader, machine().source.file) : std::nullopt)
      plan_.findings.push_back(std::move(*said));
    if (plan_.name != options_.name.value_or(machine().name)) {
      plan_.findings.push_back(
          raise(kNameChanged, machine().origin, "the machine is called \"" + plan_.name + "\" on the target"));
    }
    if (machine().saved_state) {
      plan_.findings.push_back(raise(kSavedStateDiscarded, machine().saved_state->origin,
                                     "the saved state " + machine().saved_state->file.string() + " is left behind"));
      settlements_.push_back({"saved_state", Disposition::dropped, "left behind by --discard-saved-state"});
    }
    plan_.manifest = survey_.manifest;
    if (survey_.has_manifest && options_.start_now) {
      plan_.manifest.clear();
      plan_.findings.push_back(raise(kManifestNotChecked, {.file = machine().source.file},
                                     "the digests in the package's manifest are not checked"));
    } else if (survey_.has_manifest) {
      plan_.findings.push_back(raise(kManifestChecked, {.file = machine().source.file},
                                     "the digests in the package's manifest are checked while the files are read"));
    }
    for (const std::string &image : survey_.unlisted) {
      plan_.findings.push_back(raise(kManifestIncomplete, {.file = machine().source.file},
                                     "the package's manifest does not list \"" + text::printable(image) + "\""));
    }
  }

  // By their number, from 1.
  [[nodiscard]] std::map<std::size_t, DriveRef> numbered_disks() const {
    return numbered_disks(machine().hardware, "hardware");
  }
  [[nodiscard]] static std::map<std::size_t, DriveRef> numbered_disks(const Hardware &hardware,
                                                                      const std::string &field) {
    std::map<std::size_t, DriveRef> out;
    for (DriveRef &ref : drives_of(hardware, field)) {
      if (ref.drive->kind == DriveKind::disk && ref.drive->medium) out.emplace(out.size() + 1, std::move(ref));
    }
    return out;
  }

  // Those that can be changed: by number, copied, or under an overlay.
  [[nodiscard]] std::map<std::size_t, DiskPlan *> copied_disks(DisksPlan &disks) const {
    std::map<std::size_t, DiskPlan *> out;
    for (const auto &[number, ref] : numbered_disks()) {
      for (DiskPlan &disk : disks.disks) {
        const bool ours = disk.info.engine != disk::Engine::qemu_img && disk.mode != disk::Mode::link;
        if (disk.field == ref.field && ours) out[number] = &disk;
      }
    }
    return out;
  }

  [[nodiscard]] std::set<std::size_t> copied_numbers(DisksPlan &disks) const {
    std::set<std::size_t> out;
    for (const auto &[number, disk] : copied_disks(disks)) out.insert(number);
    return out;
  }

  // Tells the target which buses the guest boots from. A snapshot's state of a disk goes the same way.
  void tell_what_boots(DisksPlan &disks) const {
    const std::map<std::size_t, DriveRef> numbered = numbered_disks();
    for (const auto &[number, seen] : disks_seen(*plan_.observed, options_.guest_fixes, copied_numbers(disks))) {
      const auto ref = numbered.find(number);
      if (ref == numbered.end()) continue;
      fs::path file;
      const auto tell = [&, &seen = seen](target::Medium &medium) {
        medium.boots_from = seen.boots_from;
        medium.data_only = seen.data_only;
      };
      for (target::Medium &medium : disks.media) {
        if (medium.controller != ref->second.controller || medium.drive != ref->second.index) continue;
        tell(medium);
        file = medium.file;
      }
      for (std::vector<target::Medium> &state : disks.snapshot_media) {
        for (target::Medium &medium : state) {
          if (!file.empty() && medium.file == file) tell(medium);
        }
      }
    }
  }

  void judge_what_was_seen(target::Result &result, DisksPlan &disks) {
    const std::map<std::size_t, DiskPlan *> copied = copied_disks(disks);
    const Judgement judgement = judge_guest(*plan_.observed, machine().hardware, machine().origin, result,
                                            options_.guest_fixes, copied_numbers(disks));
    append(plan_.findings, judgement.findings);
    for (const GuestFix &fix : judgement.fixes) {
      copied.at(fix.disk)->medium.changes.push_back(fix.change);
      plan_.guest_fixes.push_back(fix.text());
    }
  }

  // Of the current state: a snapshot's guest has what it was told then.
  void plan_seed(DisksPlan &disks) {
    if (!target_.facts.has_cd_drives) return;
    SeedDecision decision = decide_seed(machine(), plan_.observed ? &*plan_.observed : nullptr, options_,
                                        plan_.domain_uuid, plan_.dest / seed_file(plan_.name));
    append(plan_.findings, decision.findings);
    append(settlements_, decision.settlements);
    if (!decision.seed) return;
    std::vector<DrivePlace> filled;
    for (const target::Medium &medium : disks.media) filled.push_back({medium.controller, medium.drive});
    const DrivePlace place = place_seed(plan_.imported.machine.hardware, filled);
    target::Medium medium{
        .controller = place.controller, .drive = place.drive, .file = decision.seed->target, .format = "raw"};
    medium.read_only = true;
    disks.media.push_back(std::move(medium));
    plan_.seed = std::move(decision.seed);
  }

  // The Windows of a snapshot on its own state of a disk: it has other control sets, or the same at another place.
  void fix_snapshot(std::size_t i, target::Result &state, DisksPlan &disks) {
    const auto seen = survey_.snapshot_observed.find(i);
    if (seen == survey_.snapshot_observed.end()) return;
    const Snapshot &snapshot = machine().snapshots[i];
    std::map<std::size_t, DisksPlan::State> states;  // by number
    for (const auto &[number, ref] : numbered_disks(snapshot.hardware, snapshot_field(i))) {
      const auto found = disks.states.find(ref.field);
      if (found != disks.states.end()) states.emplace(number, found->second);
    }
    Observed own = seen->second;
    std::erase_if(own.windows, [&](const ObservedWindows &one) { return !states.contains(one.disk); });
    std::set<std::size_t> numbers;
    for (const auto &[number, where] : states) numbers.insert(number);
    const Judgement judgement =
        judge_guest(own, snapshot.hardware, snapshot.origin, state, options_.guest_fixes, numbers);
    const std::string of = "in the snapshot \"" + disks.snapshot_names[i] + "\", ";
    for (Finding finding : judgement.findings) {
      if (!is_about_windows_changes(finding)) continue;
      finding.message = of + finding.message;
      plan_.findings.push_back(std::move(finding));
    }
    for (const GuestFix &fix : judgement.fixes) {
      const DisksPlan::State &where = states.at(fix.disk);
      disks.disks[where.disk].snapshots[where.state].medium.changes.push_back(fix.change);
      plan_.guest_fixes.push_back(of + fix.text());
    }
  }

  [[nodiscard]] static bool is_about_windows_changes(const Finding &finding) {
    return finding.id == kGuestFixed.id || finding.id == kBootDriver.id || finding.id == kGuestDiskOffline.id;
  }

  [[nodiscard]] static std::string snapshot_field(std::size_t i) {
    return "snapshots." + std::to_string(i) + ".hardware";
  }

  void say_that_it_reads_its_source(const target::Result &result) {
    for (const target::Disk &disk : result.disks) {
      if (!disk.unmanaged) continue;
      throw Error(ErrorKind::usage, {.where = machine().origin,
                                     .message = "--start-now cannot copy behind a disk that libvirt does not manage",
                                     .found = "the disk " + disk.target,
                                     .advice = "Leave out --start-now, or choose another --disk-bus."});
    }
    plan_.findings.push_back(raise(kReadsSource, {.file = machine().source.file},
                                   "the machine reads its source until the copy behind it is whole"));
  }

  void plan_firmware() {
    if (machine().hardware.firmware.type == FirmwareType::bios || !target_.facts.keeps_variables) return;
    plan_.firmware = plan_store(machine().hardware, store_facts(survey_.nvram, survey_.store), target_,
                                plan_.store_folder / store_file(plan_.name, 0), plan_.findings);
    if (plan_.observed)
      make_boot_entries(*plan_.firmware, *plan_.observed, machine().hardware.firmware.origin, plan_.findings);
  }

  [[nodiscard]] StoreFacts store_facts(const std::optional<firmware::NvramContents> &contents,
                                       const std::optional<MediumFacts> &image) const {
    return {contents, image, survey_.scsi_firmware, options_.firmware.has_value()};
  }

  // A snapshot with a store of its own: VirtualBox 7 puts a copy into its snapshot folder.
  std::optional<FirmwarePlan> plan_snapshot_store(std::size_t i) {
    const auto contents = survey_.snapshot_nvram.find(i);
    if (contents == survey_.snapshot_nvram.end()) return std::nullopt;
    const Hardware &hardware = machine().snapshots[i].hardware;
    const std::optional<firmware::NvramContents> own = contents->second;
    const std::optional<MediumFacts> none;
    FirmwarePlan out = plan_store(hardware, store_facts(own, none), target_,
                                  plan_.store_folder / store_file(plan_.name, ++stores_), plan_.findings);
    settlements_.push_back({"snapshots." + std::to_string(i) + ".hardware.firmware.nvram_file", Disposition::translated,
                            described_store(out)});
    return out;
  }

  // Whether TPM state can be placed: a session's swtpm folder is the user's own, others' are not.
  void plan_tpm(bool has_tpm) {
    plan_.has_tpm = has_tpm;
    if (!has_tpm) return;
    plan_.tpm_folder = tpm_folder(plan_, options_);
    const Hardware &hardware = machine().hardware;
    const bool carried = survey_.tpm && !survey_.tpm->state.empty() && !plan_.tpm_folder.empty();
    // A machine of QEMU's own that keeps its firmware measures its boot as before.
    const bool same = hardware.described_by_qemu() &&
                      (hardware.firmware.type == FirmwareType::bios || hardware.firmware.loader_file.has_value());
    if (hardware.tpm->unused) return;
    plan_.findings.push_back(
        firmware::tpm_finding(survey_.tpm ? &*survey_.tpm : nullptr, carried, same, hardware.tpm->origin));
    if (!carried) return;
    plan_.tpm_state = survey_.tpm->state;
    if (hardware.tpm->version == Tpm::Version::v1_2) plan_.tpm_kind = firmware::TpmKind::old;
  }

  [[nodiscard]] target::Result describe(const Hardware &hardware, const std::string &prefix,
                                        std::vector<target::Medium> media, const std::optional<FirmwarePlan> &store,
                                        DecidedUuid uuid, const IdentityContext &identity) const {
    target::Request request;
    request.machine = &machine();
    request.hardware = &hardware;
    request.identity = {.name = plan_.name,
                        .title = options_.name.value_or(machine().name),
                        .uuid = uuid.uuid,
                        .uuid_account = std::move(uuid.account),
                        .cards = decide_cards(hardware, prefix, identity)};
    request.options = options_.hardware;
    request.media = std::move(media);
    request.folder = plan_.dest;
    request.used_ports = taken_.planned_ports;
    for (const auto &[port, name] : taken_.ports) {
      if (name != plan_.name) request.used_ports.emplace(port, name);
    }
    if (store && hardware.firmware.type != FirmwareType::bios) request.firmware = store->target;
    if (!target_.facts.keeps_variables) {
      const std::optional<bool> stored = survey_.nvram ? firmware::secure_boot_of(*survey_.nvram) : std::nullopt;
      request.firmware = {
          .descriptor = {}, .nvram = {}, .secure_boot = hardware.firmware.secure_boot.value_or(stored.value_or(false))};
    }
    request.field_prefix = prefix;
    return target_.describe(request);
  }

  static std::vector<PlannedDrive> planned_drives(const target::Result &result, const DisksPlan &disks) {
    std::vector<PlannedDrive> out;
    for (const target::Disk &disk : result.disks) {
      const auto medium = std::find_if(disks.media.begin(), disks.media.end(), [&](const target::Medium &one) {
        return one.controller == disk.controller && one.drive == disk.drive;
      });
      out.push_back({disk, medium == disks.media.end() ? fs::path() : medium->file});
    }
    return out;
  }

  // `unmanaged`: the target would go back to a state of some disks and leave others as they are.
  void plan_snapshots(DisksPlan &disks, const IdentityContext &identity, bool unmanaged) {
    if (machine().snapshots.empty()) return;
    if (options_.start_now) {
      plan_.findings.push_back(raise(kSnapshotsStartNow, machine().origin,
                                     std::to_string(machine().snapshots.size()) +
                                         " snapshots are left behind; the machine starts from the current state"));
      settlements_.push_back({"snapshots", Disposition::dropped, "left behind by --start-now"});
      return;
    }
    if (!options_.keep_snapshots) {
      plan_.findings.push_back(raise(kSnapshotsFlattened, machine().origin,
                                     std::to_string(machine().snapshots.size()) +
                                         " snapshots are left behind; the disks are flattened to the current state"));
      settlements_.push_back({"snapshots", Disposition::dropped, "left behind: the disks are flattened"});
      return;
    }
    if (!target_.facts.keeps_snapshots) {
      throw Error(ErrorKind::usage, {.where = machine().origin,
                                     .message = target_.facts.name + " takes no snapshots from outside",
                                     .found = "--snapshots keep",
                                     .expected = "--snapshots flatten"});
    }
    if (options_.mode == disk::Mode::link || options_.mode == disk::Mode::overlay) {
      throw Error(ErrorKind::usage, {.where = machine().origin,
                                     .message = "--disk-mode link and overlay cannot keep snapshots",
                                     .found = std::to_string(machine().snapshots.size()) + " snapshots",
                                     .advice = "Add --snapshots flatten, or leave out --disk-mode."});
    }
    if (unmanaged) {
      plan_.findings.push_back(raise(kSnapshotsInImages, machine().origin,
                                     std::to_string(machine().snapshots.size()) +
                                         " snapshots are kept inside of the new images, and are not listed"));
      settlements_.push_back({"snapshots", Disposition::translated, "kept inside of the new images alone"});
      return;
    }
    for (std::size_t i = 0; i < machine().snapshots.size(); ++i) {
      if (disks.snapshot_images[i]) plan_snapshot(i, disks, identity);
    }
    const Hardware *uefi = first_uefi_state();
    if (const auto limits = target_.snapshot_limits(uefi != nullptr ? *uefi : machine().hardware))
      plan_.findings.push_back(*limits);
  }

  // Firmware can differ between states: a machine that is a BIOS machine now may have been none in a snapshot.
  [[nodiscard]] const Hardware *first_uefi_state() const {
    if (machine().hardware.firmware.type != FirmwareType::bios) return &machine().hardware;
    for (const SnapshotPlan &planned : plan_.snapshots) {
      const Hardware &hardware = machine().snapshots[planned.snapshot].hardware;
      if (hardware.firmware.type != FirmwareType::bios) return &hardware;
    }
    return nullptr;
  }

  // The nearest ancestor that is kept: a snapshot that cannot be read does not cut off those below it.
  [[nodiscard]] std::string parent_name(std::size_t i, const DisksPlan &disks) const {
    for (auto parent = machine().snapshots[i].parent; parent; parent = machine().snapshots[*parent].parent) {
      if (disks.snapshot_images[*parent]) return disks.snapshot_names[*parent];
    }
    return {};
  }

  void plan_snapshot(std::size_t i, DisksPlan &disks, const IdentityContext &identity) {
    const Snapshot &snapshot = machine().snapshots[i];
    const std::string field = "snapshots." + std::to_string(i);
    std::optional<FirmwarePlan> own_store = plan_snapshot_store(i);
    const std::string prefix = field + ".hardware";
    target::Result state =
        describe(snapshot.hardware, prefix, disks.snapshot_media[i], own_store ? own_store : plan_.firmware,
                 snapshot_uuid(plan_.domain_uuid, prefix), identity);
    append(settlements_, state.settlements);
    fix_snapshot(i, state, disks);
    target::SnapshotRequest input;
    input.name = disks.snapshot_names[i];
    input.description = snapshot.description;
    input.parent = parent_name(i, disks);
    input.created = snapshot.created.value_or(0);
    input.machine_document = state.document;
    const std::set<fs::path> images(disks.snapshot_images[i]->begin(), disks.snapshot_images[i]->end());
    for (const target::Disk &disk : state.disks) {
      const bool inside =
          std::any_of(disks.snapshot_media[i].begin(), disks.snapshot_media[i].end(), [&](const auto &medium) {
            return medium.controller == disk.controller && medium.drive == disk.drive && images.contains(medium.file);
          });
      (inside ? input.disk_targets : input.other_targets).push_back(disk.target);
    }
    settlements_.push_back({field, Disposition::kept, "the snapshot \"" + input.name + "\""});
    settlements_.push_back({field + ".id", Disposition::translated, "libvirt identifies snapshots by name"});
    if (snapshot.saved_state) {
      plan_.findings.push_back(
          raise(kSnapshotMemoryDropped, snapshot.saved_state->origin,
                "the snapshot \"" + snapshot.name + "\" loses its memory; its disks are as after a power cut"));
      settlements_.push_back({field + ".saved_state", Disposition::dropped,
                              "a saved memory state belongs to its own platform; the disks are kept"});
    }
    plan_.snapshots.push_back({.snapshot = i,
                               .name = input.name,
                               .xml = target_.describe_snapshot(input),
                               .current = machine().current_snapshot == i,
                               .firmware = std::move(own_store)});
  }

  // Fields of the machine itself that the spine decides on; the exporter settles the others.
  void settle_identity() {
    settlements_.push_back(
        {"name", Disposition::kept, plan_.name == machine().name ? "" : "as \"" + plan_.name + "\""});
    settlements_.push_back({"current_snapshot", Disposition::kept, "the current snapshot"});
    settlements_.push_back({"current_state_modified", Disposition::kept, "the current state is the active disk state"});
    if (plan_.firmware && survey_.nvram) {
      settlements_.push_back(
          {"hardware.firmware.nvram_file", Disposition::translated, described_store(*plan_.firmware)});
    }
  }

  const Survey &survey_;
  const Options &options_;
  const target::Target &target_;
  target::Taken taken_;  // as for this machine
  MachinePlan plan_;
  std::size_t stores_ = 0;  // of snapshots, so far
  std::vector<Settlement> settlements_;
};

}  // namespace

MachinePlan make_plan(ImportedMachine imported, const Survey &survey, const Options &options,
                      const target::Target &target, const target::Taken &taken) {
  return MachinePlanner(std::move(imported), survey, options, target, taken).plan();
}

MachinePlan make_plan(ImportedMachine imported, const Survey &survey, const Options &options,
                      const target::Target &target) {
  return make_plan(std::move(imported), survey, options, target, target.facts.taken);
}

}  // namespace ferry::migration
