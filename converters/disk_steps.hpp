// SPDX-License-Identifier: Apache-2.0
// The ways in which disk::convert() can go; private to converters/.
#pragma once

#include "converters/disk.hpp"
#include "converters/qemu_img.hpp"
#include "converters/source_reader.hpp"

namespace ferry::qcow2 {
class Writer;
}

namespace ferry::disk {

// Ends a step of the progress on every way out.
class Step {
 public:
  Step(Progress *progress, const std::string &name, std::uint64_t total) : progress_(progress) {
    if (progress_ != nullptr) progress_->begin(name, total);
  }
  ~Step() {
    if (progress_ != nullptr) progress_->end();
  }
  Step(const Step &) = delete;
  Step &operator=(const Step &) = delete;

 private:
  Progress *progress_;
};

// ---- what reads the source: SourceReader's, in this process ----

[[nodiscard]] Engine choose_engine(const Medium &medium, const image::OpenOptions &options, Engine wanted);
[[nodiscard]] QemuSource for_qemu(const Medium &medium, const image::OpenOptions &options, bool with_force_size);
[[nodiscard]] std::vector<std::uint8_t> zeros(const Medium &medium, const image::OpenOptions &options,
                                              std::uint32_t unit);
[[nodiscard]] ConvertResult fill(const ConvertRequest &request, copy::TargetFile &target, Progress *progress,
                                 const std::stop_token &stop);
// For an overlay: the clusters with the medium's changes, each at its place in a file that else is a hole.
[[nodiscard]] ConvertResult fill_changes(const ConvertRequest &request, copy::TargetFile &target);
[[nodiscard]] std::string compare(const Comparison &comparison, std::vector<file::Descriptor> connections,
                                  Progress *progress, const std::stop_token &stop);

// ---- what does not ----

// QEMU's own view of it is ours. Throws unsupported otherwise.
void require_same_view(const Medium &medium, const QemuSource &image, const qemu_img::Context &context);

[[nodiscard]] ConvertResult convert_native(const ConvertRequest &request, SourceReader &reader, Progress *progress,
                                           const std::stop_token &stop);
[[nodiscard]] ConvertResult convert_by_qemu_img(const ConvertRequest &request, SourceReader &reader, Progress *progress,
                                                const std::stop_token &stop);
// The medium's changes, in an overlay over it.
void write_changes(const ConvertRequest &request, SourceReader &reader, qcow2::Writer &writer);
// Mode::overlay and Mode::link.
[[nodiscard]] ConvertResult use_in_place(const ConvertRequest &request, SourceReader &reader);

// Reads a written image back through QEMU: compares it with `comparison.expected`, gives the digest. Throws as
// SourceReader::compare(), and as NbdServer.
[[nodiscard]] std::string read_back(const Comparison &comparison, const qemu_img::Source &target, SourceReader &reader,
                                    Progress *progress, const std::stop_token &stop);

}  // namespace ferry::disk
