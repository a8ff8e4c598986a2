// SPDX-License-Identifier: Apache-2.0
// The messages between the program and its workers: a letter that says what it is, and a value in the exact form
// (model/exact_form.hpp), which is checked member by member when it is read. Private to migration/reader*.
#pragma once

#include <string>
#include <vector>

#include "migration/reader.hpp"
#include "model/exact_form.hpp"

namespace ferry::migration {

enum class Ask : char {
  find = 'f',            // a path: FoundSource
  below = 'b',           // a path: BelowAnswer
  import = 'i',          // ImportQuestion: the ReadMachines
  look = 'l',            // LookQuestion: the MediumLooks
  engine = 'g',          // LookQuestion: EngineAnswer
  for_qemu = 'q',        // LookQuestion: disk::QemuSource
  nvram = 'n',           // firmware::NvramSource: firmware::NvramContents
  tpm = 'p',             // TpmQuestion: firmware::TpmContents
  detect = 't',          // a path: DetectAnswer
  registered = 'r',      // a path: RegisteredAnswer
  inside = 'o',          // InsideQuestion: Observed
  served = 'h',          // numbers of disks, and connections: Observed
  locks = 'k',           // paths: file_users::VmwareLocks
  verify_members = 'v',  // MembersQuestion: nothing
  fill = 'c',            // FillQuestion, and the target: disk::ConvertResult
  compare = 'd',         // CompareQuestion, and connections: a text
  zeros = 'z',           // ZerosQuestion: bytes
  serve = 'e',           // ServeQuestion: nothing
  client = 'a',          // nothing, and a connection: nothing
  serving = 'w',         // nothing: Serving
  stop = 's',            // what is being done
  connection = 'y',      // the answer to Say::connect: two descriptors, or a text: why there are none; to Say::zeros:
                         // one, or none
};
enum class Say : char {
  answer = 'a',
  failure = 'e',    // Failure
  refused = 'o',    // a text: the operating system's refusal that nobody expected
  defect = 'x',     // a text: an exception that nobody expected
  no_memory = 'm',  // nothing
  begin = 'b',      // StepBegins: Progress
  advance = '+',    // a number
  end = '.',        // nothing
  connect = 'y',    // a host: a connection to it is wanted (hosts/known_hosts.hpp)
  zeros = 'z',      // a file on a host that it has a connection to: where its zeros are is wanted (hosts/zero_map.hpp)
};

struct OpenValues {  // image::OpenOptions
  std::vector<std::filesystem::path> allowed_folders, allowed, trees;
  std::filesystem::path folder;
  std::optional<std::vector<std::filesystem::path>> registered;
  names::Places places;
  std::vector<ImageFile> known_images;
  bool allow_modified_parent = false;
};
struct ImportQuestion {
  FoundSource source;
  Options options;  // those that reading takes
  std::vector<std::filesystem::path> registered;
  bool newer = true;
};
struct TpmQuestion {
  std::filesystem::path file;
  bool old = false;  // of a TPM 1.2
};
struct LookQuestion {
  std::vector<Medium> media;
  OpenValues open;
  disk::Engine engine{};
  bool with_force_size = false;
};
struct InsideQuestion {
  std::vector<DiskToSee> disks;
  OpenValues open;
  bool alone = false;  // the process does nothing else
};
struct MembersQuestion {
  std::size_t machine = 0;
  std::vector<ovf::ManifestEntry> entries;
};
struct FillQuestion {
  disk::ConvertRequest request;
  OpenValues open;
};
struct CompareQuestion {
  disk::Comparison comparison;
  OpenValues open;
};
struct ZerosQuestion {
  Medium medium;
  OpenValues open;
  std::uint32_t unit = 0;  // bytes
};
struct ServeQuestion {
  std::vector<DiskToServe> disks;
  OpenValues open;
};
struct ServedSource {  // kept in a journal
  FoundSource source;
  Options options;
  ServeQuestion disks;
};
struct EngineAnswer {
  disk::Engine engine{};
};
struct BelowAnswer {
  std::vector<FoundSource> sources;
  std::vector<Failure> unreadable;
};
struct DetectAnswer {
  std::optional<SourceKind> kind;
};
struct RegisteredAnswer {
  std::vector<RegisteredMachine> machines;
  std::vector<Failure> unreadable;
};
struct StepBegins {
  std::string step;
  std::uint64_t total = 0;
};

[[nodiscard]] OpenValues values_of(const image::OpenOptions &open);
[[nodiscard]] image::OpenOptions options_of(const OpenValues &values);
[[nodiscard]] Failure failure_of(const Error &error);

}  // namespace ferry::migration

