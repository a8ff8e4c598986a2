// SPDX-License-Identifier: Apache-2.0
// The one wrapper of libxml2: untrusted XML in, as a plain tree; our own XML out, built through the DOM.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/error.hpp"

struct _xmlDoc;
struct _xmlNode;

namespace ferry::xml {

// Of a document. A machine with 250 snapshots has some 10 MB.
constexpr std::size_t kMostBytes = std::size_t{16} << 20U;

struct Attribute {
  std::string name;   // local name
  std::string space;  // namespace URI, or empty
  std::string value;
};

struct Element {
  std::string name;   // local name
  std::string space;  // namespace URI, or empty
  std::string text;   // the element's own character data, joined; white space trimmed at both ends
  std::uint64_t line = 0;
  // "/VirtualBox/Machine/Hardware/Network/Adapter[2]": [n] only where a name repeats; of one that lies very deep
  // "/VirtualBox/Machine//Snapshots/Snapshot/Hardware", where the line says which it is.
  std::string path;
  std::vector<Attribute> attributes;
  std::vector<Element> children;

  // First child of that local name, in any namespace; nullptr when there is none.
  [[nodiscard]] const Element *child(std::string_view local_name) const;
  // Value of the attribute of that local name, in any namespace; nullptr when there is none.
  [[nodiscard]] const std::string *attribute(std::string_view local_name) const;
};

// Parses a whole document. `shown_as` names the file in errors and places.
// Throws Error malformed for XML that is not well formed (with line), for a DOCTYPE, for input over kMostBytes, and for
// more elements or attributes than a machine has.
// Nothing outside `bytes` is ever read: no entities, no external subsets, no network.
[[nodiscard]] Element parse(std::string_view bytes, const std::filesystem::path &shown_as);

// ---- writing ----

// For text that is put together by hand, HTML too: markup and double quotes become references, white space stays.
[[nodiscard]] std::string escaped_content(std::string_view text);
// The same for a value in quotes of either kind; line breaks and tabs, which a parser takes for blanks, become
// references too.
[[nodiscard]] std::string escaped_value(std::string_view text);

// A handle on an element of a Document; valid as long as the Document lives. Text and values may hold any
// UTF-8; characters that XML 1.0 cannot carry become U+FFFD.
class Node {
 public:
  explicit Node(_xmlNode *node) : node_(node) {}
  Node child(std::string_view name);                         // appends <name/> and returns it
  Node child(std::string_view name, std::string_view text);  // appends <name>text</name>
  Node &set(std::string_view name, std::string_view value);  // sets an attribute, returns *this
  Node &set(std::string_view name, std::uint64_t value);
  Node &define_namespace(std::string_view prefix, std::string_view uri);
  // Appends an element in the namespace of `prefix`, which this node or an ancestor defines.
  Node child_in(std::string_view prefix, std::string_view name);
  // Appends the root element of `document`, XML of our own making. Throws Error internal if it does not parse.
  Node &import(std::string_view document);

 private:
  _xmlNode *node_;
};

class Document {
 public:
  explicit Document(std::string_view root_name);
  ~Document();
  Document(const Document &) = delete;
  Document &operator=(const Document &) = delete;
  [[nodiscard]] Node root();
  [[nodiscard]] std::string text() const;  // indented by two blanks, without the XML declaration

 private:
  std::unique_ptr<_xmlDoc, void (*)(_xmlDoc *)> doc_;
};

// Validates `document` against the RELAX NG schema file. Returns the messages; empty when it is valid.
// Throws Error io when the schema cannot be read.
[[nodiscard]] std::vector<std::string> validate_relaxng(std::string_view document, const std::filesystem::path &schema);

}  // namespace ferry::xml
