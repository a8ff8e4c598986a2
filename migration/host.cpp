// SPDX-License-Identifier: Apache-2.0
#include "migration/host.hpp"

#include <system_error>

#include "exporters/kubevirt/target.hpp"
#include "exporters/libvirt/edit/backing.hpp"
#include "exporters/libvirt/edit/trial_domain.hpp"
#include "exporters/libvirt/edit/virtio.hpp"
#include "exporters/libvirt/host/connection.hpp"
#include "exporters/libvirt/host/connection_uri.hpp"
#include "exporters/libvirt/host/deadline.hpp"
#include "exporters/libvirt/host/firmware_descriptors.hpp"
#include "exporters/libvirt/target.hpp"
#include "migration/finish/virtio_document.hpp"
#include "migration/pull_calls.hpp"

namespace ferry::migration {
namespace {

struct Answer {
  libvirt::HostProfile profile;
  std::unique_ptr<libvirt::Connection> connection;
  std::optional<Error> unreachable;
};

// --no-define leaves libvirt in peace: it need not be there, nor is its daemon started. Who names a connection wants
// it asked.
bool is_wanted(const Options &options) { return options.define || options.connect_given; }

Answer ask(const Options &options, const std::stop_token &stop) {
  Answer answer;
  if (!is_wanted(options)) {
    answer.profile = libvirt::unasked_host_profile(options.connect);
    return answer;
  }
  try {
    answer.connection = std::make_unique<libvirt::Connection>(options.connect, libvirt::Deadlines{.stop = stop});
    answer.profile = answer.connection->probe();
  } catch (const Error &error) {
    answer.connection.reset();
    answer.unreachable = error;
    answer.profile = libvirt::builtin_host_profile();
    answer.profile.uri = options.connect;
  }
  return answer;
}

Host host_of(Answer answer) {
  Host host;
  host.target = std::make_unique<libvirt::Target>(std::move(answer.profile));
  host.machines = std::move(answer.connection);
  host.unreachable = std::move(answer.unreachable);
  return host;
}

// What asks for something that only a connection to libvirt, or a disk on this host, can give.
void refuse_options_of_libvirt(const Options &options) {
  const auto refuse = [](const char *option, const char *why) {
    throw Error(ErrorKind::usage, {.message = std::string(option) + " does not go with --target kubevirt: " + why,
                                   .advice = "Leave out one of the two."});
  };
  if (options.connect_given) refuse("--connect", "libvirt is not asked");
  if (options.host_profile) refuse("--host-profile", "libvirt is not asked");
  if (options.start) refuse("--start", "the cluster is not reached from here");
  if (options.mode == disk::Mode::link || options.mode == disk::Mode::overlay)
    refuse("--disk-mode link or overlay", "an image that is uploaded has to be whole");
}

// By the link that /etc/localtime is: "../usr/share/zoneinfo/Europe/Berlin".
std::string time_zone_of_host() {
  constexpr std::string_view kFolder = "zoneinfo/";
  std::error_code error;
  const std::string link = std::filesystem::read_symlink("/etc/localtime", error).string();
  const std::size_t at = link.find(kFolder);
  return error || at == std::string::npos ? std::string() : link.substr(at + kFolder.size());
}

Host cluster(const Options &options) {
  refuse_options_of_libvirt(options);
  Host host;
  host.target = std::make_unique<kubevirt::Target>(std::filesystem::current_path(), time_zone_of_host());
  return host;
}

class LibvirtPull final : public PullCalls {
 public:
  explicit LibvirtPull(const std::string &connect) : connection_(connect) {}
  [[nodiscard]] std::vector<target::BackedDisk> backed_disks(const std::string &machine) const override {
    return libvirt::edit::backed_disks(connection_.live_document(machine));
  }
  void begin(const std::string &machine, const std::string &disk, std::uint64_t limit) override {
    connection_.begin_pull(machine, disk, limit);
  }
  [[nodiscard]] std::optional<unsigned> progress(const std::string &machine, const std::string &disk) const override {
    return connection_.job_progress(machine, disk);
  }

