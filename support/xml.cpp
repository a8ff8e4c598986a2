// SPDX-License-Identifier: Apache-2.0
#include "support/xml.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/relaxng.h>
#include <libxml/tree.h>
#include <map>
#include <utility>

#include "support/text.hpp"

namespace ferry::xml {
namespace {

struct ParserState {
  bool doctype = false;
};

std::string_view view(const xmlChar *text) {
  return text == nullptr ? std::string_view{} : std::string_view(reinterpret_cast<const char *>(text));
}

const xmlChar *xml(const std::string &text) { return reinterpret_cast<const xmlChar *>(text.c_str()); }

// A DOCTYPE is where entity bombs and external references come from; no source format of ours has one.
void refuse_doctype(void *context, const xmlChar *, const xmlChar *, const xmlChar *) {
  auto *parser = static_cast<xmlParserCtxtPtr>(context);
  static_cast<ParserState *>(parser->_private)->doctype = true;
  xmlStopParser(parser);
}

void trim(std::string &text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string::npos) {
    text.clear();
    return;
  }
  text = text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string space_of(const xmlNs *ns) { return ns == nullptr ? std::string{} : std::string(view(ns->href)); }

// Where snapshots lie in each other a path has hundreds of steps, for each of thousands of settings. What lies between
// the first two and the last is left out then, as XPath's "//" does; the line says which one is meant.
std::string shortened(const std::string &path) {
  constexpr std::size_t kMostPath = 256;  // bytes
  constexpr std::size_t kKept = 120;      // at least, of the end
  if (path.size() <= kMostPath) return path;
  const std::size_t second = path.find('/', path.find('/', 1) + 1);
  const std::size_t rest = path.find('/', path.size() - kKept);
  if (second == std::string::npos || rest == std::string::npos || second >= rest) return path;
  return path.substr(0, second) + "/" + path.substr(rest);
}

// Recursion is bounded: without XML_PARSE_HUGE libxml2 refuses documents deeper than its limit, see allow_depth().
// What is converted is freed at once: both trees whole would be twice the memory.
Element convert(xmlNode *node, std::string path) {
  Element out;
  out.name = view(node->name);
  out.space = space_of(node->ns);
  out.line = static_cast<std::uint64_t>(xmlGetLineNo(node));
  out.path = std::move(path);
  for (const xmlAttr *attr = node->properties; attr != nullptr; attr = attr->next) {
    std::string value;
    for (const xmlNode *part = attr->children; part != nullptr; part = part->next) value += view(part->content);
    out.attributes.push_back({std::string(view(attr->name)), space_of(attr->ns), std::move(value)});
  }
  std::map<std::string_view, int> total;
  std::map<std::string_view, int> seen;
  for (const xmlNode *part = node->children; part != nullptr; part = part->next) {
    if (part->type == XML_ELEMENT_NODE) ++total[view(part->name)];
  }
  std::size_t elements = 0;
  for (const auto &[name, count] : total) elements += static_cast<std::size_t>(count);
  out.children.reserve(elements);
  for (xmlNode *part = node->children, *next = nullptr; part != nullptr; part = next) {
    next = part->next;
    if (part->type == XML_TEXT_NODE || part->type == XML_CDATA_SECTION_NODE) out.text += view(part->content);
    if (part->type == XML_ELEMENT_NODE) {
      const std::string_view name = view(part->name);  // the document's dictionary has it, not the node
      std::string child_path = out.path + "/" + std::string(name);
      if (total[name] > 1) child_path += "[" + std::to_string(++seen[name]) + "]";
      out.children.push_back(convert(part, shortened(child_path)));
    }
    xmlUnlinkNode(part);
    xmlFreeNode(part);
  }
  trim(out.text);
  return out;
}

// VirtualBox nests up to 250 snapshots, two elements each. libxml2 stops at 256 elements before 2.12, at 2048 since.
void allow_depth() {
#if LIBXML_VERSION < 21200
  constexpr unsigned kDepth = 1024;
  xmlParserMaxDepth = kDepth;
#endif
}

// XML 1.0 "Char", and valid UTF-8; anything else is replaced.
std::string clean(std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string out;
  for (const char32_t c : text::decode_utf8_lossy(text)) {
    const bool allowed = c == 0x9 || c == 0xA || c == 0xD || (c >= 0x20 && c <= 0xD7FF) ||
                         (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF);
    if (allowed) {
      text::append_utf8(out, c);
    } else {
      out += kReplacement;
    }
  }
  return out;
}

}  // namespace

const Element *Element::child(std::string_view local_name) const {
  for (const Element &element : children) {
    if (element.name == local_name) return &element;
  }
  return nullptr;
}

const std::string *Element::attribute(std::string_view local_name) const {
  for (const Attribute &attr : attributes) {
    if (attr.name == local_name) return &attr.value;
  }
  return nullptr;
}

// Each element and attribute costs some hundred bytes in the tree and in the account of settings. The largest settings
// of a real machine, with VirtualBox's limit of 250 snapshots, have some 40,000 elements and 120,000 attributes.
void refuse_too_many(std::string_view bytes, const std::filesystem::path &shown_as) {
  constexpr std::size_t kMostElements = 60'000;
  constexpr std::size_t kMostAttributes = 160'000;
  const auto elements = static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '<'));
  const auto attributes = static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '='));
  // Closing tags are half of the brackets at most.
  if (elements / 2 <= kMostElements && attributes <= kMostAttributes) return;
  throw Error(ErrorKind::malformed,
              {.where = {.file = shown_as},
               .message = "the XML document has too many elements or attributes for a machine",
               .found = std::to_string(elements) + " tags, " + std::to_string(attributes) + " attributes",
               .expected = "at most " + std::to_string(2 * kMostElements) + " tags and " +
                           std::to_string(kMostAttributes) + " attributes",
               .advice = "Remove what a program has piled up there, such as extra data or guest "
                         "properties."});
}

