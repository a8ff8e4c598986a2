// SPDX-License-Identifier: Apache-2.0
// Sources that QEMU reads by itself: conversion by qemu-img, overlays, links.
#include <memory>
#include <nlohmann/json.hpp>

#include "converters/copy/target_file.hpp"
#include "converters/disk_steps.hpp"
#include "converters/findings.hpp"
#include "converters/images/foreign.hpp"
#include "converters/images/vmdk_descriptor.hpp"
#include "converters/qcow2/writer.hpp"

#include "support/error.hpp"
#include "support/file.hpp"
#include "support/text.hpp"

namespace ferry::disk {

namespace {

// QEMU keeps a backing file's name in 1023 bytes.
constexpr std::size_t kLongestBackingName = 1023;

[[noreturn]] void refuse(const Medium &medium, const std::string &reason,
                         const std::string &advice = "Leave out --engine qemu-img.") {
  throw Error(ErrorKind::unsupported, {.where = {.file = medium.chain.back().display_path()},
                                       .message = "QEMU cannot be trusted to read this disk by itself",
                                       .found = reason,
                                       .advice = advice});
}

std::string_view access_name(image::VmdkExtentLine::Access access) {
  switch (access) {
    case image::VmdkExtentLine::Access::read_write: return "RW";
    case image::VmdkExtentLine::Access::read_only: return "RDONLY";
    case image::VmdkExtentLine::Access::none: return "NOACCESS";
  }
  return "NOACCESS";
}

// The extents of a VMDK whose descriptor is a text file; an embedded one describes its own file.
std::vector<qemu_img::DescriptorExtent> descriptor_extents(const image::ImageInfo &info) {
  const std::string text = file::read_start(info.file, image::kLongestDescriptor);
  if (!image::is_descriptor(text)) return {};
  std::vector<qemu_img::DescriptorExtent> out;
  for (const image::VmdkExtentLine &line : image::parse_descriptor(text, {.file = info.file}).extents) {
    out.push_back({.access = std::string(access_name(line.access)),
                   .type = line.type,
                   .file = line.raw_name,
                   .sectors = line.sectors});
  }
  return out;
}

// What an image is, without the chain: read natively where that is possible, else from the header that is checked
// for qemu-img.
struct SourceImage {
  image::ImageInfo info;
  bool native = true;
  std::vector<qemu_img::DescriptorExtent> extents;                // VMDK with a text descriptor
  std::vector<std::shared_ptr<const image::SourceFile>> files{};  // read natively: of the image
};

SourceImage look_at(const ImageFile &file, const image::OpenOptions &options) {
  SourceImage out;
  out.native = !image::needs_qemu_img(image::detect_format(file, options));
  if (out.native) {
    const auto image = image::open_image(file, options);
    out.info = image->info();
    out.files = image->files();
  } else {
    out.info = image::check_qcow2_header(file, options);
  }
  if (out.native && out.info.format == ImageFormat::vmdk) out.extents = descriptor_extents(out.info);
  return out;
}

void add_findings(const QemuSource &image, ConvertResult &result) {
  result.virtual_size = image.info.virtual_size;
  result.findings = image.info.findings;
}

}  // namespace

QemuSource for_qemu(const Medium &medium, const image::OpenOptions &options, bool with_force_size) {
  const SourceImage image = look_at(medium.chain.back(), options);
  if (medium.chain.size() != 1 || image.info.has_parent) refuse(medium, "it is a chain of images");
  if (const std::string reason = qemu_img::misread_reason(image.info, image.extents); !reason.empty()) {
    refuse(medium, reason);
  }
  if (image.info.format == ImageFormat::vmdk) {
    if (const std::string reason = qemu_img::names_reason(image.files, image.info.file); !reason.empty()) {
      refuse(medium, reason);
    }
  }
  if (image.info.format == ImageFormat::vhd && !with_force_size) {
    refuse(medium, "QEMU takes a VHD's size from its geometry and cuts off the disk's end");
  }
  const ImageFile &file_in_archive = medium.chain.front();
  const bool packed =
      !image.native && file_in_archive.pieces.size() == 1 && (file_in_archive.gzip || file_in_archive.gzip_outer);
  QemuSource out{.source = packed ? qemu_img::Source{.format = image.info.format, .range = file_in_archive.pieces[0]}
                                  : qemu_img::source_of(file_in_archive, image.info.format),
                 .info = image.info,
                 .files = {},
                 .has_descriptor = !image.extents.empty(),
                 .packed = packed};
  for (const auto &file : image.files) out.files.push_back(file->path());
  out.source.extents = out.files;
  return out;
}

void require_same_view(const Medium &medium, const QemuSource &image, const qemu_img::Context &context) {
  const std::string reason = qemu_img::differing_view(qemu_img::info(image.source, context), image.info, image.files);
  if (!reason.empty()) refuse(medium, reason);
}

namespace {

// The image's file itself, taken for a raw disk: our own engine reads its bytes, in an archive too.
ConvertRequest of_file(const ConvertRequest &request, Mode mode) {
  ConvertRequest out;
  out.medium = request.medium;
  out.medium.chain.back().declared_format = ImageFormat::raw;
  out.target = request.target;
  out.format = TargetFormat::raw;
  out.engine = Engine::native;
  out.mode = mode;
  out.threads = request.threads;
  out.durable = false;
  out.open = request.open;
  return out;
}

// Writes the image, as it lies in its archive, beside the target for as long as qemu-img reads it.
std::shared_ptr<copy::TargetFile> unpack(const ConvertRequest &request, QemuSource &image, SourceReader &reader,
                                         Progress *progress, const std::stop_token &stop) {
  auto out = std::make_shared<copy::TargetFile>(std::filesystem::path(request.target) += ".unpacked");
  (void)reader.fill(of_file(request, Mode::copy), *out, progress, stop);
  image.source.range = {.file = out->path()};
  return out;
}

// Reads the target back as QEMU does.
void verify_target(const ConvertRequest &request, const qemu_img::Source &source, const qemu_img::Source &target,
                   SourceReader &reader, ConvertResult &result, const std::stop_token &stop) {
  const qemu_img::Context context{.stop = stop};
  if (const auto difference = qemu_img::compare(source, target, false, context)) {
    throw Error(ErrorKind::verify, {.where = {.file = request.target},
                                    .message = "what QEMU reads differs from the source",
                                    .found = difference.message});
  }
  result.sha256 = read_back({.target = request.target,
                             .snapshot = std::nullopt,
                             .expected = std::nullopt,
                             .virtual_size = qemu_img::info(target, context).virtual_size,
                             .digest = true,
                             .threads = request.threads,
                             .open = {}},
                            target, reader, nullptr, stop);
}

// Why blocks of the image cannot become a target's; empty: they can.
std::string unshareable(const ConvertRequest &request, const QemuSource &image) {
  if (image.info.format != ImageFormat::qcow2) return "blocks are to be shared, and qemu-img copies them";
  if (request.format != TargetFormat::qcow2) return "blocks are to be shared, and the target has another format";
  if (image.packed) return "blocks are to be shared, and those of a compressed archive hold something else";
  return {};
}

// The target is the image as it is, snapshots and all, on the same blocks.
ConvertResult share_image(const ConvertRequest &request, const QemuSource &image, SourceReader &reader,
                          Progress *progress, const std::stop_token &stop) {
  if (const std::string reason = unshareable(request, image); !reason.empty())
    refuse(request.medium, reason, "Use --disk-mode auto or copy.");
  ConvertResult result{.engine = Engine::native, .mode = Mode::share};
  add_findings(image, result);
  copy::TargetFile file(request.target, request.replace);
  const ConvertResult filled = reader.fill(of_file(request, Mode::share), file, progress, stop);
  file.resize(image.info.file_size);  // a disk has whole sectors, a file need not
  result.bytes_written = filled.bytes_written;
  result.bytes_shared = filled.bytes_shared;
  QemuSource made = image;
  made.source.range = {.file = file.path()};
  made.source.extents = {};
  const qemu_img::Context context{.stop = stop};
  if (qemu_img::available(context)) require_same_view(request.medium, made, context);
  if (request.verify) verify_target(request, image.source, made.source, reader, result, stop);
  if (request.before_publish) request.before_publish();
  file.publish(request.durable);
  return result;
}

}  // namespace

ConvertResult convert_by_qemu_img(const ConvertRequest &request, SourceReader &reader, Progress *progress,
                                  const std::stop_token &stop) {
  if (!request.snapshots.empty())
    refuse(request.medium, "snapshots were asked for, and qemu-img drops them", "Use --snapshots flatten.");
  if (request.source_digest) refuse(request.medium, "the source's digest was asked for, and qemu-img computes none");
  QemuSource image = reader.for_qemu(request.medium, request.open, true);
  if (request.mode == Mode::share) return share_image(request, image, reader, progress, stop);
  const auto unpacked = image.packed ? unpack(request, image, reader, progress, stop) : nullptr;
  const qemu_img::Source &source = image.source;
  require_same_view(request.medium, image, {.stop = stop});
  ConvertResult result{.engine = Engine::qemu_img, .mode = Mode::copy};
  add_findings(image, result);
  result.findings.push_back(
      raise(kReadByQemuImg, {.file = image.info.file}, "qemu-img " + qemu_img::version() + " converts this disk."));
  copy::TargetFile file(request.target, request.replace);  // published only when all is well
  const qemu_img::Context context{.stop = stop};
  qemu_img::convert({.source = source,
                     .target = request.target,
                     .format = request.format,
                     .compression = request.compression,
                     .cluster_size = request.cluster_size,
                     .virtual_size = image.info.virtual_size},
                    file, progress, context);
  result.bytes_written = file.disk_usage();
  if (request.verify) {
    const qemu_img::Source target{
        .format = request.format == TargetFormat::qcow2 ? ImageFormat::qcow2 : ImageFormat::raw,
        .range = {.file = file.path()}};
    verify_target(request, source, target, reader, result, stop);
  }
  if (request.before_publish) request.before_publish();
  file.publish(request.durable);
  return result;
}

namespace {

// Throws unsupported where QEMU cannot read the image where it is.
void refuse_in_place(const Medium &medium, const QemuSource &image) {
  if (image.packed) refuse(medium, "it is a part of another file");
  // QEMU finds them by the names in the descriptor at every start of the machine, and takes no others in their place.
  if (image.has_descriptor)
    refuse(medium,
           "its extents are the files that its descriptor names whenever QEMU opens it, and nothing "
           "holds QEMU to those that are there now");
}

// All but letters, digits and "/-._~" as "%2C", for a URI.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kPlain = "/-._~", kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || kPlain.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      out.append({'%', kDigits[byte >> 4U], kDigits[byte & 15U]});
    }
  }
  return out;
}

