// SPDX-License-Identifier: Apache-2.0
// A domain as libvirt's XML, and the writers of its parts.
#pragma once

#include <string>

#include "exporters/libvirt/xml/domain.hpp"

#include "support/xml.hpp"

namespace ferry::libvirt {

// The whole document, without the XML declaration.
[[nodiscard]] std::string domain_xml(const Domain &domain);

void write_address(xml::Node &parent, const PciAddress &address);
void write_address(xml::Node &parent, const UsbAddress &address);
void write_alias(xml::Node &parent, const std::string &alias);
void write_boot(xml::Node &parent, const std::optional<unsigned> &order);
void write_disk(xml::Node &devices, const DomainDisk &disk);
void write_controller(xml::Node &devices, const DomainController &controller);
void write_devices(xml::Node &domain, const Domain &values);

}  // namespace ferry::libvirt
