// SPDX-License-Identifier: Apache-2.0
#include "migration/run.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>

#include "converters/firmware/carry.hpp"
#include "converters/firmware/tpm_state.hpp"
#include "importers/ovf/ovf.hpp"
#include "migration/findings.hpp"
#include "migration/journal.hpp"
#include "migration/preflight.hpp"

#include "support/file.hpp"
#include "support/folders.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_io(const fs::path &file, const std::string &what) {
  throw Error(ErrorKind::io, {.where = {file, {}, {}}, .message = what + ": " + std::strerror(errno)});
}

// Removes the staging folder unless the run went well.
class Staging {
 public:
  Staging(const fs::path &dest, const std::string &run) : folder_(dest / (".virt-ferry-" + run)) {
    std::error_code error;
    fs::create_directories(dest, error);
    // 0700: images may hold what nobody else on this host should read.
    if (error || mkdir(folder_.c_str(), 0700) != 0) fail_io(folder_, "the destination cannot be written");
  }
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Staging(const Staging &) = delete;
  Staging &operator=(const Staging &) = delete;
  [[nodiscard]] const fs::path &folder() const { return folder_; }
  [[nodiscard]] fs::path place(const fs::path &final_place) const { return folder_ / final_place.filename(); }

 private:
  fs::path folder_;
};

disk::ConvertRequest request_for(const DiskPlan &disk, const MachinePlan &plan, const Options &options,
                                 const fs::path &target) {
  disk::ConvertRequest request;
  request.medium = disk.medium;
  request.snapshots = disk.snapshots;
  request.target = target;
  request.engine = options.engine;
  request.mode = disk.mode;
  request.compression = options.compression;
  request.cluster_size = options.cluster_size;
  request.threads = options.threads;
  request.verify = options.verify;
  request.check = true;
  request.open = open_options(plan.imported.machine, options);
  return request;
}

disk::ConvertRequest request_for(const CopyPlan &copy, const MachinePlan &plan, const fs::path &target) {
  disk::ConvertRequest request;
  request.medium.chain = {copy.image};
  request.medium.chain.front().declared_format = ImageFormat::raw;
  request.target = target;
  request.format = disk::TargetFormat::raw;
  request.open = open_options(plan.imported.machine);
  return request;
}

// The manifest's digest of a disk that is converted natively from one range of a file: the conversion checks it in
// the same pass. Such an entry is taken out of `manifest`.
std::optional<disk::SourceDigest> take_digest(const DiskPlan &disk, std::vector<ovf::ManifestEntry> &manifest) {
  if (disk.mode == disk::Mode::link || disk.mode == disk::Mode::overlay) return std::nullopt;
  if (disk.info.engine != disk::Engine::native || disk.medium.chain.empty()) return std::nullopt;
  const ImageFile &image = disk.medium.chain.back();
  if (image.pieces.size() != 1 || image.gzip || image.gzip_outer) return std::nullopt;
  const auto entry = std::find_if(manifest.begin(), manifest.end(), [&](const ovf::ManifestEntry &one) {
    return !one.gzip_outer && one.range == image.pieces.front();
  });
  if (entry == manifest.end()) return std::nullopt;
  disk::SourceDigest digest{.algorithm = entry->algorithm, .expected = entry->digest, .where = entry->where};
  manifest.erase(entry);
  return digest;
}

// Without `replace` an existing target is never touched.
void publish_file(const fs::path &from, const fs::path &to, bool replace) {
  std::error_code error;
  if (replace) {
    fs::rename(from, to, error);
  } else {
    error = file::rename_new(from, to);
  }
  if (!error) return;
  if (error == std::errc::file_exists) {
    throw Error(ErrorKind::conflict, {.where = {to, {}, {}},
                                      .message = "the file appeared while the machine was converted",
                                      .advice = "Move it away, or use --overwrite."});
  }
  throw Error(ErrorKind::io,
              {.where = {to, {}, {}}, .message = "the finished file cannot be moved to its place: " + error.message()});
}

// What the journal says of `made` as it goes to `place`.
PublishedFile published_file(const fs::path &made, const fs::path &place, bool replaces) {
  const auto status = file::status_of(made, file::Links::no_follow);
  if (!status) fail_io(made, "a file that the run made is gone");
  return {place, status->inode, status->modified, replaces};
}

void refuse_when_stopped(const fs::path &source, const std::stop_token &stop) {
  if (stop.stop_requested())
    throw Error(ErrorKind::cancelled, {.where = {source, {}, {}}, .message = "the migration was interrupted"});
}

// A running machine would go on with images that nobody finds any more.
void refuse_running(const libvirt::Connection &connection, const std::string &name) {
  if (!connection.has_domain(name) || !connection.is_running(name)) return;
  throw Error(ErrorKind::conflict, {.message = "the machine \"" + name + "\" that --overwrite would replace is running",
                                    .advice = "Shut it down first, or choose another --name."});
}

class Run {
 public:
  Run(const MachinePlan &plan, const Options &options, libvirt::Connection *connection, Progress *progress,
      const std::stop_token &stop)
      : plan_(plan),
        options_(options),
        connection_(connection),
        progress_(progress),
        stop_(stop),
        journal_(plan.imported.machine.source.file, plan.name, options.connect, plan.dest) {}

  RunResult execute() {
    result_.run = journal_.run();
    try {
      make_and_publish();
    } catch (const Error &) {
      if (!replaced_) journal_.undone();  // the staging folder is gone, and what was published
      throw;
    }
    try {
      define();
      start();
    } catch (const Error &error) {
      result_.libvirt_error = error;
    }
    end();
    next_steps();
    return std::move(result_);
  }