// As QEMU is to open it, by the name that an overlay's header has.
qcow2::Backing backing_of(const Underlay &under) {
  switch (under.by) {
    case Underlay::By::file: return {.file = under.file.string(), .format = under.format};
    case Underlay::By::part: {
      const nlohmann::json file{{"driver", "file"}, {"filename", under.file.string()}};
      const nlohmann::json part{{"driver", "raw"}, {"offset", under.offset}, {"size", under.length}, {"file", file}};
      return {.file = "json:" + nlohmann::json{{"driver", under.format}, {"file", part}}.dump(),
              .format = under.format};
    }
    case Underlay::By::server: break;
  }
  return {.file = "nbd+unix:///" + percent_encoded(under.name) + "?socket=" + percent_encoded(under.socket.string()),
          .format = "raw"};
}

// What the source does not hold is zeros in the overlay already: nobody asks the server for it, neither the guest nor
// who copies. Tables for larger disks would take too long to be written.
void write_zeros(qcow2::Writer &writer, const ConvertRequest &request, const Underlay &under, SourceReader &reader) {
  constexpr std::uint64_t kLargest = std::uint64_t{4} << 40U;  // bytes
  if (under.by != Underlay::By::server || under.virtual_size > kLargest) return;
  const std::uint64_t count = (under.virtual_size + request.cluster_size - 1) / request.cluster_size;
  const std::vector<std::uint8_t> zeros = reader.zeros(request.medium, request.open, request.cluster_size);
  if (zeros.size() < (count + 7) / 8) return;  // no more than a saving
  const auto is_zero = [&](std::uint64_t unit) { return (zeros[unit / 8] >> (unit % 8) & 1U) != 0; };
  for (std::uint64_t first = 0; first < count;) {
    std::uint64_t past = first;
    while (past < count && is_zero(past)) ++past;
    if (past > first) writer.zero(first, past - first);
    first = past + 1;
  }
}

