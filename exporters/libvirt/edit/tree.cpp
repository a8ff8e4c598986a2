// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/edit/tree.hpp"

#include <algorithm>

namespace ferry::libvirt::edit {
namespace {

void write_attributes(const Element &element, std::string &out) {
  std::size_t prefixes = 0;
  for (const xml::Attribute &one : element.attributes) {
    std::string name = one.name;
    if (!one.space.empty()) {
      const std::string prefix = "n" + std::to_string(++prefixes);
      out += " xmlns:" + prefix + "='" + xml::escaped_value(one.space) + "'";
      name = prefix + ":" + name;
    }
    out += " " + name + "='" + xml::escaped_value(one.value) + "'";
  }
}

void write_element(const Element &element, const std::string &space, std::size_t depth, std::string &out) {
  const std::string indent(depth * 2, ' ');
  out += indent + "<" + element.name;
  if (element.space != space) out += " xmlns='" + xml::escaped_value(element.space) + "'";
  write_attributes(element, out);
  if (element.children.empty() && element.text.empty()) {
    out += "/>\n";
    return;
  }
  out += ">" + xml::escaped_content(element.text);
  if (!element.children.empty()) {
    out += "\n";
    for (const Element &one : element.children) write_element(one, element.space, depth + 1, out);
    out += indent;
  }
  out += "</" + element.name + ">\n";
}

}  // namespace

Element *child(Element &parent, std::string_view name) {
  const auto found = std::find_if(parent.children.begin(), parent.children.end(),
                                  [&](const Element &one) { return one.name == name; });
  return found == parent.children.end() ? nullptr : &*found;
}

Element &child_or_new(Element &parent, std::string_view name) {
  Element *found = child(parent, name);
  return found == nullptr ? add_child(parent, name) : *found;
}

Element &add_child(Element &parent, std::string_view name) {
  Element made;
  made.name = name;
  parent.children.push_back(std::move(made));
  return parent.children.back();
}

void remove_children(Element &parent, std::string_view name) {
  std::erase_if(parent.children, [&](const Element &one) { return one.name == name; });
}

std::string attribute(const Element &element, std::string_view name) {
  const std::string *value = element.attribute(name);
  return value == nullptr ? std::string() : *value;
}

std::string attribute(const Element &element, std::string_view child_name, std::string_view name) {
  const Element *found = element.child(child_name);
  return found == nullptr ? std::string() : attribute(*found, name);
}

Element &set(Element &element, std::string_view name, std::string_view value) {
  const auto found = std::find_if(element.attributes.begin(), element.attributes.end(),
                                  [&](const xml::Attribute &one) { return one.name == name; });
  if (found != element.attributes.end()) {
    found->value = value;
  } else {
    element.attributes.push_back({.name = std::string(name), .space = {}, .value = std::string(value)});
  }
  return element;
}

void remove_attribute(Element &element, std::string_view name) {
  std::erase_if(element.attributes, [&](const xml::Attribute &one) { return one.name == name; });
}

std::string as_text(const Element &root) {
  std::string out;
  write_element(root, "", 0, out);
  return out;
}

}  // namespace ferry::libvirt::edit