Element parse(std::string_view bytes, const std::filesystem::path &shown_as) {
  // UTF-16, whatever the declaration says, which an editor that saves as UTF-16 leaves as it was.
  std::string converted;
  if (auto utf8 = text::from_marked_utf16(bytes)) {
    converted = std::move(*utf8);
    const std::size_t end = converted.starts_with("<?xml") ? converted.find("?>") : std::string::npos;
    if (end != std::string::npos) {
      for (std::size_t i = 0; i < end + 2; ++i) converted[i] = converted[i] == '\n' ? '\n' : ' ';
      converted.erase(0, converted.find_first_not_of(' '));
    }
    bytes = converted;
  }
  if (bytes.size() > kMostBytes) {
    throw Error(ErrorKind::malformed, {.where = {.file = shown_as},
                                       .message = "the XML document is too large",
                                       .found = std::to_string(bytes.size()) + " bytes",
                                       .expected = "at most " + std::to_string(kMostBytes) + " bytes"});
  }
  refuse_too_many(bytes, shown_as);
  static const bool kDeeper = (allow_depth(), true);  // once: the limit is libxml2's global
  (void)kDeeper;
  const std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> parser(
      xmlCreateMemoryParserCtxt(bytes.data(), static_cast<int>(bytes.size())), &xmlFreeParserCtxt);
  if (!parser) {
    throw Error(ErrorKind::malformed,
                {.where = {.file = shown_as}, .message = "the file is empty", .expected = "an XML document"});
  }
  ParserState state;
  parser->_private = &state;
  xmlCtxtUseOptions(parser.get(), XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES);
  parser->sax->internalSubset = refuse_doctype;
  xmlParseDocument(parser.get());
  const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> doc(std::exchange(parser->myDoc, nullptr), &xmlFreeDoc);
  if (state.doctype) {
    throw Error(ErrorKind::malformed,
                {.where = {.file = shown_as},
                 .message = "the file has a DOCTYPE declaration",
                 .expected = "plain XML without a document type",
                 .advice = "Remove the declaration if you trust the file: neither VirtualBox nor VMware writes one."});
  }
  if (parser->wellFormed == 0 || !doc || xmlDocGetRootElement(doc.get()) == nullptr) {
    const auto *error = xmlCtxtGetLastError(parser.get());
    std::string why = error != nullptr && error->message != nullptr ? error->message : "no root element";
    trim(why);
    Place where{.file = shown_as};
    if (error != nullptr && error->line > 0) where.line = static_cast<std::uint64_t>(error->line);
    throw Error(ErrorKind::malformed, {.where = where,
                                       .message = "the XML is not well formed: " + why,
                                       .advice = "Look for a backup beside the file, which may be truncated "
                                                 "(VirtualBox keeps one whose name ends in -prev)."});
  }
  xmlNode *root = xmlDocGetRootElement(doc.get());
  return convert(root, "/" + std::string(view(root->name)));
}

Node Node::child(std::string_view name) { return Node(xmlNewChild(node_, nullptr, xml(std::string(name)), nullptr)); }

