// SPDX-License-Identifier: Apache-2.0
#include "importers/vmware/guest_info.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <zlib.h>

#include "support/text.hpp"
#include "support/xml.hpp"

namespace ferry::vmware {
namespace {

constexpr std::size_t kMostUnpacked = std::size_t{16} << 20U;  // bytes; guestinfo's own limit is 64 KiB a value

struct Packed {
  std::string text;
  std::string problem;  // a clause
};

// Gzip, which must be whole. nullopt for anything else, and for what is longer than any document of the kind.
std::optional<std::string> gunzipped(const std::string &bytes) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;
  if (inflateInit2(&stream, kGzip) != Z_OK) return std::nullopt;
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<char, 65536> block{};
  int result = Z_OK;
  while (result == Z_OK && out.size() <= kMostUnpacked) {
    stream.next_out = reinterpret_cast<Bytef *>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    result = inflate(&stream, Z_NO_FLUSH);
    out.append(block.data(), block.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (result != Z_STREAM_END || out.size() > kMostUnpacked) return std::nullopt;
  return out;
}

// By the names that DataSourceVMware takes.
Packed unpacked(const std::string &value, std::string_view encoding) {
  const std::string kind = text::lower_ascii(text::trim(encoding));
  if (kind.empty()) return {value, {}};
  const bool gzip = kind == "gzip+base64" || kind == "gz+b64";
  if (!gzip && kind != "base64" && kind != "b64")
    return {{}, "its encoding \"" + text::printable(kind) + "\" is not one that cloud-init knows"};
  auto bytes = text::from_base64(value);
  if (!bytes) return {{}, "it is not base64"};
  if (gzip) bytes = gunzipped(*bytes);
  if (!bytes) return {{}, "it is not gzip in base64, or too long"};
  return {std::move(*bytes), {}};
}

std::string unquoted(std::string_view value) {
  value = text::trim(value);
  if (!value.empty() && (value.front() == '"' || value.front() == '\'')) {
    const std::size_t end = value.find(value.front(), 1);
    if (end != std::string_view::npos) return std::string(value.substr(1, end - 1));
  }
  const std::size_t comment = value.find(" #");
  return std::string(text::trim(value.substr(0, comment)));
}

// ---- metadata ----

std::string text_of(const nlohmann::ordered_json &value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::optional<CloudMetadata> split_json(std::string_view text) {
  const auto document = nlohmann::ordered_json::parse(text, nullptr, false);
  if (document.is_discarded() || !document.is_object()) return std::nullopt;
  const auto written = [](const nlohmann::ordered_json &value) {
    return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  };
  CloudMetadata out;
  for (const auto &[key, value] : document.items()) {
    if (key == "instance-id") {
      out.instance_id = text_of(value);
    } else if (key == "network") {
      out.network = text_of(value);
    } else if (key == "network.encoding") {
      out.network_encoding = text_of(value);
    } else {
      out.rest += written(key) + ": " + written(value) + "\n";
    }
  }
  return out;
}

// A key of a block mapping, with the lines that belong to it.
struct Entry {
  std::string key;
  std::vector<std::string> lines;
};

bool belongs_to_the_last(std::string_view line) {
  return line.empty() || line.front() == ' ' || line.front() == '\t' || line.front() == '#' || line.front() == '\r' ||
         line == "-" || line.starts_with("- ");
}

std::vector<Entry> entries_of(std::string_view text) {
  std::vector<Entry> out(1);  // what stands before the first key
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!belongs_to_the_last(line)) {
      const std::size_t colon = line.find(':');
      out.push_back({colon == std::string_view::npos ? std::string() : unquoted(line.substr(0, colon)), {}});
    }
    out.back().lines.emplace_back(line);
  }
  return out;
}

// What stands behind the key: a scalar, or the lines below it without the indentation that they have in common.
std::string value_of(const Entry &entry) {
  const std::string &head = entry.lines.front();
  std::string scalar = unquoted(std::string_view(head).substr(head.find(':') + 1));
  const bool block_text = scalar == "|" || scalar == ">" || scalar == "|-" || scalar == ">-";
  if (!scalar.empty() && !block_text) return scalar;
  std::size_t indent = std::string::npos;
  for (std::size_t i = 1; i < entry.lines.size(); ++i) {
    const std::size_t first = entry.lines[i].find_first_not_of(" \t\r");
    if (first != std::string::npos) indent = std::min(indent, first);
  }
  std::string out;
  for (std::size_t i = 1; i < entry.lines.size(); ++i)
    out += (indent < entry.lines[i].size() ? entry.lines[i].substr(indent) : std::string()) + "\n";
  return out;
}

CloudMetadata split_yaml(std::string_view text) {
  CloudMetadata out;
  for (const Entry &entry : entries_of(text)) {
    const bool marker = !entry.lines.empty() && (entry.lines.front() == "---" || entry.lines.front() == "...");
    if (marker) continue;
    if (entry.key == "instance-id") {
      out.instance_id = std::string(text::trim(value_of(entry)));
    } else if (entry.key == "network") {
      out.network = value_of(entry);
    } else if (entry.key == "network.encoding") {
      out.network_encoding = value_of(entry);
    } else {
      for (const std::string &line : entry.lines) out.rest += line + "\n";
    }
  }
  return out;
}

// ---- the keys ----

class Reading {
 public:
  Reading(const GuestInfo &values, const std::filesystem::path &shown_as) : values_(values), shown_as_(shown_as) {}

