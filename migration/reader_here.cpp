// SPDX-License-Identifier: Apache-2.0
// Reading in this process: what a worker does, and what is done where there are none.
#include <utility>

#include "converters/guest/look.hpp"
#include "converters/images/cache.hpp"
#include "converters/images/foreign.hpp"
#include "converters/images/qcow2_look.hpp"
#include "converters/serve/clients.hpp"
#include "converters/verify/served_image.hpp"
#include "importers/vagrant/box.hpp"
#include "importers/vagrant/vagrant.hpp"
#include "migration/newer_state.hpp"
#include "migration/outside.hpp"
#include "migration/reader.hpp"

namespace ferry::migration {
namespace {

// What qemu-img converts is read here for the look alone.
image::Chain opened_to_look(const Medium &medium, const image::OpenOptions &options) {
  const bool foreign = medium.chain.size() == 1 && !medium.chain.front().blank &&
                       image::needs_qemu_img(image::detect_format(medium.chain.front(), options));
  return foreign ? image::open_qcow2_to_look(medium.chain.front(), options) : image::open_chain(medium, options);
}

class ReaderHere final : public Reader {
 public:
  ReaderHere(FoundSource source, Options options, std::string why)
      : source_(std::move(source)), options_(std::move(options)), why_(std::move(why)) {}

  [[nodiscard]] std::string why_here() const override { return why_; }

  std::vector<ReadMachine> import(Newer newer) override {
    std::vector<ReadMachine> out;
    for (ImportedMachine &imported : import_source(source_, import_options(options_, source_.file))) {
      take_raw_images(imported.machine, options_);
      ReadMachine machine = read_further(std::move(imported), options_, newer);
      machine.number = out.size();
      packages_.push_back(machine.imported.package);
      know_package(machine.imported);
      out.push_back(std::move(machine));
    }
    return out;
  }

  std::vector<MediumLook> look(const std::vector<Medium> &media, const image::OpenOptions &open,
                               disk::Engine engine) override {
    std::vector<MediumLook> out;
    const image::OpenOptions options = cached(open);
    for (const Medium &medium : media) {
      try {
        out.push_back({disk::inspect(medium, options, engine), std::nullopt});
      } catch (const Error &error) {
        out.push_back({std::nullopt, Failure{error.kind(), error.detail()}});
      }
    }
    return out;
  }

  firmware::NvramContents read_nvram(const firmware::NvramSource &source) override {
    return firmware::read_nvram(source, cache_.get());
  }

  firmware::TpmContents read_tpm(const std::filesystem::path &file, firmware::TpmKind kind) override {
    return firmware::read_swtpm_state(file, kind);
  }

  void verify_members(std::size_t machine, const std::vector<ovf::ManifestEntry> &entries,
                      const std::stop_token &stop) override {
    if (machine >= packages_.size())
      throw Error(ErrorKind::internal, {.message = "a package is asked for that was not read"});
    ImportedMachine holder;
    holder.package = packages_[machine];
    ovf::verify_members(ovf::package_of(holder), entries, stop);
  }

  std::vector<file_users::VmwareLock> read_locks(const std::vector<std::filesystem::path> &locks) override {
    std::vector<file_users::VmwareLock> out;
    for (const std::filesystem::path &lock : locks) {
      for (file_users::VmwareLock &held : file_users::vmware_locks(lock)) out.push_back(std::move(held));
    }
    return out;
  }

  Observed look_inside(const std::vector<DiskToSee> &disks, const image::OpenOptions &open) override {
    const image::OpenOptions options = cached(open);
    std::vector<std::unique_ptr<const image::Chain>> chains;
    guest::Look look;
    for (const DiskToSee &disk : disks) {
      try {
        chains.push_back(std::make_unique<const image::Chain>(opened_to_look(disk.medium, options)));
        look.add(disk.number, *chains.back());
      } catch (const Error &error) {
        look.add_problem(disk.number, error.detail().message);
      }
    }
    return look.done();
  }

  Observed look_inside(const std::vector<std::size_t> &numbers, std::vector<file::Descriptor> connections) override {
    if (numbers.size() != connections.size())
      throw Error(ErrorKind::internal, {.message = "a disk is to be looked into that nobody serves"});
    std::vector<std::unique_ptr<const image::Chain>> chains;
    guest::Look look;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      try {
        chains.push_back(std::make_unique<const image::Chain>(
            std::vector<std::shared_ptr<const image::Image>>{verify::served_image(std::move(connections[i]))}));
        look.add(numbers[i], *chains.back());
      } catch (const Error &error) {
        look.add_problem(numbers[i], error.detail().message);
      }
    }
    return look.done();
  }