namespace ferry {

template <>
struct Members<ErrorDetail> {
  static constexpr std::tuple kAll{Member{"where", &ErrorDetail::where}, Member{"message", &ErrorDetail::message},
                                   Member{"found", &ErrorDetail::found}, Member{"expected", &ErrorDetail::expected},
                                   Member{"advice", &ErrorDetail::advice}};
};
template <>
struct Members<migration::Failure> {
  static constexpr std::tuple kAll{Member{"kind", &migration::Failure::kind},
                                   Member{"detail", &migration::Failure::detail}};
};
template <>
struct Members<migration::FoundSource> {
  static constexpr std::tuple kAll{Member{"kind", &migration::FoundSource::kind},
                                   Member{"file", &migration::FoundSource::file}};
};
template <>
struct Members<migration::BelowAnswer> {
  static constexpr std::tuple kAll{Member{"sources", &migration::BelowAnswer::sources},
                                   Member{"unreadable", &migration::BelowAnswer::unreadable}};
};
template <>
struct Members<migration::DetectAnswer> {
  static constexpr std::tuple kAll{Member{"kind", &migration::DetectAnswer::kind}};
};
template <>
struct Members<migration::RegisteredMachine> {
  using Machine = migration::RegisteredMachine;
  static constexpr std::tuple kAll{Member{"name", &Machine::name}, Member{"kind", &Machine::kind},
                                   Member{"file", &Machine::file}, Member{"exists", &Machine::exists}};
};
template <>
struct Members<migration::RegisteredAnswer> {
  static constexpr std::tuple kAll{Member{"machines", &migration::RegisteredAnswer::machines},
                                   Member{"unreadable", &migration::RegisteredAnswer::unreadable}};
};
template <>
struct Members<file_users::VmwareLock> {
  static constexpr std::tuple kAll{Member{"file", &file_users::VmwareLock::file},
                                   Member{"pid", &file_users::VmwareLock::pid},
                                   Member{"machine", &file_users::VmwareLock::machine}};
};
template <>
struct Members<ovf::ManifestEntry> {
  static constexpr std::tuple kAll{
      Member{"member", &ovf::ManifestEntry::member},         Member{"algorithm", &ovf::ManifestEntry::algorithm},
      Member{"digest", &ovf::ManifestEntry::digest},         Member{"range", &ovf::ManifestEntry::range},
      Member{"gzip_outer", &ovf::ManifestEntry::gzip_outer}, Member{"where", &ovf::ManifestEntry::where}};
};
template <>
struct Members<migration::ReadMachine> {
  static constexpr std::tuple kAll{
      Member{"imported", &migration::ReadMachine::imported}, Member{"manifest", &migration::ReadMachine::manifest},
      Member{"failure", &migration::ReadMachine::failure}, Member{"number", &migration::ReadMachine::number}};
};
template <>
struct Members<image::ImageInfo> {
  using Info = image::ImageInfo;
  static constexpr std::tuple kAll{Member{"file", &Info::file},
                                   Member{"format", &Info::format},
                                   Member{"variant", &Info::variant},
                                   Member{"virtual_size", &Info::virtual_size},
                                   Member{"allocated", &Info::allocated},
                                   Member{"file_size", &Info::file_size},
                                   Member{"block_size", &Info::block_size},
                                   Member{"uuid", &Info::uuid},
                                   Member{"parent_uuid", &Info::parent_uuid},
                                   Member{"has_parent", &Info::has_parent},
                                   Member{"parent_hint", &Info::parent_hint},
                                   Member{"findings", &Info::findings}};
};
template <>
struct Members<disk::Engine> {
  static constexpr disk::Engine kLast = disk::Engine::qemu_img;
};
template <>
struct Members<disk::Mode> {
  static constexpr disk::Mode kLast = disk::Mode::link;
};
template <>
struct Members<disk::TargetFormat> {
  static constexpr disk::TargetFormat kLast = disk::TargetFormat::raw;
};
template <>
struct Members<disk::Compression> {
  static constexpr disk::Compression kLast = disk::Compression::zstd;
};
template <>
struct Members<firmware::NvramKind> {
  static constexpr firmware::NvramKind kLast = firmware::NvramKind::vmware;
};
template <>
struct Members<disk::DiskInfo> {
  using Info = disk::DiskInfo;
  static constexpr std::tuple kAll{Member{"chain", &Info::chain},         Member{"virtual_size", &Info::virtual_size},
                                   Member{"allocated", &Info::allocated}, Member{"scratch", &Info::scratch},
                                   Member{"engine", &Info::engine},       Member{"files", &Info::files},
                                   Member{"findings", &Info::findings}};
};
template <>
struct Members<migration::MediumLook> {
  static constexpr std::tuple kAll{Member{"info", &migration::MediumLook::info},
                                   Member{"failure", &migration::MediumLook::failure}};
};
template <>
struct Members<qemu_img::Source> {
  static constexpr std::tuple kAll{Member{"format", &qemu_img::Source::format},
                                   Member{"range", &qemu_img::Source::range},
                                   Member{"extents", &qemu_img::Source::extents}};
};
template <>
struct Members<disk::QemuSource> {
  static constexpr std::tuple kAll{Member{"source", &disk::QemuSource::source}, Member{"info", &disk::QemuSource::info},
                                   Member{"files", &disk::QemuSource::files},
                                   Member{"has_descriptor", &disk::QemuSource::has_descriptor},
                                   Member{"packed", &disk::QemuSource::packed}};
};
template <>
struct Members<firmware::Variable> {
  using Variable = firmware::Variable;
  static constexpr std::tuple kAll{Member{"name", &Variable::name}, Member{"guid", &Variable::guid},
                                   Member{"attributes", &Variable::attributes},
                                   Member{"timestamp", &Variable::timestamp}, Member{"data", &Variable::data}};
};
template <>
struct Members<firmware::TpmContents> {
  static constexpr std::tuple kAll{Member{"state", &firmware::TpmContents::state},
                                   Member{"problem", &firmware::TpmContents::problem}};
};
template <>
struct Members<migration::TpmQuestion> {
  static constexpr std::tuple kAll{Member{"file", &migration::TpmQuestion::file},
                                   Member{"old", &migration::TpmQuestion::old}};
};
template <>
struct Members<firmware::NvramContents> {
  using Contents = firmware::NvramContents;
  static constexpr std::tuple kAll{Member{"kind", &Contents::kind}, Member{"where", &Contents::where},
                                   Member{"variables", &Contents::variables}, Member{"tpm", &Contents::tpm},
                                   Member{"findings", &Contents::findings}};
};
template <>
struct Members<firmware::NvramSource> {
  static constexpr std::tuple kAll{Member{"range", &firmware::NvramSource::range},
                                   Member{"encrypted", &firmware::NvramSource::encrypted},
                                   Member{"gzip", &firmware::NvramSource::gzip}};
};
template <>
struct Members<names::Places> {
  static constexpr std::tuple kAll{Member{"search", &names::Places::search}, Member{"drives", &names::Places::drives}};
};
template <>
struct Members<migration::OpenValues> {
  using Values = migration::OpenValues;
  static constexpr std::tuple kAll{Member{"allowed_folders", &Values::allowed_folders},
                                   Member{"allowed", &Values::allowed},
                                   Member{"trees", &Values::trees},
                                   Member{"folder", &Values::folder},
                                   Member{"registered", &Values::registered},
                                   Member{"places", &Values::places},
                                   Member{"known_images", &Values::known_images},
                                   Member{"allow_modified_parent", &Values::allow_modified_parent}};
};
template <>
struct Members<migration::Options> {  // those that reading takes
  using Options = migration::Options;
  static constexpr std::tuple kAll{Member{"keep_snapshots", &Options::keep_snapshots},
                                   Member{"skip_unreadable_snapshots", &Options::skip_unreadable_snapshots},
                                   Member{"newest_state", &Options::newest_state},
                                   Member{"keep_disk_changes", &Options::keep_disk_changes},
                                   Member{"allow_modified_parent", &Options::allow_modified_parent},
                                   Member{"ovf_configuration", &Options::ovf_configuration},
                                   Member{"ovf_properties", &Options::ovf_properties},
                                   Member{"search", &Options::search},
                                   Member{"allow_outside", &Options::allow_outside},
                                   Member{"input_raw", &Options::input_raw},
                                   Member{"virtualbox_registry", &Options::virtualbox_registry},
                                   Member{"trees", &Options::trees},
                                   Member{"variables", &Options::variables},
                                   Member{"base", &Options::base},
                                   Member{"machine", &Options::machine}};
};
template <>
struct Members<migration::ImportQuestion> {
  static constexpr std::tuple kAll{
      Member{"source", &migration::ImportQuestion::source}, Member{"options", &migration::ImportQuestion::options},
      Member{"registered", &migration::ImportQuestion::registered}, Member{"newer", &migration::ImportQuestion::newer}};
};
template <>
struct Members<migration::LookQuestion> {
  using Question = migration::LookQuestion;
  static constexpr std::tuple kAll{Member{"media", &Question::media}, Member{"open", &Question::open},
                                   Member{"engine", &Question::engine},
                                   Member{"with_force_size", &Question::with_force_size}};
};
template <>
struct Members<migration::DiskToSee> {
  static constexpr std::tuple kAll{Member{"number", &migration::DiskToSee::number},
                                   Member{"medium", &migration::DiskToSee::medium},
                                   Member{"files", &migration::DiskToSee::files}};
};
template <>
struct Members<migration::InsideQuestion> {
  using Question = migration::InsideQuestion;
  static constexpr std::tuple kAll{Member{"disks", &Question::disks}, Member{"open", &Question::open},
                                   Member{"alone", &Question::alone}};
};
template <>
struct Members<migration::EngineAnswer> {
  static constexpr std::tuple kAll{Member{"engine", &migration::EngineAnswer::engine}};
};
template <>
struct Members<migration::MembersQuestion> {
  static constexpr std::tuple kAll{Member{"machine", &migration::MembersQuestion::machine},
                                   Member{"entries", &migration::MembersQuestion::entries}};
};
template <>
struct Members<disk::SnapshotState> {
  static constexpr std::tuple kAll{Member{"name", &disk::SnapshotState::name},
                                   Member{"created", &disk::SnapshotState::created},
                                   Member{"medium", &disk::SnapshotState::medium}};
};
template <>
struct Members<disk::SourceDigest> {
  static constexpr std::tuple kAll{Member{"algorithm", &disk::SourceDigest::algorithm},
                                   Member{"expected", &disk::SourceDigest::expected},
                                   Member{"where", &disk::SourceDigest::where}};
};
template <>
struct Members<disk::ConvertRequest> {  // `open` goes beside it
  using Request = disk::ConvertRequest;
  static constexpr std::tuple kAll{Member{"medium", &Request::medium},
                                   Member{"snapshots", &Request::snapshots},
                                   Member{"target", &Request::target},
                                   Member{"format", &Request::format},
                                   Member{"engine", &Request::engine},
                                   Member{"mode", &Request::mode},
                                   Member{"compression", &Request::compression},
                                   Member{"cluster_size", &Request::cluster_size},
                                   Member{"threads", &Request::threads},
                                   Member{"durable", &Request::durable},
                                   Member{"source_digest", &Request::source_digest}};
};
template <>
struct Members<migration::FillQuestion> {
  static constexpr std::tuple kAll{Member{"request", &migration::FillQuestion::request},
                                   Member{"open", &migration::FillQuestion::open}};
};
template <>
struct Members<disk::ConvertResult> {
  using Result = disk::ConvertResult;
  static constexpr std::tuple kAll{Member{"engine", &Result::engine},
                                   Member{"mode", &Result::mode},
                                   Member{"virtual_size", &Result::virtual_size},
                                   Member{"bytes_written", &Result::bytes_written},
                                   Member{"bytes_shared", &Result::bytes_shared},
                                   Member{"sha256", &Result::sha256},
                                   Member{"source_digest", &Result::source_digest},
                                   Member{"findings", &Result::findings}};
};
template <>
struct Members<disk::Comparison> {  // `open` goes beside it
  using Comparison = disk::Comparison;
  static constexpr std::tuple kAll{
      Member{"target", &Comparison::target},     Member{"snapshot", &Comparison::snapshot},
      Member{"expected", &Comparison::expected}, Member{"virtual_size", &Comparison::virtual_size},
      Member{"digest", &Comparison::digest},     Member{"threads", &Comparison::threads}};
};
template <>
struct Members<migration::CompareQuestion> {
  static constexpr std::tuple kAll{Member{"comparison", &migration::CompareQuestion::comparison},
                                   Member{"open", &migration::CompareQuestion::open}};
};
template <>
struct Members<migration::ZerosQuestion> {
  static constexpr std::tuple kAll{Member{"medium", &migration::ZerosQuestion::medium},
                                   Member{"open", &migration::ZerosQuestion::open},
                                   Member{"unit", &migration::ZerosQuestion::unit}};
};
template <>
struct Members<migration::DiskToServe> {
  static constexpr std::tuple kAll{Member{"name", &migration::DiskToServe::name},
                                   Member{"medium", &migration::DiskToServe::medium}};
};
template <>
struct Members<migration::ServeQuestion> {
  static constexpr std::tuple kAll{Member{"disks", &migration::ServeQuestion::disks},
                                   Member{"open", &migration::ServeQuestion::open}};
};
template <>
struct Members<migration::ServedSource> {
  static constexpr std::tuple kAll{Member{"source", &migration::ServedSource::source},
                                   Member{"options", &migration::ServedSource::options},
                                   Member{"disks", &migration::ServedSource::disks}};
};
template <>
struct Members<migration::Serving> {
  static constexpr std::tuple kAll{Member{"clients", &migration::Serving::clients},
                                   Member{"bytes", &migration::Serving::bytes},
                                   Member{"problem", &migration::Serving::problem}};
};
template <>
struct Members<migration::StepBegins> {
  static constexpr std::tuple kAll{Member{"step", &migration::StepBegins::step},
                                   Member{"total", &migration::StepBegins::total}};
};

}  // namespace ferry
