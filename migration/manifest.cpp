// SPDX-License-Identifier: Apache-2.0
// The batch manifest: YAML with `defaults` and `machines`; every key but `source` is an option's long name.
#include "migration/manifest.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "migration/option_values.hpp"

#include "support/digest.hpp"
#include "support/file.hpp"
#include "support/file_names.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

Place place_of(const fs::path &file, const YAML::Node &node, std::string path) {
  const int line = node.Mark().line;
  return {file, line < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(line) + 1), std::move(path)};
}

[[noreturn]] void malformed(Place where, std::string message, std::string expected) {
  throw Error(ErrorKind::usage,
              {.where = std::move(where), .message = std::move(message), .expected = std::move(expected)});
}

std::string known_keys() {
  std::string out = "source, bytes";
  for (const OptionSpec &spec : option_specs()) out += ", " + std::string(spec.name);
  return out;
}

// A word or number; YAML's null, lists and maps are none.
std::string text_of(const fs::path &file, const YAML::Node &node, const std::string &key) {
  if (!node.IsScalar()) malformed(place_of(file, node, key), "this is not a single value", "a word, number or text");
  return node.Scalar();
}

void apply_value(Options &options, const fs::path &file, const std::string &key, const YAML::Node &value) {
  try {
    if (value.IsScalar()) {
      apply_option(options, key, value.Scalar());
    } else if (value.IsSequence()) {  // mac: [1=..., 2=...]
      for (const YAML::Node &item : value) apply_value(options, file, key, item);
    } else if (value.IsMap()) {  // network: {1: bridge:br0}
      for (const auto &item : value)
        apply_option(options, key, text_of(file, item.first, key) + "=" + text_of(file, item.second, key));
    } else {
      malformed(place_of(file, value, key), "the option has no value", "a value, a list or a map");
    }
  } catch (const Error &error) {
    ErrorDetail detail = error.detail();
    if (detail.where.file != file) detail.where = place_of(file, value, key);
    throw Error(error.kind(), detail);
  }
}

void apply_map(Options &options, const fs::path &file, const YAML::Node &map) {
  if (!map.IsMap()) malformed(place_of(file, map, ""), "this is not a map of options", "key: value lines");
  for (const auto &item : map) {
    const std::string key = text_of(file, item.first, "");
    if (key == "source" || key == "bytes") continue;
    const auto specs = option_specs();
    if (std::none_of(specs.begin(), specs.end(), [&](const OptionSpec &spec) { return spec.name == key; })) {
      malformed(place_of(file, item.first, key), "the manifest has an unknown key \"" + text::printable(key) + "\"",
                "one of " + known_keys());
    }
    apply_value(options, file, key, item.second);
  }
}

// How much data a machine has, for --shard.
std::optional<std::uint64_t> bytes_of(const fs::path &file, const YAML::Node &machine) {
  const YAML::Node bytes = machine["bytes"];
  if (!bytes) return std::nullopt;
  const auto out = text::parse_u64(text_of(file, bytes, "bytes"));
  if (!out) malformed(place_of(file, bytes, "bytes"), "this is not a number of bytes", "digits");
  return out;
}

constexpr std::size_t kMaxManifestBytes = 4U << 20U;  // two hundred machines are some 20 KiB

void refuse_other_files(const fs::path &file) {
  std::error_code error;
  if (fs::is_regular_file(file, error) && fs::file_size(file, error) <= kMaxManifestBytes && !error) return;
  malformed({.file = file}, "this is not a batch manifest", "a YAML file of at most 4 MiB");
}

