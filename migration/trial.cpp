// SPDX-License-Identifier: Apache-2.0
#include "migration/trial.hpp"

#include <algorithm>
#include <fcntl.h>
#include <random>

#include "converters/firmware/tpm_state.hpp"
#include "converters/qcow2/writer.hpp"
#include "converters/qemu_img.hpp"
#include "migration/disk_door.hpp"
#include "migration/host.hpp"
#include "migration/image_driver.hpp"
#include "migration/make_files.hpp"
#include "migration/migrate.hpp"
#include "migration/pull_place.hpp"
#include "migration/start_now.hpp"
#include "migration/target_names.hpp"
#include "migration/trial_folder.hpp"
#include "migration/trial_watch.hpp"

#include "support/file.hpp"
#include "support/folders.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kTimeout = std::chrono::minutes(3);
constexpr int kEmulationFactor = 5;  // an emulated guest takes about that much longer to boot

void refuse_foreign_session(const std::string &connect) {
  if (is_own_session(connect)) return;
  throw Error(ErrorKind::usage, {.where = {.path = "--connect"},
                                 .message = "a machine is tried in your own session only",
                                 .found = text::printable(connect),
                                 .expected = "qemu:///session"});
}

void refuse_in_use(const target::MachineFacts &facts) {
  if (!facts.running && !facts.suspended) return;
  throw Error(ErrorKind::conflict,
              {.message = "the machine \"" + text::printable(facts.name) +
                          (facts.running ? "\" runs, and overlays on disks that change are of no use"
                                         : "\" is suspended, and its disks are those of a machine that runs"),
               .advice = facts.running ? "Shut it down first." : "Start it and shut it down first."});
}

// RFC 4122, version 4.
Uuid random_uuid_for_trial() {
  std::random_device random;
  Uuid out;
  for (std::uint8_t &byte : out.bytes) byte = static_cast<std::uint8_t>(random());
  out.bytes[6] = static_cast<std::uint8_t>((out.bytes[6] & 0x0FU) | 0x40U);
  out.bytes[8] = static_cast<std::uint8_t>((out.bytes[8] & 0x3FU) | 0x80U);
  return out;
}

// QEMU opens the image itself; libvirt finds by the overlay's header what lies under it.
void make_overlay(const target::WritableDisk &disk, const fs::path &overlay) {
  const std::optional<ImageFormat> format = image_format_of(disk.format);
  if (!format) {
    throw Error(ErrorKind::unsupported, {.where = {.file = disk.file},
                                         .message = "no overlay can be made on this disk",
                                         .found = "the format \"" + text::printable(disk.format) + '"'});
  }
  const qemu_img::Info info = qemu_img::info({.format = *format, .range = {.file = disk.file}});
  copy::TargetFile file(overlay);
  qcow2::Writer writer(file, {.virtual_size = info.virtual_size,
                              .snapshots = {},
                              .backing = qcow2::Backing{.file = disk.file.string(), .format = disk.format}});
  writer.finish();
  file.publish(false);
}

// Files of the trial's own are used as they are.
bool lies_in(const fs::path &file, const fs::path &folder) { return file.parent_path() == folder; }

class Trial {
 public:
  Trial(target::Machines &machines, std::string document, const TrialOptions &options)
      : machines_(machines), document_(std::move(document)), options_(options), needs_(trial_needs(document_)) {}

  [[nodiscard]] const target::TrialNeeds &needs() const { return needs_; }

  // `tpm`: the folder that holds the machine's TPM state; empty: none.
  // `booted` is called once QEMU has all files and sockets.
  report::Test run(TrialFolder &folder, const fs::path &tpm, const std::stop_token &stop,
                   const std::function<void()> &booted = {}) {
    target::TrialParts parts{.name = name_for_trial(folder),
                             .title = needs_.name + ", tried by virt-ferry",
                             .uuid = uuid_for_trial(),
                             .overlays = {},
                             .store = {},
                             .console = folder.path() / "console"};
    make_parts(folder, parts);
    if (!needs_.tpm_folder.empty()) copy_tpm(folder, tpm, parts.uuid);
    const std::string document = trial_document(document_, parts);
    const Ended ended{machines_, parts.name};
    machines_.boot(document);
    // Made by now, where the machine has a serial port, by libvirt's log daemon or QEMU.
    const file::Descriptor console(open(parts.console.c_str(), O_RDONLY | O_CLOEXEC));
    folder.remove_files();
    if (booted) booted();
    report::Test out = watch(machines_, request(parts.name, console.get()), stop);
    out.notes = needs_.left_out;
    return out;
  }