  GuestInfoRead read() {
    take_document("userdata", "user_data", out_.data.user_data);
    take_document("vendordata", "vendor_data", out_.data.vendor_data);
    std::string metadata;
    take_document("metadata", "meta_data", metadata);
    take_metadata(metadata);
    take_environment();
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string value(const std::string &key) const {
    const auto found = values_.find(key);
    // cloud-init clears what it has read with "---".
    return found == values_.end() || text::trim(found->second) == "---" ? std::string() : found->second;
  }

  void take_document(const std::string &key, const std::string &field, std::string &into) {
    const std::string packed = value(key);
    if (text::trim(packed).empty()) return;
    Packed document = unpacked(packed, value(key + ".encoding"));
    if (!document.problem.empty()) {
      out_.problems.push_back({key, std::move(document.problem)});
      return;
    }
    into = std::move(document.text);
    out_.fields[key] = field;
    if (values_.contains(key + ".encoding")) out_.fields[key + ".encoding"] = field;
  }

  void take_metadata(const std::string &metadata) {
    if (metadata.empty()) return;
    CloudMetadata parts = split_metadata(metadata);
    Packed network = unpacked(parts.network, parts.network_encoding);
    if (!network.problem.empty()) out_.problems.push_back({"metadata", "of its network: " + network.problem});
    out_.data.instance_id = std::move(parts.instance_id);
    out_.data.network_config = std::move(network.text);
    out_.data.meta_data = std::move(parts.rest);
  }

  // The environment of a package that was deployed here: properties as they were chosen then.
  void take_environment() {
    const std::string environment = value("ovfenv");
    if (text::trim(environment).empty()) return;
    try {
      const xml::Element root = xml::parse(environment, shown_as_);
      const xml::Element *section = root.child("PropertySection");
      if (section == nullptr) return;
      for (const xml::Element &property : section->children) {
        const std::string *key = property.attribute("key");
        const std::string *chosen = property.attribute("value");
        if (property.name == "Property" && key != nullptr && !key->empty())
          out_.data.properties.push_back({.key = *key,
                                          .value = chosen == nullptr ? std::string() : *chosen,
                                          .type = {},
                                          .label = {},
                                          .required = false,
                                          .origin = {}});
      }
      out_.fields["ovfenv"] = "properties";
    } catch (const Error &error) {
      out_.problems.push_back({"ovfenv", error.detail().message});
    }
  }

  const GuestInfo &values_;
  const std::filesystem::path &shown_as_;
  GuestInfoRead out_;
};

}  // namespace

CloudMetadata split_metadata(std::string_view text) {
  if (text::trim(text).starts_with("{")) {
    if (auto parts = split_json(text)) return std::move(*parts);
  }
  return split_yaml(text);
}

bool is_empty(const GuestData &data) {
  return data.user_data.empty() && data.vendor_data.empty() && data.meta_data.empty() && data.instance_id.empty() &&
         data.network_config.empty() && data.properties.empty();
}

GuestInfoRead read_guest_info(const GuestInfo &values, const std::filesystem::path &shown_as) {
  return Reading(values, shown_as).read();
}

}  // namespace ferry::vmware