  void serve(const std::vector<DiskToServe> &disks, const image::OpenOptions &open) override {
    const image::OpenOptions options = cached(open);
    std::vector<serve::Export> exports;
    for (const DiskToServe &disk : disks)
      exports.push_back({disk.name, std::make_shared<const image::Chain>(image::open_chain(disk.medium, options))});
    clients_ = std::make_unique<serve::Clients>(std::move(exports));
  }
  void take_client(file::Descriptor connection) override {
    if (!clients_) throw Error(ErrorKind::internal, {.message = "a client came where nothing is served"});
    if (clients_->take(std::move(connection))) return;
    throw Error(ErrorKind::conflict, {.message = "there are too many clients already"});
  }
  Serving serving() override {
    if (!clients_) return {};
    return {clients_->count(), clients_->account().bytes(), clients_->account().last_problem()};
  }

  disk::DiskInfo inspect(const Medium &medium, const image::OpenOptions &open, disk::Engine engine) override {
    return images_->inspect(medium, cached(open), engine);
  }
  disk::Engine engine_for(const Medium &medium, const image::OpenOptions &open, disk::Engine wanted) override {
    return images_->engine_for(medium, cached(open), wanted);
  }
  disk::QemuSource for_qemu(const Medium &medium, const image::OpenOptions &open, bool with_force_size) override {
    return images_->for_qemu(medium, cached(open), with_force_size);
  }
  std::vector<std::uint8_t> zeros(const Medium &medium, const image::OpenOptions &open, std::uint32_t unit) override {
    return images_->zeros(medium, cached(open), unit);
  }
  disk::ConvertResult fill(const disk::ConvertRequest &request, copy::TargetFile &target, Progress *progress,
                           const std::stop_token &stop) override {
    disk::ConvertRequest with_cache = request;
    with_cache.open = cached(request.open);
    return images_->fill(with_cache, target, progress, stop);
  }
  std::string compare(const disk::Comparison &comparison, std::vector<file::Descriptor> connections, Progress *progress,
                      const std::stop_token &stop) override {
    disk::Comparison with_cache = comparison;
    with_cache.open = cached(comparison.open);
    return images_->compare(with_cache, std::move(connections), progress, stop);
  }

 private:
  // What the import has found of an archive that the images lie in.
  void know_package(const ImportedMachine &imported) {
    if (const vagrant::Box *box = vagrant::box_of(imported)) {
      if (box->index()) cache_->know_index(source_.file, box->index());
      archive_ = std::make_shared<const image::Archive>(image::Archive{box->is_gzip(), box->members()});
    } else if (imported.machine.source.kind == SourceKind::ovf && imported.package) {
      cache_->know_index(source_.file, ovf::index_of(ovf::package_of(imported)));
    }
  }

  [[nodiscard]] image::OpenOptions cached(image::OpenOptions open) const {
    open.archive = archive_;
    open.cache = cache_;
    return open;
  }

  FoundSource source_;
  Options options_;
  std::string why_;
  std::shared_ptr<image::Cache> cache_ = std::make_shared<image::Cache>();  // the machines of one package share it
  std::shared_ptr<disk::SourceReader> images_ = disk::read_here();
  std::shared_ptr<const image::Archive> archive_;               // of a box
  std::vector<std::shared_ptr<const SourcePackage>> packages_;  // by the machine's number
  std::unique_ptr<serve::Clients> clients_;                     // of what is served
};

}  // namespace

ReadMachine read_further(ImportedMachine imported, const Options &options, Newer newer) {
  ReadMachine out{.imported = std::move(imported), .manifest = {}, .failure = {}};
  try {
    if (newer == Newer::look) look_for_newer_state(out.imported, options);
    if (out.imported.machine.source.kind == SourceKind::ovf && out.imported.package)
      out.manifest = ovf::manifest(ovf::package_of(out.imported));
  } catch (const Error &error) {
    out.failure = Failure{error.kind(), error.detail()};
  }
  return out;
}

std::shared_ptr<Reader> reader_here(const FoundSource &source, const Options &options, std::string why) {
  return std::make_shared<ReaderHere>(source, options, std::move(why));
}

}  // namespace ferry::migration
