// SPDX-License-Identifier: Apache-2.0
// All that reads a source: finding it, importing it, its images' headers and content. It is done in processes that may
// do nothing else (support/worker.hpp), where the host lets us have them, and in this one where not. Nothing beside
// this parses what somebody else may have written.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "converters/firmware/carry.hpp"
#include "converters/firmware/tpm_state.hpp"
#include "converters/source_reader.hpp"
#include "importers/ovf/ovf.hpp"
#include "migration/options.hpp"
#include "migration/registered.hpp"
#include "migration/source.hpp"
#include "model/machine.hpp"
#include "model/observed.hpp"

#include "support/file.hpp"
#include "support/file_users.hpp"

namespace ferry::worker {
class Channel;
}

namespace ferry::migration {

// An Error as a value.
struct Failure {
  ErrorKind kind = ErrorKind::internal;
  ErrorDetail detail;
  [[nodiscard]] Error error() const { return {kind, detail}; }
};

// A machine as it was read.
struct ReadMachine {
  ImportedMachine imported;  // with the newer state of its disks, where Options::newest_state says so
  std::vector<ovf::ManifestEntry> manifest;
  std::optional<Failure> failure;  // what stopped the look at its newer state and manifest
  std::size_t number = 0;          // in its source
};

// What a medium holds, or why it cannot be read.
struct MediumLook {
  std::optional<disk::DiskInfo> info;
  std::optional<Failure> failure;
};

// A disk to look into.
struct DiskToSee {
  std::size_t number = 0;  // of the machine, from 1, in the source's order
  Medium medium;
  std::vector<std::filesystem::path> files;  // that it is read from, as DiskInfo has them
};

// A disk to serve.
struct DiskToServe {
  std::string name;  // of the export
  Medium medium;
};

// What was served so far.
struct Serving {
  std::size_t clients = 0;  // that are connected now
  std::uint64_t bytes = 0;
  std::string problem;  // of the last read that failed; empty: none did
};

// Whether images that continue the attached ones are looked for.
enum class Newer { look, ignore };

// Of one source. Each image of it is opened once for all that is asked.
class Reader : public disk::SourceReader {
 public:
  [[nodiscard]] virtual std::vector<ReadMachine> import(Newer newer) = 0;
  [[nodiscard]] virtual std::vector<MediumLook> look(const std::vector<Medium> &media, const image::OpenOptions &open,
                                                     disk::Engine engine) = 0;
  [[nodiscard]] virtual firmware::NvramContents read_nvram(const firmware::NvramSource &source) = 0;
  [[nodiscard]] virtual firmware::TpmContents read_tpm(const std::filesystem::path &file, firmware::TpmKind kind) = 0;
  // As ovf::verify_members(), of a machine's package.
  virtual void verify_members(std::size_t machine, const std::vector<ovf::ManifestEntry> &entries,
                              const std::stop_token &stop) = 0;
  // What VMware's locks (file_users::vmware_locks) say.
  [[nodiscard]] virtual std::vector<file_users::VmwareLock> read_locks(
      const std::vector<std::filesystem::path> &locks) = 0;
  // Why it reads in this process, which is meant for what this program holds: a clause. Empty where it does not, and
  // where no workers were wanted.
  [[nodiscard]] virtual std::string why_here() const { return {}; }
  // What is on a machine's disks (converters/guest/look.hpp). A disk that cannot be read is a part of the answer; an
  // Error says that nothing was found out.
  [[nodiscard]] virtual Observed look_inside(const std::vector<DiskToSee> &disks, const image::OpenOptions &open) = 0;
  // The same of disks that somebody serves by NBD: `numbers[i]` at the other end of `connections[i]`.
  [[nodiscard]] virtual Observed look_inside(const std::vector<std::size_t> &numbers,
                                             std::vector<file::Descriptor> connections) = 0;
  // Gives back what it holds (a process); what is asked next costs more.
  virtual void rest() {}

  // Opens disks to be served by the NBD protocol (converters/serve), read-only. Throws as look() fails. Once.
  virtual void serve(const std::vector<DiskToServe> &disks, const image::OpenOptions &open) = 0;
  // Speaks with a client over a connected socket, from now on and beside all others. After serve(). Throws conflict
  // when there are too many.
  virtual void take_client(file::Descriptor connection) = 0;
  [[nodiscard]] virtual Serving serving() = 0;
};

// source.read-uncaged (of `shown`; of the platforms' lists), where it was read in this process; else nullopt.
[[nodiscard]] std::optional<Finding> uncaged(const Reader &reader, const std::filesystem::path &shown);
[[nodiscard]] std::optional<Finding> uncaged(const Registered &registered);

// For a source. In a worker where there are any.
[[nodiscard]] std::shared_ptr<Reader> reader_of(const FoundSource &source, const Options &options);
// For single images: `open` says what they may reach.
[[nodiscard]] std::shared_ptr<Reader> reader_of_images(const std::filesystem::path &image,
                                                       const image::OpenOptions &open);
// For what is handed to it: it may open nothing.
[[nodiscard]] std::shared_ptr<Reader> reader_of_connections();
// In this process; `why` is what why_here() says.
[[nodiscard]] std::shared_ptr<Reader> reader_here(const FoundSource &source, const Options &options,
                                                  std::string why = {});
[[nodiscard]] ReadMachine read_further(ImportedMachine imported, const Options &options, Newer newer);

// What serving disks of a source takes, as a text to be kept; and a reader that serves them by it. The latter throws as
// Reader::serve(), and malformed for a text that is no such one.
[[nodiscard]] std::string serving_text(const FoundSource &source, const Options &options,
                                       const std::vector<DiskToServe> &disks, const image::OpenOptions &open);
[[nodiscard]] std::shared_ptr<Reader> reader_of_served(const std::string &text);

// As their namesakes of source.hpp do in this process.
[[nodiscard]] FoundSource find_source_at(const std::filesystem::path &path);
[[nodiscard]] FoundBelow find_below(const std::filesystem::path &folder);
// `head`, when it is not null, is set as FoundSource has it.
[[nodiscard]] std::optional<SourceKind> detect_source_at(const std::filesystem::path &file,
                                                         std::shared_ptr<const file::Head> *head = nullptr);

// The same in a worker where there are any.
[[nodiscard]] FoundSource find_source_in_worker(const std::filesystem::path &path);
[[nodiscard]] FoundBelow find_below_in_worker(const std::filesystem::path &folder);
[[nodiscard]] std::optional<SourceKind> detect_in_worker(const std::filesystem::path &file);
[[nodiscard]] Registered registered_in_worker(const std::filesystem::path &windows_root);

// What the cages of workers lack on this host, each a sentence without a full stop; it is tried out. Empty where they
// are whole.
[[nodiscard]] std::vector<std::string> lacking_cages();

// What a worker does: for worker::begin().
void serve_reader(worker::Channel &channel);

}  // namespace ferry::migration
