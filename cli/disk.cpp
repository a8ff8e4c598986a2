// SPDX-License-Identifier: Apache-2.0
#include "converters/disk.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/interrupts.hpp"
#include "cli/machine_options.hpp"
#include "cli/output.hpp"
#include "cli/progress_display.hpp"
#include "migration/in_use.hpp"
#include "migration/option_values.hpp"
#include "migration/reader.hpp"
#include "migration/remote_source.hpp"
#include "migration/source_files.hpp"
#include "model/json.hpp"
#include "model/names.hpp"

#include "support/file_names.hpp"
#include "support/text.hpp"

namespace ferry::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kInfoSchema = "virt-ferry-disk/1";

struct DiskCommand {
  std::string source, target;
  std::string input_format, target_format, progress = "auto";
  std::vector<std::string> search;
  bool overwrite = false;
  unsigned jobs = 0;
  migration::Options options;  // engine, mode, compression, cluster size, verify
  OutputOptions output;
};

// Throws Error usage when it is not there.
void find_image(DiskCommand &command) {
  migration::refuse_remote(command.source, "'virt-ferry disk'", "Copy the image to this host, or mount it with sshfs.");
  std::error_code error;
  command.source = names::as_spelt(command.source).string();
  if (fs::exists(command.source, error)) return;
  throw Error(ErrorKind::usage, {.where = {.file = command.source},
                                 .message = "there is no such file",
                                 .expected = "a disk image",
                                 .advice = "Check the name."});
}

Medium medium_of(const DiskCommand &command) {
  ImageFile image;
  image.declared_location = command.source;
  image.origin = {.file = command.source};
  std::error_code error;
  if (fs::exists(command.source, error))
    image.pieces.push_back({fs::absolute(command.source).lexically_normal(), 0, std::nullopt});
  if (command.input_format == "raw") image.declared_format = ImageFormat::raw;
  Medium medium;
  medium.chain.push_back(std::move(image));
  medium.origin = {.file = command.source};
  return medium;
}

// A snapshot's image lies in a folder below its base's; --search names further ones.
image::OpenOptions open_options(const DiskCommand &command) {
  image::OpenOptions open;
  const fs::path folder = fs::absolute(command.source).lexically_normal().parent_path();
  open.allowed_folders = {folder, folder.parent_path()};
  open.allow_modified_parent = command.options.allow_modified_parent;
  for (const std::string &more : command.search) open.allowed_folders.push_back(fs::absolute(more));
  return open;
}

std::string format_of(const image::ImageInfo &image) {
  return std::string(to_string(image.format)) + (image.variant.empty() ? "" : " " + image.variant);
}

std::string finding_line(const Finding &finding) {
  return std::string(to_string(finding.severity)) + ": " + text::printable(finding.message) + "\n";
}

std::string info_text(const disk::DiskInfo &info) {
  std::string out =
      "virtual size  " + text::human_bytes(info.virtual_size) + " (" + std::to_string(info.virtual_size) + " bytes)\n";
  out += "data          " + text::human_bytes(info.allocated) + "\n";
  out += std::string("read by       ") + (info.engine == disk::Engine::qemu_img ? "qemu-img" : "virt-ferry") +
         "\nchain, base first\n";
  for (const image::ImageInfo &image : info.chain) {
    out += "  " + text::printable(image.file.string()) + "\n    " + format_of(image) + ", " +
           text::human_bytes(image.virtual_size) + ", " + text::human_bytes(image.allocated) + " of data, file of " +
           text::human_bytes(image.file_size);
    if (image.uuid) out += ", uuid " + image.uuid->text();
    out += "\n";
  }
  for (const Finding &finding : info.findings) out += finding_line(finding);
  return out;
}