// Follows a document as its events come, before a tree is made of it: an alias that stands inside of what it names goes
// round for ever, and aliases of aliases grow without end.
class Growth final : public YAML::EventHandler {
 public:
  explicit Growth(const fs::path &file) : file_(file) {}
  void OnDocumentStart(const YAML::Mark & /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark &mark, YAML::anchor_t anchor) override { leaf(mark, anchor); }
  void OnScalar(const YAML::Mark &mark, const std::string & /*tag*/, YAML::anchor_t anchor,
                const std::string & /*value*/) override {
    leaf(mark, anchor);
  }
  void OnAlias(const YAML::Mark &mark, YAML::anchor_t anchor) override {
    const auto size = sizes_.find(anchor);
    if (size == sizes_.end())
      malformed({file_, static_cast<std::uint64_t>(mark.line) + 1, {}}, "an alias is part of what it refers to",
                "aliases that refer to what comes before them");
    add(mark, size->second);
  }
  void OnSequenceStart(const YAML::Mark &mark, const std::string & /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark &mark, const std::string & /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  static constexpr std::uint64_t kMost = 1'000'000;  // values, with those that aliases repeat
  static constexpr std::size_t kDeepest = 64;

  void add(const YAML::Mark &mark, std::uint64_t values) {
    total_ += values;
    if (total_ <= kMost) return;
    malformed({file_, static_cast<std::uint64_t>(mark.line) + 1, {}}, "the manifest has too many values",
              "at most " + std::to_string(kMost) + ", with those that aliases repeat");
  }
  void leaf(const YAML::Mark &mark, YAML::anchor_t anchor) {
    add(mark, 1);
    if (anchor != 0) sizes_[anchor] = 1;
  }
  void open(const YAML::Mark &mark, YAML::anchor_t anchor) {
    add(mark, 1);
    if (open_.size() >= kDeepest)
      malformed({file_, static_cast<std::uint64_t>(mark.line) + 1, {}}, "the manifest is nested too deeply",
                "at most " + std::to_string(kDeepest) + " levels");
    open_.emplace_back(anchor, total_);
  }
  void close() {
    const auto [anchor, before] = open_.back();
    open_.pop_back();
    if (anchor != 0) sizes_[anchor] = total_ - before + 1;
  }

  const fs::path &file_;
  std::uint64_t total_ = 0;
  std::vector<std::pair<YAML::anchor_t, std::uint64_t>> open_;
  std::map<YAML::anchor_t, std::uint64_t> sizes_;
};

void refuse_growth(const fs::path &file, const std::string &text) {
  std::istringstream in(text);
  YAML::Parser parser(in);
  Growth growth(file);
  while (parser.HandleNextDocument(growth)) {
  }
}

// A relative path in a manifest is relative to the manifest, wherever the command runs.
std::string resolved(const fs::path &manifest, const std::string &source) {
  const fs::path beside = names::as_spelt(manifest.parent_path() / source);
  return fs::exists(beside) ? beside.string() : source;
}

}  // namespace

std::string manifest_digest(const fs::path &file) {
  Digest digest("SHA256");
  const std::string text = file::read_start(file, kMaxManifestBytes);
  digest.update(text.data(), text.size());
  return digest.finish();
}

std::vector<BatchEntry> manifest_entries(const fs::path &file, const Options &defaults) {
  refuse_other_files(file);
  const std::string text = file::read_start(file, kMaxManifestBytes);
  YAML::Node root;
  try {
    refuse_growth(file, text);
    root = YAML::Load(text);
  } catch (const YAML::ParserException &error) {
    malformed({file, static_cast<std::uint64_t>(error.mark.line) + 1, {}}, "the manifest is not YAML: " + error.msg,
              "a YAML document");
  } catch (const YAML::Exception &error) {  // BadFile, or an alias or nesting that it refuses
    if (!error.mark.is_null())
      malformed({file, static_cast<std::uint64_t>(error.mark.line) + 1, {}}, "the manifest is not YAML: " + error.msg,
                "a YAML document");
    throw Error(ErrorKind::missing, {.where = {.file = file}, .message = "the manifest cannot be read"});
  }
  if (!root.IsMap() || !root["machines"] || !root["machines"].IsSequence()) {
    malformed({file, 1, {}}, "this is not a batch manifest",
              "a map with a list 'machines' and, optionally, 'defaults'");
  }
  for (const auto &item : root) {
    const std::string key = text_of(file, item.first, "");
    if (key != "machines" && key != "defaults")
      malformed(place_of(file, item.first, key), "the manifest has an unknown key \"" + text::printable(key) + "\"",
                "defaults or machines");
  }
  Options base = defaults;
  if (root["defaults"]) apply_map(base, file, root["defaults"]);
  if (root["machines"].size() == 0)
    malformed(place_of(file, root["machines"], "machines"), "the manifest lists no machine", "at least one");
  std::vector<BatchEntry> out;
  for (const YAML::Node &machine : root["machines"]) {
    if (machine.IsScalar()) {
      out.push_back({resolved(file, machine.Scalar()), {}, {}, base});
      continue;
    }
    if (!machine.IsMap() || !machine["source"])
      malformed(place_of(file, machine, "machines"), "a machine has no source", "source: FILE");
    BatchEntry entry{resolved(file, text_of(file, machine["source"], "source")), {}, {}, base};
    apply_map(entry.options, file, machine);
    entry.bytes = bytes_of(file, machine);
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace ferry::migration