ConvertResult make_overlay(const ConvertRequest &request, const Underlay &under, SourceReader &reader) {
  const qcow2::Backing backing = backing_of(under);
  if (backing.file.size() > kLongestBackingName) refuse(request.medium, "its name is too long for QEMU");
  ConvertResult result{.engine = Engine::native, .mode = Mode::overlay, .virtual_size = under.virtual_size};
  copy::TargetFile file(request.target, request.replace);
  qcow2::Writer writer(
      file,
      {.cluster_size = request.cluster_size, .virtual_size = under.virtual_size, .snapshots = {}, .backing = backing});
  write_zeros(writer, request, under, reader);
  write_changes(request, reader, writer);
  result.bytes_written = writer.finish();
  file.publish(request.durable);
  return result;
}

}  // namespace

Underlay underlay_of(const Medium &medium, const image::OpenOptions &options, SourceReader &reader) {
  try {
    const QemuSource image = reader.for_qemu(medium, options, false);
    refuse_in_place(medium, image);
    if (qemu_img::available()) require_same_view(medium, image, {});
    const FileRange &range = image.source.range;
    Underlay out{.virtual_size = image.info.virtual_size,
                 .file = std::filesystem::canonical(range.file),
                 .format = std::string(qemu_img::driver_name(image.source.format)),
                 .offset = range.offset,
                 .length = 0,
                 .socket = {},
                 .name = {}};
    if (range.offset != 0 || range.length) {
      out.by = Underlay::By::part;
      out.length = range.length.value_or(std::filesystem::file_size(out.file) - range.offset);
    }
    if (backing_of(out).file.size() > kLongestBackingName || !text::is_valid_utf8(out.file.string()))
      refuse(medium, "its name is not one that an overlay can have");
    return out;
  } catch (const Error &error) {
    if (error.kind() != ErrorKind::unsupported ||
        reader.engine_for(medium, options, Engine::automatic) == Engine::qemu_img)
      throw;
  }
  Underlay out{.by = Underlay::By::server,
               .virtual_size = reader.inspect(medium, options, Engine::native).virtual_size,
               .file = {},
               .offset = 0,
               .length = 0,
               .socket = {},
               .name = {}};
  return out;
}

