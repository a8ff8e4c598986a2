// SPDX-License-Identifier: Apache-2.0
// What the importer of Vagrant boxes tells.
#pragma once

#include "model/finding.hpp"

namespace ferry::vagrant {

inline constinit FindingList finding_list;

inline const FindingKind kDefaults{
    finding_list, "vagrant.defaults", Severity::info,
    "A box for libvirt describes no hardware; the machine gets what the box's Vagrantfile says and vagrant-libvirt's "
    "defaults for the rest.",
    "Set memory and processors in virt-manager if the guest needs others."};
inline const FindingKind kNotPlain{
    finding_list, "vagrant.not-plain", Severity::warning,
    "A setting of the box's Vagrantfile is not a plain value: a Vagrantfile is a program, and is not run.",
    "Look at the line, and set by hand what the machine needs."};
inline const FindingKind kBadValue{finding_list, "vagrant.bad-value", Severity::warning,
                                   "A setting of the box has a value that is not known; the default is used.",
                                   "Set by hand what the machine needs."};
inline const FindingKind kSnapshotsLeft{finding_list, "vagrant.snapshots-left", Severity::warning,
                                        "The machine in the box has snapshots; they are left behind.",
                                        "Unpack the box and migrate the .vmx file in it if you need them."};

}  // namespace ferry::vagrant
