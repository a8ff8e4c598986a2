// SPDX-License-Identifier: Apache-2.0
// How a new image's clusters are stored.
#pragma once

namespace ferry::disk {

enum class Compression { none, zlib, zstd };

}  // namespace ferry::disk
