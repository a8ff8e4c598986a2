// SPDX-License-Identifier: Apache-2.0
#include "converters/copy/piece_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <libdeflate.h>
#include <string>
#include <unistd.h>

#include "support/error.hpp"

namespace ferry::copy {

namespace {

// Compressed grains that follow each other are read together up to this many bytes.
constexpr std::uint64_t kReadGroup = 512U << 10U;
// Bytes between two grains (markers, padding) that are cheaper read than skipped.
constexpr std::uint64_t kReadGap = 64U << 10U;

std::string at_offset(std::uint64_t offset) { return "offset " + std::to_string(offset); }

}  // namespace

PieceReader::PieceReader(const Sources &sources)
    : sources_(sources), decompressor_(libdeflate_alloc_decompressor(), libdeflate_free_decompressor) {
  if (!decompressor_) throw std::bad_alloc();
}

PieceReader::~PieceReader() = default;

void PieceReader::add(std::span<const Part> parts, std::uint8_t *into, std::uint32_t unit) {
  std::uint32_t filled = 0;
  for (const Part &part : parts) {
    if (part.begin > filled) std::memset(into + filled, 0, part.begin - filled);
    filled = part.begin + part.length;
    std::uint8_t *to = into + part.begin;
    if (!jobs_.empty()) {
      Job &last = jobs_.back();
      const bool follows =
          last.file == part.file && last.into + last.length == to && last.inflated_length == part.inflated_length;
      if (follows && (part.deflated() ? last.file_offset == part.file_offset && last.skip + last.length == part.skip
                                      : last.file_offset + last.length == part.file_offset)) {
        last.length += part.length;
        continue;
      }
    }
    jobs_.push_back({.file_offset = part.file_offset,
                     .into = to,
                     .length = part.length,
                     .file = part.file,
                     .stored_length = part.stored_length,
                     .inflated_length = part.inflated_length,
                     .skip = part.skip});
  }
  if (filled < unit) std::memset(into + filled, 0, unit - filled);
}

void PieceReader::read() {
  for (std::size_t i = 0; i < jobs_.size();) {
    if (jobs_[i].inflated_length != 0) {
      i = read_deflated(i);
    } else {
      read_plain(jobs_[i]);
      ++i;
    }
  }
  jobs_.clear();
}

void PieceReader::read_plain(const Job &job) {
  const image::SourceFile &source = sources_.file(job.file);
  const std::uint64_t first = sources_.base(job.file).value_or(0) + job.file_offset;
  const bool all_data = data_.file == job.file && data_.begin <= first && first + job.length <= data_.end;
  if (!sources_.is_sparse(job.file) || all_data) return sources_.read(job.file, job.file_offset, job.into, job.length);
  const image::SourceFile::Descriptor descriptor = source.descriptor();
  // Holes of a sparse file are not read: the kernel says where the next data are.
  std::uint64_t done = 0;
  while (done < job.length) {
    const std::uint64_t at = first + done;
    const std::uint64_t rest = job.length - done;
    const off_t data = lseek(descriptor.fd, static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno != ENXIO) return sources_.read(job.file, job.file_offset + done, job.into + done, rest);
    if (data < 0 && job.file_offset + job.length > source.size()) {
      return sources_.read(job.file, job.file_offset + done, job.into + done, rest);  // past the end: says so
    }
    const std::uint64_t hole = data < 0 ? rest : std::min(rest, static_cast<std::uint64_t>(data) - at);
    std::memset(job.into + done, 0, hole);
    done += hole;
    if (done == job.length) return;
    const off_t end = lseek(descriptor.fd, static_cast<off_t>(at + hole), SEEK_HOLE);
    std::uint64_t length = job.length - done;
    if (end > static_cast<off_t>(at + hole)) {
      data_ = {.file = job.file, .begin = at + hole, .end = static_cast<std::uint64_t>(end)};
      length = std::min(length, data_.end - data_.begin);
    }
    sources_.read(job.file, job.file_offset + done, job.into + done, length);
    done += length;
  }
}

// Reads jobs from `first` that lie one after the other in one file, and inflates them. Returns the next job.
std::size_t PieceReader::read_deflated(std::size_t first) {
  const image::SourceFile &file = sources_.file(jobs_[first].file);
  const std::uint64_t begin = jobs_[first].file_offset;
  const auto end_of = [&](const Job &job) { return std::min(job.file_offset + job.stored_length, file.size()); };
  if (begin >= file.size()) {
    throw Error(ErrorKind::malformed, {.where = {.file = file.path(), .path = at_offset(begin)},
                                       .message = "a compressed grain lies beyond the end of the file",
                                       .advice = std::string(image::kDamagedAdvice)});
  }
  std::uint64_t end = end_of(jobs_[first]);
  std::size_t next = first + 1;
  for (; next < jobs_.size(); ++next) {
    const Job &job = jobs_[next];
    const bool near = job.inflated_length != 0 && job.file == jobs_[first].file && job.file_offset >= begin &&
                      job.file_offset < file.size() && job.file_offset <= end + kReadGap;
    if (!near || std::max(end, end_of(job)) - begin > kReadGroup) break;
    end = std::max(end, end_of(job));
  }
  if (stored_.size() < end - begin) stored_.resize(std::max(end - begin, kReadGroup));
  sources_.read(jobs_[first].file, begin, stored_.data(), end - begin);
  for (std::size_t i = first; i < next; ++i) {
    inflate(jobs_[i], stored_.data() + (jobs_[i].file_offset - begin), end_of(jobs_[i]) - jobs_[i].file_offset);
  }
  return next;
}

void PieceReader::inflate(const Job &job, const std::uint8_t *stream, std::size_t length) {
  const bool whole = job.length == job.inflated_length;
  if (!whole && inflated_.size() < job.inflated_length) inflated_.resize(job.inflated_length);
  std::uint8_t *into = whole ? job.into : inflated_.data();
  // Without a place for the real length, anything but exactly `inflated_length` bytes is refused; the stream may
  // end before `length`.
  std::size_t used = 0;
  const libdeflate_result result =
      libdeflate_zlib_decompress_ex(decompressor_.get(), stream, length, into, job.inflated_length, &used, nullptr);
  if (result != LIBDEFLATE_SUCCESS) {
    throw Error(ErrorKind::malformed,
                {.where = {.file = sources_.file(job.file).path(), .path = at_offset(job.file_offset)},
                 .message = "a compressed grain cannot be inflated",
                 .found = result == LIBDEFLATE_BAD_DATA ? "damaged data" : "data of another length",
                 .expected = std::to_string(job.inflated_length) + " bytes",
                 .advice = std::string(image::kDamagedAdvice)});
  }
  if (!whole) std::memcpy(job.into, inflated_.data() + job.skip, job.length);
}

}  // namespace ferry::copy