 private:
  // Whatever comes, the machine ends before its files go. When it cannot be asked to, the connection's end ends it.
  struct Ended {
    target::Machines &machines;
    std::string name;
    ~Ended() {
      try {
        if (machines.condition(name) != target::Condition::off) machines.switch_off(name);
      } catch (const Error &) {
      }
    }
  };

  // Short: libvirt makes sockets in a folder that is called after it, whose names may have 107 bytes in all.
  [[nodiscard]] static std::string name_for_trial(const TrialFolder &folder) {
    const std::string id = folder.path().filename().string();
    return "ferry-" + id.substr(id.size() - std::min<std::size_t>(id.size(), 4));
  }

  // That of the machine, where nobody has it: the target defines no two, and keeps TPM state by it.
  [[nodiscard]] std::string uuid_for_trial() const {
    const bool is_free = needs_.tpm_folder.empty() && !machines_.machine_of(needs_.uuid);
    return is_free ? needs_.uuid : random_uuid_for_trial().text();
  }

  void make_parts(const TrialFolder &folder, target::TrialParts &parts) const {
    for (const target::WritableDisk &disk : needs_.disks) {
      if (lies_in(disk.file, folder.path())) continue;
      const fs::path overlay = folder.path() / (disk.target + ".overlay");
      make_overlay(disk, overlay);
      parts.overlays[disk.target] = overlay;
    }
    parts.store = folder.path() / "store.fd";
    if (lies_in(needs_.store, folder.path())) {
      parts.store = needs_.store;
    } else if (!needs_.store.empty() && file::status_of(needs_.store)) {
      fs::copy_file(needs_.store, parts.store);
    }
  }

  static void copy_tpm(TrialFolder &folder, const fs::path &from, const std::string &uuid) {
    const fs::path own = tpm_folders() / uuid;
    folder.also_remove(own);
    std::error_code error;
    if (from.empty() || !fs::is_directory(from, error)) return;  // it begins empty, as it would for the machine
    file::make_private_folders(own / from.filename());
    for (const fs::directory_entry &entry : file::entries_of(from)) {
      if (!entry.is_regular_file() || entry.path().filename() == ".lock") continue;
      fs::copy_file(entry.path(), own / from.filename() / entry.path().filename());
    }
  }

  [[nodiscard]] WatchRequest request(const std::string &name, int console) const {
    const std::chrono::seconds timeout =
        options_.timeout.value_or(needs_.emulated ? kTimeout * kEmulationFactor : kTimeout);
    if (options_.started) options_.started(timeout, needs_.emulated);
    WatchRequest out{.name = name, .console = console, .timeout = timeout};
    if (needs_.emulated) out.settle *= 2;
    return out;
  }

  target::Machines &machines_;
  std::string document_;
  const TrialOptions &options_;
  target::TrialNeeds needs_;
};

// One picture is kept of each machine: the newest.
void keep_picture(const std::string &machine, report::Test &test) {
  if (test.picture.empty()) return;
  const fs::path folder = folders::state_home() / "virt-ferry" / "tests";
  file::make_private_folders(folder);
  const fs::path file = folder / (safe_name(machine) + ".png");
  file::publish(file, {reinterpret_cast<const char *>(test.picture.data()), test.picture.size()},
                file::Existing::replace);
  test.screenshot = file.string();
}

// ---- of a source ----

// That a disk cannot lie under an overlay is no fault of an option that the command does not have.
[[noreturn]] void throw_refusal(const report::Refusal &refusal) {
  if (refusal.detail.message.find("--disk-mode") == std::string::npos) throw Error(refusal.kind, refusal.detail);
  throw Error(ErrorKind::unsupported, {.where = refusal.detail.where,
                                       .message = "QEMU cannot read this disk in its place, under an overlay",
                                       .found = refusal.detail.found,
                                       .advice = "Migrate the machine, and test it by its name."});
}

