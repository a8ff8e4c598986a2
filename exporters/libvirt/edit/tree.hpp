// SPDX-License-Identifier: Apache-2.0
// A domain's XML as libvirt has it, changed in places and written again: all else stays as it is.
#pragma once

#include <string>
#include <string_view>

#include "support/xml.hpp"

namespace ferry::libvirt::edit {

using xml::Element;

// The first child of that name; nullptr when there is none.
[[nodiscard]] Element *child(Element &parent, std::string_view name);
// The same, made where there is none.
Element &child_or_new(Element &parent, std::string_view name);
Element &add_child(Element &parent, std::string_view name);
void remove_children(Element &parent, std::string_view name);

// "" when there is none.
[[nodiscard]] std::string attribute(const Element &element, std::string_view name);
// Of the first child of that name.
[[nodiscard]] std::string attribute(const Element &element, std::string_view child, std::string_view name);
Element &set(Element &element, std::string_view name, std::string_view value);
void remove_attribute(Element &element, std::string_view name);

// The document, without the XML declaration, indented as libvirt does it. Namespaces are declared where they begin.
[[nodiscard]] std::string as_text(const Element &root);

}  // namespace ferry::libvirt::edit
