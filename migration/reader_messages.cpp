// SPDX-License-Identifier: Apache-2.0
#include "migration/reader_messages.hpp"

namespace ferry::migration {

OpenValues values_of(const image::OpenOptions &open) {
  OpenValues out{.allowed_folders = open.allowed_folders,
                 .allowed = open.limits.allowed,
                 .trees = open.limits.trees,
                 .folder = open.limits.folder,
                 .registered = std::nullopt,
                 .places = open.places,
                 .known_images = open.known_images,
                 .allow_modified_parent = open.allow_modified_parent};
  if (open.limits.registered) out.registered = open.limits.registered();
  return out;
}

image::OpenOptions options_of(const OpenValues &values) {
  image::OpenOptions out;
  out.allowed_folders = values.allowed_folders;
  out.limits.folder = values.folder;
  out.limits.allowed = values.allowed;
  out.limits.trees = values.trees;
  if (values.registered) out.limits.registered = [folders = *values.registered] { return folders; };
  out.places = values.places;
  out.known_images = values.known_images;
  out.allow_modified_parent = values.allow_modified_parent;
  return out;
}

Failure failure_of(const Error &error) { return {error.kind(), error.detail()}; }

}  // namespace ferry::migration