 private:
  libvirt::Connection connection_;
};

}  // namespace

Host host_for_plan(const Options &options) {
  if (options.target == TargetKind::kubevirt) return cluster(options);
  if (options.host_profile) {
    return host_of({libvirt::load_host_profile(*options.host_profile), nullptr, std::nullopt});
  }
  Host host = host_of(ask(options, {}));
  if (!options.define) host.target->facts.taken.forget_defined();
  return host;
}

Host host_for_run(const Options &options, const std::stop_token &stop) {
  if (options.target == TargetKind::kubevirt) return cluster(options);
  Answer answer = ask(options, stop);
  if (options.define && answer.unreachable) {
    ErrorDetail detail = answer.unreachable->detail();
    if (answer.unreachable->kind() == ErrorKind::unreachable)
      detail.advice += (detail.advice.empty() ? "" : " ") +
                       std::string("Nothing was copied; --no-define makes the files alone, without libvirt.");
    throw Error(answer.unreachable->kind(), std::move(detail));
  }
  if (options.host_profile) answer.profile = libvirt::load_host_profile(*options.host_profile);
  Host host = host_of(std::move(answer));
  if (!options.define) {
    host.machines.reset();
    host.unreachable.reset();
    host.target->facts.taken.forget_defined();
  }
  return host;
}

std::unique_ptr<target::Machines> machines_at(const std::string &connect) {
  return std::make_unique<libvirt::Connection>(connect);
}

target::TrialNeeds trial_needs(const std::string &document) { return libvirt::edit::trial_needs(document); }

std::string trial_document(const std::string &document, const target::TrialParts &parts) {
  return libvirt::edit::trial_domain(document, parts);
}

target::VirtioState virtio_state(const std::string &document) { return libvirt::edit::virtio_state(document); }

target::VirtioIds virtio_ids(const std::string &document) { return libvirt::edit::virtio_ids(document); }

std::string with_spares(const std::string &document, const target::VirtioSpares &spares,
                        const target::VirtioChoice &choice) {
  return libvirt::edit::with_spares(document, spares, choice);
}

std::string on_virtio(const std::string &document, const target::VirtioChoice &choice) {
  return libvirt::edit::on_virtio(document, choice);
}

std::unique_ptr<PullCalls> pull_calls_at(const std::string &connect) { return std::make_unique<LibvirtPull>(connect); }

void forget_backing(target::Machines &machines, const std::string &machine,
                    const std::vector<std::filesystem::path> &disks) {
  if (const auto plain = libvirt::edit::without_backing(machines.save(machine).document, disks))
    machines.define(*plain);
}

std::vector<target::BackedDisk> file_disks(const std::string &document) { return libvirt::edit::file_disks(document); }

std::string recorded_host(const std::string &connect) {
  return libvirt::host_profile_json(libvirt::Connection(connect).probe());
}

bool is_call_left_alone() { return libvirt::gave_up_on_libvirt(); }

void reserve(target::Taken &taken, const MachinePlan &plan, bool started) {
  taken.planned_names.insert(plan.name);
  taken.planned_files.insert(plan.files.begin(), plan.files.end());
  taken.uuids.emplace(plan.domain_uuid.text(), plan.name);
  for (const target::ListenPort &port : plan.listen) {
    taken.planned_ports.emplace(port.key(), plan.name);
    if (started) taken.started_ports.insert(port.key());
  }
  for (const target::Nic &nic : plan.nics) taken.macs.emplace(nic.mac, plan.name);
}

std::set<std::string> bridges_of_user() { return libvirt::unasked_host_profile("qemu:///session").bridges; }

std::vector<target::FirmwareImage> host_firmware() {
  return libvirt::read_firmware_descriptors(libvirt::firmware_folders());
}

bool is_session(const std::string &connect) { return libvirt::ConnectionUri::parse(connect).is_session(); }

bool is_own_session(const std::string &connect) { return libvirt::ConnectionUri::parse(connect).is_own_session(); }

std::string flatpak_of(const std::string &connect) {
  const auto uri = libvirt::ConnectionUri::parse(connect);
  return uri.is_flatpak() ? uri.path : "";
}

std::filesystem::path tpm_folders() { return libvirt::session_tpm_folders(); }

std::filesystem::path store_folder() { return libvirt::session_store_folder(); }

}  // namespace ferry::migration