std::string info_json(const disk::DiskInfo &info) {
  Json chain = Json::array();
  for (const image::ImageInfo &image : info.chain) {
    Json one{{"file", image.file.string()},  {"format", std::string(to_string(image.format))},
             {"variant", image.variant},     {"virtual_size", image.virtual_size},
             {"allocated", image.allocated}, {"file_size", image.file_size}};
    if (image.block_size > 0) one["block_size"] = image.block_size;
    if (image.uuid) one["uuid"] = image.uuid->text();
    if (image.parent_uuid) one["parent_uuid"] = image.parent_uuid->text();
    chain.push_back(std::move(one));
  }
  Json out{{"schema", kInfoSchema},
           {"virtual_size", info.virtual_size},
           {"allocated", info.allocated},
           {"engine", info.engine == disk::Engine::qemu_img ? "qemu-img" : "native"},
           {"chain", chain}};
  out["findings"] = Json::array();
  for (const Finding &finding : info.findings) out["findings"].push_back(to_json(finding));
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::shared_ptr<migration::Reader> reader_of(const DiskCommand &command) {
  return migration::reader_of_images(fs::absolute(command.source).lexically_normal(), open_options(command));
}

// Whether `target` is a file that the disk is read from: the image, a parent, an extent, under any name.
bool is_source(const fs::path &target, const DiskCommand &command, migration::Reader &reader) {
  std::error_code failed;
  if (fs::equivalent(target, command.source, failed)) return true;
  try {
    const disk::DiskInfo info = reader.inspect(medium_of(command), open_options(command), disk::Engine::native);
    return std::ranges::any_of(info.files, [&](const fs::path &file) { return fs::equivalent(target, file, failed); });
  } catch (const Error &) {
    return false;  // qemu-img reads it, which stands alone; or the conversion will say what is wrong
  }
}

// Throws unless an image can be made at `target` without harm.
void check_target(const DiskCommand &command, const fs::path &target, migration::Reader &reader) {
  const Place where{.file = target};
  if (command.target == "-") {
    throw Error(ErrorKind::usage, {.where = {},
                                   .message = "an image cannot be written to standard output",
                                   .found = "-",
                                   .expected = "a file name",
                                   .advice = "Name a file; for one that is called '-', write './-'."});
  }
  std::error_code failed;
  if (!fs::is_directory(target.parent_path(), failed)) {
    throw Error(ErrorKind::usage, {.where = where,
                                   .message = "the folder '" + target.parent_path().string() + "' does not exist",
                                   .found = {},
                                   .expected = "a folder for the new image",
                                   .advice = "Create it first with mkdir -p."});
  }
  const fs::file_status status = fs::symlink_status(target);
  if (!fs::exists(status)) return;
  if (!command.overwrite) {
    throw Error(ErrorKind::conflict,
                {.where = where, .message = "the target already exists", .advice = "Replace it with --overwrite."});
  }
  if (!fs::is_regular_file(status)) {
    throw Error(ErrorKind::unsafe, {.where = where,
                                    .message = "the target is not a regular file and is not replaced",
                                    .found = fs::is_symlink(status)     ? "a symbolic link"
                                             : fs::is_directory(status) ? "a folder"
                                                                        : "a device, FIFO or socket",
                                    .expected = "a regular file, or none",
                                    .advice = "Choose another name."});
  }
  if (is_source(target, command, reader)) {
    throw Error(ErrorKind::conflict, {.where = where,
                                      .message = "the target is a file that the disk is read from",
                                      .found = {},
                                      .expected = "another file: a source is never replaced",
                                      .advice = "Choose another name."});
  }
}

// What the target's name says of its format; nullopt: nothing. "img" is raw to most, but some give it to qcow2 too.
std::optional<std::string> format_by_name(const fs::path &target) {
  static const std::map<std::string, std::string> kFormats{
      {".qcow2", "qcow2"}, {".raw", "raw"},   {".dd", "raw"},  {".vdi", "VDI"},   {".vmdk", "VMDK"},
      {".vhd", "VHD"},     {".vhdx", "VHDX"}, {".qed", "QED"}, {".qcow", "qcow"}, {".iso", "a CD"}};
  const auto found = kFormats.find(text::lower_ascii(target.extension().string()));
  return found == kFormats.end() ? std::nullopt : std::optional(found->second);
}

// A file whose name says one format and whose content is another misleads whoever opens it next.
disk::TargetFormat target_format(const DiskCommand &command) {
  const std::string extension = text::lower_ascii(fs::path(command.target).extension().string());
  const auto named = format_by_name(command.target);
  const std::string usual = extension == ".img" ? "raw" : "qcow2";
  const std::string format = !command.target_format.empty() ? command.target_format : named.value_or(usual);
  if ((named && *named != format) || (format != "raw" && format != "qcow2")) {
    throw Error(ErrorKind::usage,
                {.where = {.file = command.target},
                 .message = "the target's name says another format than the one that it would have",
                 .found = "\"" + extension + "\", which is " + *named,
                 .expected = command.target_format.empty() ? "qcow2 or raw" : command.target_format,
                 .advice = "Name the target .qcow2 or .raw, or give the --format that its name says."});
  }
  return format == "raw" ? disk::TargetFormat::raw : disk::TargetFormat::qcow2;
}

// As a machine of which nothing is known but its disk.
std::vector<Finding> refuse_in_use(const DiskCommand &command, const std::vector<fs::path> &files,
                                   migration::Reader &reader) {
  Machine machine;
  machine.source.kind = SourceKind::qemu;
  machine.source.file = fs::absolute(command.source).lexically_normal();
  return migration::refuse_in_use(machine, command.options, reader, {files.begin(), files.end()});
}

int convert(const DiskCommand &command, const std::stop_token &stop) {
  if (command.options.mode == disk::Mode::link) {
    throw Error(ErrorKind::usage, {.where = {.file = {}, .line = {}, .path = "--disk-mode"},
                                   .message = "an image that is used where it is needs no conversion",
                                   .found = "link",
                                   .expected = "auto, copy, share or overlay",
                                   .advice = "Use 'overlay' for an image that only contains what changes."});
  }
  disk::ConvertRequest request;
  request.medium = medium_of(command);
  request.target = fs::absolute(command.target);
  request.engine = command.options.engine;
  request.mode = command.options.mode;
  request.compression = command.options.compression;
  request.cluster_size = command.options.cluster_size;
  request.verify = command.options.verify;
  request.durable = false;  // a copy like any other: cp and qemu-img do not wait for the disk either
  request.threads = command.jobs;
  request.open = open_options(command);
  const std::shared_ptr<migration::Reader> reader = reader_of(command);
  check_target(command, request.target, *reader);
  request.format = target_format(command);
  request.replace = command.overwrite;
  const std::vector<fs::path> files = reader->inspect(request.medium, request.open, request.engine).files;
  std::vector<Finding> said = refuse_in_use(command, files, *reader);
  if (auto here = migration::uncaged(*reader, command.source)) said.push_back(std::move(*here));
  request.before_publish = [before = migration::as_they_are(files)] { migration::refuse_changed_source(before); };
  const Making making;
  const auto progress = make_progress(command.progress, {.name = fs::path(command.target).filename().string()});
  const disk::ConvertResult result = disk::convert(request, *reader, progress.get(), stop);
  std::string out =
      text::printable(command.target) + ": " + (request.format == disk::TargetFormat::raw ? "raw, " : "qcow2, ") +
      text::human_bytes(result.virtual_size) + ", " + text::human_bytes(result.bytes_written) + " written";
  if (result.bytes_shared > 0) out += ", " + text::human_bytes(result.bytes_shared) + " shared";
  if (result.sha256) out += ", verified, sha256 " + *result.sha256;
  write_output({}, out + "\n");
  said.insert(said.end(), result.findings.begin(), result.findings.end());
  for (const Finding &finding : said) print_beside_progress(finding_line(finding));
  return 0;
}

void add_source(CLI::App &sub, DiskCommand &command) {
  sub.add_option("IMAGE", command.source, "a VDI, VMDK, VHD, VHDX, qcow2 or raw image, also the last one of a chain")
      ->required();
  sub.add_option("--input-format", command.input_format, "raw: take the content as it is")
      ->option_text("raw")
      ->check(CLI::IsMember(std::vector<std::string>{"raw"}).description(""));
  sub.add_option("--search", command.search, "another folder to look in for parents and extents")
      ->option_text("DIR")
      ->allow_extra_args(false)  // one for each --search, or it would take what follows
      ->check(CLI::ExistingDirectory.description(""));
}

void add_shared_option(CLI::App &sub, DiskCommand &command, const char *name) {
  for (const migration::OptionSpec &spec : migration::option_specs()) {
    if (spec.name != name) continue;
    if (spec.value.empty()) {
      sub.add_flag_callback(
          "--" + std::string(name), [&command, name] { migration::apply_option(command.options, name, "true"); },
          std::string(spec.help));
    } else {
      sub.add_option_function<std::string>(
             "--" + std::string(name),
             [&command, name](const std::string &value) { migration::apply_option(command.options, name, value); },
             std::string(spec.help))
          ->option_text(std::string(spec.value));
    }
  }
}

}  // namespace