Node Node::child(std::string_view name, std::string_view text) {
  // xmlNewTextChild escapes; xmlNewChild would drop text after a bare '&'.
  return Node(xmlNewTextChild(node_, nullptr, xml(std::string(name)), xml(clean(text))));
}

Node &Node::set(std::string_view name, std::string_view value) {
  xmlSetProp(node_, xml(std::string(name)), xml(clean(value)));
  return *this;
}

Node &Node::set(std::string_view name, std::uint64_t value) { return set(name, std::to_string(value)); }

Node &Node::define_namespace(std::string_view prefix, std::string_view uri) {
  xmlNewNs(node_, xml(std::string(uri)), xml(std::string(prefix)));
  return *this;
}

std::string escaped_content(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string escaped_value(std::string_view text) {
  std::string out;
  for (const char c : escaped_content(text)) {
    switch (c) {
      case '\'': out += "&apos;"; break;
      case '\n': out += "&#10;"; break;
      case '\r': out += "&#13;"; break;
      case '\t': out += "&#9;"; break;
      default: out += c;
    }
  }
  return out;
}

Node Node::child_in(std::string_view prefix, std::string_view name) {
  Node made = child(name);
  xmlSetNs(made.node_, xmlSearchNs(node_->doc, node_, xml(std::string(prefix))));
  return made;
}

Node &Node::import(std::string_view document) {
  const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> doc(
      xmlReadMemory(document.data(), static_cast<int>(document.size()), nullptr, "UTF-8",
                    XML_PARSE_NONET | XML_PARSE_NOBLANKS | XML_PARSE_NOERROR | XML_PARSE_NOWARNING),
      &xmlFreeDoc);
  if (!doc) throw Error(ErrorKind::internal, {.message = "XML of our own making does not parse"});
  xmlAddChild(node_, xmlDocCopyNode(xmlDocGetRootElement(doc.get()), node_->doc, 1));
  return *this;
}

Document::Document(std::string_view root_name) : doc_(xmlNewDoc(xml(std::string("1.0"))), &xmlFreeDoc) {
  xmlDocSetRootElement(doc_.get(), xmlNewNode(nullptr, xml(std::string(root_name))));
}

Document::~Document() = default;

Node Document::root() { return Node(xmlDocGetRootElement(doc_.get())); }

std::string Document::text() const {
  xmlChar *buffer = nullptr;
  int size = 0;
  xmlDocDumpFormatMemoryEnc(doc_.get(), &buffer, &size, "UTF-8", 1);
  const std::unique_ptr<xmlChar, void (*)(void *)> owned(buffer, xmlFree);
  std::string out(reinterpret_cast<const char *>(buffer), static_cast<std::size_t>(size));
  if (out.starts_with("<?xml")) out.erase(0, out.find('\n') + 1);
  return out;
}

std::vector<std::string> validate_relaxng(std::string_view document, const std::filesystem::path &schema) {
  std::vector<std::string> messages;
  const auto collect = [](void *into, auto *error) {
    std::string text = error->message != nullptr ? error->message : "unknown error";
    trim(text);
    static_cast<std::vector<std::string> *>(into)->push_back("line " + std::to_string(error->line) + ": " + text);
  };
  const std::unique_ptr<xmlRelaxNGParserCtxt, decltype(&xmlRelaxNGFreeParserCtxt)> parser(
      xmlRelaxNGNewParserCtxt(schema.c_str()), &xmlRelaxNGFreeParserCtxt);
  const std::unique_ptr<xmlRelaxNG, decltype(&xmlRelaxNGFree)> rng(parser ? xmlRelaxNGParse(parser.get()) : nullptr,
                                                                   &xmlRelaxNGFree);
  if (!rng) {
    throw Error(ErrorKind::io, {.where = {.file = schema}, .message = "the RELAX NG schema cannot be read"});
  }
  const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> doc(
      xmlReadMemory(document.data(), static_cast<int>(document.size()), "document.xml", nullptr, XML_PARSE_NONET),
      &xmlFreeDoc);
  if (!doc) return {"not well formed"};
  const std::unique_ptr<xmlRelaxNGValidCtxt, decltype(&xmlRelaxNGFreeValidCtxt)> valid(
      xmlRelaxNGNewValidCtxt(rng.get()), &xmlRelaxNGFreeValidCtxt);
  xmlRelaxNGSetValidStructuredErrors(valid.get(), collect, &messages);
  if (xmlRelaxNGValidateDoc(valid.get(), doc.get()) != 0 && messages.empty()) messages.emplace_back("invalid");
  return messages;
}

}  // namespace ferry::xml