ConvertResult use_in_place(const ConvertRequest &request, SourceReader &reader) {
  if (request.underlay) return make_overlay(request, *request.underlay, reader);
  const QemuSource image = reader.for_qemu(request.medium, request.open, false);
  const qemu_img::Source &source = image.source;
  if (source.range.offset != 0 || source.range.length) refuse(request.medium, "it is a part of another file");
  refuse_in_place(request.medium, image);
  const std::filesystem::path path = std::filesystem::canonical(source.range.file);
  if (path.string().size() > kLongestBackingName) refuse(request.medium, "its name is too long for QEMU");
  // The host that will run the machine has QEMU; this one need not have qemu-img.
  if (qemu_img::available()) require_same_view(request.medium, image, {});
  const Finding depends =
      raise(kDependsOnSource, {.file = path}, "The new machine reads " + path.string() + " from now on.");
  ConvertResult result;
  if (request.mode == Mode::overlay) {
    result = make_overlay(request,
                          {.virtual_size = image.info.virtual_size,
                           .file = path,
                           .format = std::string(qemu_img::driver_name(source.format)),
                           .socket = {},
                           .name = {}},
                          reader);
  }
  result.engine = request.engine == Engine::automatic ? Engine::native : request.engine;
  result.mode = request.mode;
  add_findings(image, result);
  result.findings.push_back(depends);
  return result;
}

}  // namespace ferry::disk