void setup_disk(CLI::App &app, Context &context) {
  CLI::App *sub = app.add_subcommand("disk", "Inspect or convert a disk image or chain, without a machine.");
  sub->require_subcommand(1);

  auto info = std::make_shared<DiskCommand>();

  context.state.push_back(info);
  CLI::App *info_sub = sub->add_subcommand("info", "Show the chain, formats, sizes and allocation of an image.");
  add_source(*info_sub, *info);
  for (const char *name : {"engine", "allow-modified-parent"}) add_shared_option(*info_sub, *info, name);
  add_output_options(*info_sub, info->output, false);
  info_sub->callback([info, &context] {
    check_output(info->output, {info->source});
    with_refusal(info->output, kInfoSchema, [&info] {
      find_image(*info);
      const auto reader = reader_of(*info);
      disk::DiskInfo found = reader->inspect(medium_of(*info), open_options(*info), info->options.engine);
      if (auto said = migration::uncaged(*reader, info->source)) found.findings.push_back(std::move(*said));
      check_output(info->output, found.files);
      write_output(info->output, info->output.format == "json" ? info_json(found) : info_text(found));
    });
    context.exit_code = 0;
  });

  auto command = std::make_shared<DiskCommand>();

  context.state.push_back(command);
  CLI::App *convert_sub = sub->add_subcommand("convert", "Convert an image or chain to qcow2 or raw.");
  add_source(*convert_sub, *command);
  convert_sub->add_option("TARGET", command->target, "the new image")->required();
  convert_sub->add_option("--format", command->target_format, "qcow2 or raw [as TARGET's suffix says, else qcow2]")
      ->option_text("FORMAT")
      ->check(CLI::IsMember(std::vector<std::string>{"qcow2", "raw"}).description(""));
  convert_sub->add_flag("--overwrite", command->overwrite, "replace an existing target");
  for (const char *name :
       {"engine", "disk-mode", "compress", "cluster-size", "verify", "allow-modified-parent", "allow-in-use"})
    add_shared_option(*convert_sub, *command, name);
  add_jobs_option(*convert_sub, command->jobs, "threads [one for each processor]");
  add_progress_option(*convert_sub, command->progress);
  convert_sub->callback([command, &context] {
    find_image(*command);
    context.exit_code = convert(*command, context.stop);
  });
}

}  // namespace ferry::cli