Planned planned_on_overlays(const std::string &source, Options &options, const fs::path &folder, Host &host) {
  options.dest = folder;
  options.define = false;
  options.connect_given = true;  // the machine is planned for the host that will run it
  options.mode = disk::Mode::overlay;
  options.served_overlays = true;
  options.keep_snapshots = false;
  options.tpm_beside = true;
  const FoundSource found = find_source(source);
  host = host_for_run(options);
  std::vector<Planned> all = plan_source(found, options, *host.target, {});
  if (all.size() > 1) {
    throw Error(ErrorKind::usage, {.where = {.file = found.file},
                                   .message = "the source has several machines, and one is tried at a time",
                                   .found = std::to_string(all.size()) + " machines",
                                   .advice = "Migrate them, and test each by its name."});
  }
  if (!all.front().plan) throw_refusal(*all.front().report.refusal);
  return std::move(all.front());
}

// What QEMU does not read by itself is served to it by this process, for as long as the trial runs. The socket's name
// goes as soon as QEMU is connected.
class TrialServer {
 public:
  TrialServer(MachinePlan &plan, const Options &options) {
    const std::vector<DiskToServe> disks = disks_to_serve(plan);
    if (disks.empty()) return;
    socket_ = pull_socket(plan.dest, plan.name);
    file::make_private_folders(socket_.parent_path());
    plan.reader->serve(disks, open_options(plan.imported.machine, options));
    door_ = std::make_unique<DiskDoor>(socket_, plan.reader);
  }
  ~TrialServer() { forget_name(); }
  TrialServer(const TrialServer &) = delete;
  TrialServer &operator=(const TrialServer &) = delete;

  void forget_name() const {
    if (!socket_.empty()) remove_pull_folder(socket_);
  }

 private:
  fs::path socket_;
  std::unique_ptr<DiskDoor> door_;
};

}  // namespace

std::optional<report::TestDocument> try_machine(const std::string &name, const std::string &connect,
                                                const TrialOptions &options, const std::stop_token &stop) {
  refuse_foreign_session(connect);
  const auto machines = machines_at(connect);
  auto facts = machines->machine_named(name);
  if (!facts && Uuid::parse(name)) facts = machines->machine_of(name);
  if (!facts) return std::nullopt;
  refuse_in_use(*facts);
  report::TestDocument out;
  out.machine = facts->name;
  out.test = try_document(*machines, machines->save(facts->name).document, *facts, options, stop);
  return out;
}

report::Test try_document(target::Machines &machines, const std::string &document, const target::MachineFacts &facts,
                          const TrialOptions &options, const std::stop_token &stop) {
  Trial trial(machines, document, options);
  TrialFolder folder;
  report::Test out = trial.run(folder, tpm_folders() / facts.uuid / trial.needs().tpm_folder, stop);
  keep_picture(facts.name, out);
  return out;
}

report::Test test_of(const std::string &name, const std::string &connect, const TrialOptions &trial,
                     const std::stop_token &stop) {
  report::Test out;
  try {
    if (auto tried = try_machine(name, connect, trial, stop)) return std::move(*tried->test);
    out.seen = "it was not started: the connection has no such machine";
  } catch (const std::exception &error) {
    out.seen = std::string("it was not started: ") + error.what();
  }
  return out;
}

report::TestDocument try_source(const std::string &source, const Options &given, const TrialOptions &trial_options,
                                const std::stop_token &stop) {
  refuse_foreign_session(given.connect);
  TrialFolder folder;
  Options options = given;
  Host host;
  Planned planned = planned_on_overlays(source, options, folder.path(), host);
  MachinePlan &plan = *planned.plan;
  plan.manifest.clear();  // a package's digests take a look at all of it
  RunResult made;
  make_files({.plan = plan, .options = options, .staging = folder.path(), .domain_xml = plan.domain_xml}, nullptr, stop,
             made);
  const auto machines = machines_at(options.connect);
  const TrialServer server(plan, options);
  Trial trial(*machines, plan.domain_xml, trial_options);
  fs::path tpm;
  if (!plan.tpm_state.empty()) {
    const fs::path name = firmware::swtpm_state_name(plan.tpm_kind);
    tpm = firmware::write_swtpm_state(plan.tpm_state, folder.path() / "tpm", name.filename().string(), plan.tpm_kind)
              .parent_path();
  }
  report::TestDocument out;
  out.machine = plan.name;
  out.test = trial.run(folder, tpm, stop, [&server] { server.forget_name(); });
  if (!plan.imported.machine.snapshots.empty())
    out.test->notes.emplace_back("The disks are those of the current state, without the snapshots.");
  keep_picture(out.machine, *out.test);
  return out;
}

}  // namespace ferry::migration
