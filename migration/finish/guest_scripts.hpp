// SPDX-License-Identifier: Apache-2.0
// What a Linux guest that runs is given to do by way of its agent: a look that changes nothing, and the repair of its
// initial RAM disk. Shell scripts for any POSIX shell.
#pragma once

#include <optional>
#include <string>

#include "model/observed.hpp"

namespace ferry::migration {

// Says in lines what a look at the disks would find.
[[nodiscard]] std::string look_script();
// Those lines as such a look has it: one system whose kernel is the one that runs; among its drivers also virtio_net,
// where it has that anywhere. nullopt: it says nothing.
[[nodiscard]] std::optional<Observed> read_look(const std::string &output);

// Puts virtio's drivers into the initial RAM disks of all kernels, with initramfs-tools or dracut, and for those that
// are made later. Ends with 3 where the guest has neither. `root` is for tests: the folder that stands for "/".
[[nodiscard]] std::string repair_script(const std::string &root = {});

}  // namespace ferry::migration