 private:
  [[nodiscard]] const Machine &machine() const { return plan_.imported.machine; }

  void make_and_publish() {
    journal_.staging(plan_.dest / (".virt-ferry-" + journal_.run()));
    const Staging staging(plan_.dest, journal_.run());
    std::vector<ovf::ManifestEntry> manifest;
    if (plan_.check_manifest) manifest = ovf::manifest(machine().source.file);
    std::vector<std::optional<disk::SourceDigest>> digests;
    for (const DiskPlan &disk : plan_.disks) digests.push_back(take_digest(disk, manifest));
    ovf::verify_members(machine().source.file, manifest);  // what no conversion checks on its way
    for (std::size_t i = 0; i < plan_.disks.size(); ++i) {
      const DiskPlan &disk = plan_.disks[i];
      if (disk.mode == disk::Mode::link) continue;
      check_stop();
      disk::ConvertRequest request = request_for(disk, plan_, options_, staging.place(disk.target));
      request.source_digest = digests[i];
      disk::ConvertResult made = disk::convert(request, progress_, stop_);
      result_.findings.insert(result_.findings.end(), made.findings.begin(), made.findings.end());
      result_.disks[disk.target] = std::move(made);
    }
    for (const CopyPlan &copy : plan_.copies) {
      check_stop();
      (void)disk::convert(request_for(copy, plan_, staging.place(copy.target)), progress_, stop_);
    }
    for (const FirmwarePlan *store : stores(plan_)) {
      const firmware::CarryResult carried = firmware::carry_variables(
          store->variables, store->target.descriptor.nvram_template, staging.place(store->target.nvram));
      result_.findings.insert(result_.findings.end(), carried.findings.begin(), carried.findings.end());
    }
    file::write_new(staging.place(plan_.name + ".xml"), plan_.domain_xml);
    check_stop();
    publish(staging);
  }

  void publish(const Staging &staging) {
    std::vector<fs::path> published;
    try {
      for (const fs::path &file : plan_.files) {
        const bool replaces = options_.overwrite && fs::exists(fs::symlink_status(file));
        const fs::path made = staging.place(file);
        journal_.publish(published_file(made, file, replaces));
        publish_file(made, file, options_.overwrite);
        if (replaces) {
          replaced_ = true;
        } else {
          published.push_back(file);
        }
      }
    } catch (const Error &) {
      std::error_code ignored;
      for (const fs::path &file : published) fs::remove(file, ignored);
      throw;
    }
    file::sync_folder(plan_.dest);
  }

  void define() {
    if (connection_ == nullptr) return;
    if (options_.overwrite && connection_->has_domain(plan_.name)) connection_->undefine(plan_.name, false);
    place_tpm_state();
    journal_.define(plan_.name, plan_.domain_uuid.text());
    connection_->define(plan_.domain_xml);
    result_.defined = true;
    for (const SnapshotPlan &snapshot : plan_.snapshots)
      connection_->redefine_snapshot(plan_.name, snapshot.xml, snapshot.current);
    connection_->refresh_pool(plan_.dest);
  }

  // libvirt keeps a session's TPM state below the user's configuration and does not touch what is there (measured with
  // libvirt 9.0).
  void place_tpm_state() {
    if (plan_.tpm_state.empty()) return;
    const fs::path folder = folders::config_home() / "libvirt/qemu/swtpm" / plan_.domain_uuid.text();
    journal_.state(folder / "tpm2/tpm2-00.permall");
    firmware::write_swtpm_state(plan_.tpm_state, folder);
  }

  void start() {
    if (!options_.start || !result_.defined) return;
    journal_.start();
    connection_->start(plan_.name);
    result_.started = true;
  }

  void end() {
    const bool whole = !result_.libvirt_error && (!options_.define || result_.defined);
    if (whole) {
      journal_.done();
    } else {
      journal_.kept();
    }
  }

  void check_stop() const { refuse_when_stopped(machine().source.file, stop_); }

  void next_steps() {
    const std::string virsh = "virsh -c " + shell_quoted(options_.connect) + " ";
    if (!result_.defined)
      result_.next_steps.push_back(virsh + "define " + shell_quoted((plan_.dest / (plan_.name + ".xml")).string()));
    if (!result_.started) result_.next_steps.push_back(virsh + "start " + shell_quoted(plan_.name));
    // undo without --force keeps what a guest has written to; one that has been started will have.
    result_.next_steps.push_back("virt-ferry undo " + result_.run +
                                 (result_.started ? " --force    # takes it all back, also what the guest has written"
                                                  : "    # takes it all back"));
  }

  static std::string shell_quoted(const std::string &text) {
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=+@%,";
    if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
    return out + "'";
  }

  const MachinePlan &plan_;
  const Options &options_;
  libvirt::Connection *connection_;
  Progress *progress_;
  const std::stop_token &stop_;
  Journal journal_;
  RunResult result_;
  bool replaced_ = false;  // a file that stood at a target before is gone
};

}  // namespace

RunResult run_plan(const MachinePlan &plan, const Options &options, libvirt::Connection *connection, Progress *progress,
                   const std::stop_token &stop) {
  refuse_when_stopped(plan.imported.machine.source.file, stop);
  preflight(plan, options);
  if (connection != nullptr && options.overwrite) refuse_running(*connection, plan.name);
  return Run(plan, options, connection, progress, stop).execute();
}

}  // namespace ferry::migration
