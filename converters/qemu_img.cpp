// SPDX-License-Identifier: Apache-2.0
// Calling qemu-img: queries whose JSON answers are read here, and writing programs whose target gets its name last.
#include "converters/qemu_img.hpp"

#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <system_error>

#include "support/error.hpp"
#include "support/subprocess.hpp"
#include "support/text.hpp"

namespace ferry::qemu_img {

namespace {

using Json = nlohmann::json;
using Arguments = std::vector<std::string>;

// Coroutines that read ahead: qemu-img's maximum is 16. With out-of-order writes (-W) two to three times faster than
// the default on sparse sources.
constexpr auto kParallelRequests = "16";

Error not_installed(const Context &context) {
  return Error(
      ErrorKind::missing,
      {.message = "the program " + context.program + " is not installed",
       .advice =
           "Install it (package qemu-utils on Debian and Ubuntu, qemu-img on Fedora and openSUSE) and try again."});
}

std::string without_prefix(std::string_view errors) {
  errors = text::trim(errors);
  constexpr std::string_view kPrefix = "qemu-img: ";
  if (errors.starts_with(kPrefix)) errors.remove_prefix(kPrefix.size());
  return text::printable(errors);
}

Error failed(std::string_view verb, const std::filesystem::path &file, const subprocess::Result &result) {
  const auto said = without_prefix(result.errors);
  return Error(ErrorKind::subprocess, {.where = {.file = file},
                                       .message = "qemu-img " + std::string(verb) + " failed with " + result.how(),
                                       .found = said.empty() ? "no message" : said});
}

// What qemu-img may touch: the images that it reads, the file that it writes, and what any program needs to run. What
// an image names beside that (backing files, extents, sockets, protocols) is out of its reach, whatever we overlooked.
struct Touched {
  std::vector<const Source *> reads;
  std::filesystem::path writes;  // there already; empty: nothing
  bool connects = false;         // to a server of disks on this host
};

std::shared_ptr<const cage::Cage> cage_for(const std::string &name, const Touched &touched, cage::Calls calls) {
  cage::Rules rules;
  const std::filesystem::path program = subprocess::find_program(name);
  rules.execute = {"/usr", "/bin", "/lib", "/lib64", "/opt", "/nix/store", "/gnu/store", program};
  // A program that was installed somewhere else brings its libraries along.
  std::error_code ignored;
  const std::filesystem::path prefix = std::filesystem::canonical(program, ignored).parent_path().parent_path();
  for (const char *folder : {"lib", "lib64", "lib/x86_64-linux-gnu"}) rules.execute.push_back(prefix / folder);
  rules.read = {"/dev/null", "/dev/zero",     "/dev/urandom",  "/etc/ld.so.cache",       "/etc/ld.so.preload",
                "/proc/sys", "/proc/meminfo", "/proc/cpuinfo", "/sys/devices/system/cpu"};
  for (const Source *source : touched.reads) {
    rules.read.push_back(source->range.file);
    rules.read.insert(rules.read.end(), source->extents.begin(), source->extents.end());
  }
  if (!touched.writes.empty()) rules.write.push_back(touched.writes);
  return std::make_shared<const cage::Cage>(rules, calls);
}

subprocess::Result start(const Context &context, Arguments arguments, const subprocess::Limits &limits,
                         const Touched &touched, std::function<void(std::string_view)> on_line = {}) {
  if (subprocess::find_program(context.program).empty()) throw not_installed(context);
  return subprocess::run(
      {.program = context.program,
       .arguments = std::move(arguments),
       .limits = limits,
       .locked_in = cage_for(context.program, touched, touched.connects ? cage::Calls::client : cage::Calls::program),
       .on_line = std::move(on_line)},
      context.stop);
}

subprocess::Limits query_limits(const Context &context) {
  subprocess::Limits limits;
  limits.deadline = context.query_deadline;
  limits.address_space = context.query_address_space;
  limits.cpu_seconds = context.query_cpu_seconds;
  return limits;
}

subprocess::Limits long_limits(const Context &context) {
  subprocess::Limits limits;
  limits.deadline = context.read_deadline;
  limits.data = context.data;
  limits.max_output = 65536;
  return limits;
}

Json parse(const std::string &output, std::string_view verb, const std::filesystem::path &file) {
  auto json = Json::parse(output, nullptr, false);
  if (!json.is_discarded()) return json;
  throw Error(ErrorKind::malformed, {.where = {.file = file},
                                     .message = "qemu-img " + std::string(verb) + " did not answer in JSON",
                                     .found = text::excerpt(output, 80)});
}

// A field of an answer; the default when it is absent or of another type.
std::uint64_t number(const Json &json, const char *key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}
bool flag(const Json &json, const char *key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found != json.end() && found->is_boolean() && found->get<bool>();
}
std::optional<std::string> string(const Json &json, const char *key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  if (found == json.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

Info read_info(const Json &json) {
  Info out;
  out.format = string(json, "format").value_or("");
  out.virtual_size = number(json, "virtual-size");
  out.actual_size = number(json, "actual-size");
  out.cluster_size = number(json, "cluster-size");
  out.backing_file = string(json, "backing-filename");
  out.backing_format = string(json, "backing-filename-format");
  out.encrypted = flag(json, "encrypted");
  out.dirty = flag(json, "dirty-flag");
  if (const auto specific = json.find("format-specific"); specific != json.end() && specific->is_object()) {
    if (const auto data = specific->find("data"); data != specific->end()) {
      out.data_file = string(*data, "data-file");
      out.corrupt = flag(*data, "corrupt");
      if (const auto extents = data->is_object() ? data->find("extents") : data->end();
          extents != data->end() && extents->is_array())
        for (const auto &extent : *extents) out.extents.push_back(string(extent, "filename").value_or(""));
    }
  }
  if (const auto snapshots = json.find("snapshots"); snapshots != json.end() && snapshots->is_array())
    for (const auto &snapshot : *snapshots) out.snapshots.push_back(string(snapshot, "name").value_or(""));
  return out;
}

// "    (12.34/100%)" to 12.34; nullopt for any other line.
std::optional<double> percent(std::string_view line) {
  line = text::trim(line);
  constexpr std::string_view kEnd = "/100%)";
  if (!line.starts_with('(') || !line.ends_with(kEnd)) return std::nullopt;
  line = line.substr(1, line.size() - 1 - kEnd.size());
  double value = 0;
  const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc{} || stop != line.data() + line.size() || !(value >= 0 && value <= 100)) return std::nullopt;
  return value;
}

// Turns percentages into bytes done; never goes back.
class Meter {
 public:
  Meter(Progress *progress, const std::filesystem::path &target, std::uint64_t total)
      : progress_(progress), total_(total) {
    if (progress_ != nullptr) progress_->begin(target.filename().string() + ": converting", total);
  }
  ~Meter() {
    if (progress_ != nullptr) progress_->end();
  }
  Meter(const Meter &) = delete;
  Meter &operator=(const Meter &) = delete;
  void line(std::string_view line) {
    const auto value = percent(line);
    if (progress_ == nullptr || !value) return;
    const auto done = static_cast<std::uint64_t>(static_cast<long double>(total_) * *value / 100);
    if (done <= done_) return;
    progress_->advance(done - done_);
    done_ = done;
  }

 private:
  Progress *progress_;
  std::uint64_t total_, done_ = 0;
};

void refuse_links(const Source &source, const Info &info) {
  const auto &link = info.backing_file ? info.backing_file : info.data_file;
  if (!link) return;
  throw Error(ErrorKind::unsafe,
              {.where = {.file = source.range.file},
               .message = "the image refers to another file, which qemu-img would open wherever it is",
               .found = text::printable(*link),
               .expected = "an image that stands alone"});
}

Arguments convert_arguments(const ConvertRequest &request, const std::filesystem::path &target) {
  Arguments out = {"convert", "-p", "-U", "-m", kParallelRequests, "-W"};
  const bool compressed = request.compression != disk::Compression::none;
  if (request.format == disk::TargetFormat::qcow2) {
    std::string options = "compat=1.1,cluster_size=" + std::to_string(request.cluster_size);
    if (request.compression == disk::Compression::zstd) options += ",compression_type=zstd";
    out.insert(out.end(), {"-O", "qcow2", "-o", options});
    if (compressed) out.emplace_back("-c");
  } else {
    if (compressed) throw Error(ErrorKind::usage, {.message = "a raw image cannot be compressed"});
    out.insert(out.end(), {"-O", "raw"});
  }
  // An absolute path: a colon behind the first slash is not taken for a protocol.
  out.insert(out.end(), {"--image-opts", image_options(request.source), target.string()});
  return out;
}

}  // namespace

std::shared_ptr<const cage::Cage> cage_of_server(const std::string &program, const Source &served) {
  return cage_for(program, {.reads = {&served}, .writes = {}}, cage::Calls::server);
}

bool available(const Context &context) { return !subprocess::find_program(context.program).empty(); }

std::string version(const Context &context) {
  const auto result = start(context, {"--version"}, query_limits(context), {});
  if (!result.ok()) throw failed("--version", context.program, result);
  // "qemu-img version 7.2.22 (Debian 1:7.2+dfsg-7)".
  constexpr std::string_view kBefore = "qemu-img version ";
  std::string_view line = result.output;
  if (!line.starts_with(kBefore))
    throw Error(ErrorKind::malformed, {.where = {.file = context.program},
                                       .message = "qemu-img does not report its version",
                                       .found = text::excerpt(line, 80)});
  line.remove_prefix(kBefore.size());
  return std::string(line.substr(0, line.find_first_of(" \r\n")));
}

Info info(const Source &source, const Context &context) {
  const auto &file = source.range.file;
  const auto result = start(context, {"info", "-U", "--output=json", "--image-opts", image_options(source)},
                            query_limits(context), {.reads = {&source}, .writes = {}});
  if (!result.ok()) throw failed("info", file, result);
  const auto json = parse(result.output, "info", file);
  if (!json.is_object() || !string(json, "format") || !json.contains("virtual-size"))
    throw Error(ErrorKind::malformed, {.where = {.file = file},
                                       .message = "qemu-img info does not report format and size",
                                       .found = text::excerpt(result.output, 80)});
  Info out = read_info(json);
  out.json = result.output;
  return out;
}

void convert(const ConvertRequest &request, const copy::TargetFile &target, Progress *progress,
             const Context &context) {
  const auto &file = request.source.range.file;
  const auto about = info(request.source, context);
  refuse_links(request.source, about);
  auto arguments = convert_arguments(request, target.path());
  {
    Meter meter(progress, request.target, request.virtual_size != 0 ? request.virtual_size : about.virtual_size);
    const auto result =
        start(context, std::move(arguments), long_limits(context),
              {.reads = {&request.source}, .writes = target.path()}, [&](std::string_view line) { meter.line(line); });
    if (!result.ok()) throw failed("convert", file, result);
  }
  if (request.format == disk::TargetFormat::qcow2) require_clean(target.path(), request.target, context);
}

void convert(const ConvertRequest &request, Progress *progress, const Context &context) {
  copy::TargetFile target(request.target);
  convert(request, target, progress, context);
  target.publish(true);
}

namespace {

// The file of a backing image's name, which may be a JSON text that says which part of it is meant.
std::string file_of(const std::string &backing) {
  constexpr std::string_view kJson = "json:";
  if (!backing.starts_with(kJson)) return backing;
  const Json parsed = Json::parse(backing.substr(kJson.size()), nullptr, false);
  const Json *at = parsed.is_discarded() ? nullptr : &parsed;
  while (at != nullptr && at->is_object() && !at->contains("filename"))
    at = at->contains("file") ? &at->at("file") : nullptr;
  return at == nullptr || !at->is_object() ? "" : string(*at, "filename").value_or("");
}

bool is_served(const Source &source) { return source.range.file.string().find("/nbd+unix:") != std::string::npos; }

// The files that a qcow2 reads besides itself, as their headers name them.
std::vector<Source> below(const std::filesystem::path &file, const Context &context) {
  constexpr std::size_t kDeepest = 64;
  std::vector<Source> out;
  Source at{.format = ImageFormat::qcow2, .range = {.file = file}};
  while (out.size() < kDeepest) {
    const Info about = info(at, context);
    if (!about.backing_file) break;
    at.range.file = at.range.file.parent_path() / file_of(*about.backing_file);  // an absolute name stays as it is
    out.push_back(at);
    if (about.backing_format != "qcow2") break;
  }
  return out;
}

}  // namespace

void fill(const std::filesystem::path &file, const std::function<void(unsigned)> &progress, const Context &context) {
  const std::vector<Source> others = below(file, context);
  Touched touched{.reads = {}, .writes = file};
  for (const Source &other : others) {
    touched.reads.push_back(&other);
    touched.connects = touched.connects || is_served(other);
  }
  const auto result = start(context, {"rebase", "-p", "-f", "qcow2", "-b", "", file.string()}, long_limits(context),
                            touched, [&](std::string_view line) {
                              const auto value = percent(line);
                              if (progress && value) progress(static_cast<unsigned>(*value));
                            });
  if (!result.ok()) throw failed("rebase", file, result);
}

CheckResult check(const Source &source, const Context &context) {
  const auto result = start(context, {"check", "-U", "--output=json", "--image-opts", image_options(source)},
                            long_limits(context), {.reads = {&source}, .writes = {}});
  CheckResult out;
  // 63: the format has no check. 2: corruptions, 3: leaks; both come with the JSON answer.
  if (result.signal == 0 && result.exit_code == 63) {
    out.supported = false;
    return out;
  }
  if (result.signal != 0 || (result.exit_code != 0 && result.exit_code != 2 && result.exit_code != 3))
    throw failed("check", source.range.file, result);
  const auto json = parse(result.output, "check", source.range.file);
  out.corruptions = number(json, "corruptions");
  out.leaks = number(json, "leaks");
  out.errors = number(json, "check-errors");
  out.image_end = number(json, "image-end-offset");
  if (result.exit_code == 2 && out.corruptions == 0) out.corruptions = 1;
  if (result.exit_code == 3 && out.leaks == 0) out.leaks = 1;
  out.json = result.output;
  return out;
}

void require_clean(const std::filesystem::path &written, const std::filesystem::path &target, const Context &context) {
  const auto checked = check({.format = ImageFormat::qcow2, .range = {.file = written}}, context);
  if (checked.clean()) return;
  throw Error(ErrorKind::verify,
              {.where = {.file = target},
               .message = "qemu-img check found errors in the new qcow2 image",
               .found = std::to_string(checked.corruptions) + " corruptions, " + std::to_string(checked.leaks) +
                        " leaked clusters, " + std::to_string(checked.errors) + " errors",
               .expected = "an image without errors",
               .advice = "Please report this with the output of 'virt-ferry disk info' for the source; --engine "
                         "qemu-img or another --cluster-size may help."});
}

Difference compare(const Source &left, const Source &right, bool strict, const Context &context) {
  Arguments arguments = {"compare", "-U", "--image-opts"};
  if (strict) arguments.emplace_back("-s");
  arguments.insert(arguments.end(), {image_options(left), image_options(right)});
  const auto result =
      start(context, std::move(arguments), long_limits(context), {.reads = {&left, &right}, .writes = {}});
  if (result.ok()) return {};
  if (result.signal != 0 || result.exit_code != 1) throw failed("compare", left.range.file, result);
  const auto said = text::trim(result.output);
  return {said.empty() ? "the contents differ" : text::printable(said)};
}

}  // namespace ferry::qemu_img
