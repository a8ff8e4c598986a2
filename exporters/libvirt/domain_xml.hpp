// SPDX-License-Identifier: Apache-2.0
// The writers of the parts of a domain's XML.
#pragma once

#include "exporters/libvirt/domain.hpp"
#include "model/support/xml.hpp"

namespace ferry::libvirt {

void write_address(xml::Node &parent, const PciAddress &address);
void write_alias(xml::Node &parent, const std::string &alias);
void write_boot(xml::Node &parent, const std::optional<unsigned> &order);
void write_disk(xml::Node &devices, const DomainDisk &disk);
void write_controller(xml::Node &devices, const DomainController &controller);
void write_devices(xml::Node &domain, const Domain &values);

}  // namespace ferry::libvirt
