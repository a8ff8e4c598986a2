// SPDX-License-Identifier: Apache-2.0
// Documents of the target on their way to virtio; see exporters/libvirt/edit/virtio.hpp. In host.cpp.
#pragma once

#include <string>

#include "exporters/virtio.hpp"

namespace ferry::migration {

[[nodiscard]] target::VirtioState virtio_state(const std::string &document);
[[nodiscard]] target::VirtioIds virtio_ids(const std::string &document);
[[nodiscard]] std::string with_spares(const std::string &document, const target::VirtioSpares &spares,
                                      const target::VirtioChoice &choice);
[[nodiscard]] std::string on_virtio(const std::string &document, const target::VirtioChoice &choice);

}  // namespace ferry::migration
