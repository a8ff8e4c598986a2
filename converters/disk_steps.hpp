// SPDX-License-Identifier: Apache-2.0
// The ways in which disk::convert() can go; private to converters/.
#pragma once

#include "converters/disk.hpp"
#include "converters/qemu_img.hpp"

namespace ferry::disk {

// What an image is, without the chain: read natively where that is possible, else from the header that is checked
// for qemu-img.
struct SourceImage {
  image::ImageInfo info;
  bool native = true;
  std::vector<qemu_img::DescriptorExtent> extents;                // VMDK with a text descriptor
  std::vector<std::shared_ptr<const image::SourceFile>> files{};  // read natively: of the image
};
// Throws as image::open_image() and image::check_qcow2_header().
[[nodiscard]] SourceImage look_at(const ImageFile &file, const image::OpenOptions &options);

// The only image of a medium that QEMU can read rightly by itself. Throws unsupported, saying why not, otherwise.
[[nodiscard]] qemu_img::Source for_qemu(const Medium &medium, const SourceImage &image, bool with_force_size);

// QEMU's own view of it is ours. Throws unsupported otherwise.
void require_same_view(const Medium &medium, const SourceImage &image, const qemu_img::Source &source,
                       const qemu_img::Context &context);

[[nodiscard]] ConvertResult convert_native(const ConvertRequest &request, Progress *progress,
                                           const std::stop_token &stop);
[[nodiscard]] ConvertResult convert_by_qemu_img(const ConvertRequest &request, Progress *progress,
                                                const std::stop_token &stop);
// Mode::overlay and Mode::link.
[[nodiscard]] ConvertResult use_in_place(const ConvertRequest &request);

}  // namespace ferry::disk
