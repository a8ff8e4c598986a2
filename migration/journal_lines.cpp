// SPDX-License-Identifier: Apache-2.0
#include "migration/journal_lines.hpp"

#include <nlohmann/json.hpp>

#include "support/error.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// ---- writing ----

Json encoded(const std::string &text) {
  if (text::is_valid_utf8(text)) return text;
  return {{"hex", text::hex({reinterpret_cast<const std::uint8_t *>(text.data()), text.size()})}};
}
Json encoded(const fs::path &path) { return encoded(path.string()); }

Json encoded(const file::Status &status) {
  return {{"inode", status.inode}, {"size", status.size}, {"time", status.modified}, {"ctime", status.changed}};
}

Json encoded(const MadeFile &made) {
  Json out{{"file", encoded(made.file)}};
  out.update(encoded(made.status));
  if (made.placed) out["placed"] = true;
  if (made.born != 0) out["born"] = made.born;
  return out;
}

std::string one_line(const Json &json) { return json.dump(); }

// ---- reading ----

std::string decoded(const Json &json) {
  if (json.is_string()) return json;
  const std::string hex = json.at("hex");
  std::string out;
  const auto digit = [](char c) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const std::size_t at = kDigits.find(c);
    if (at == std::string_view::npos) throw Error(ErrorKind::malformed, {.message = "a name is not hexadecimal"});
    return at;
  };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) out += static_cast<char>(digit(hex[i]) << 4U | digit(hex[i + 1]));
  return out;
}

std::string text_of(const Json &line, const char *key) {
  const auto found = line.find(key);
  return found == line.end() ? std::string() : decoded(*found);
}

file::Status status_of(const Json &line) {
  file::Status out;
  out.inode = line.value("inode", std::uint64_t{0});
  out.size = line.value("size", std::uint64_t{0});
  out.modified = line.value("time", std::int64_t{0});
  out.changed = line.value("ctime", std::int64_t{0});
  return out;
}

MadeFile made_of(const Json &line) {
  return {fs::path(decoded(line.at("file"))), status_of(line), line.value("placed", false),
          line.value("born", std::int64_t{0})};
}

void apply_begin(RunRecord &record, const Json &line) {
  record.source = text_of(line, "source");
  record.machine = text_of(line, "machine");
  record.domain_uuid = text_of(line, "uuid");
  record.connect = text_of(line, "connect");
  record.dest = text_of(line, "dest");
  record.plan = text_of(line, "plan");
  for (const Json &file : line.value("files", Json::array()))
    record.files.push_back({fs::path(decoded(file.at("file"))), status_of(file)});
}

void apply_domain(RunRecord &record, const Json &line) {
  record.domain = text_of(line, "domain");
  record.domain_uuid = text_of(line, "uuid");
  record.snapshots.clear();
  record.disks.clear();
  for (const Json &name : line.value("snapshots", Json::array())) record.snapshots.push_back(decoded(name));
  for (const Json &file : line.value("disks", Json::array())) record.disks.emplace_back(decoded(file));
}

void apply_pull(RunRecord &record, const Json &line) {
  PullRecord pull;
  for (const Json &file : line.value("disks", Json::array())) pull.disks.emplace_back(decoded(file));
  pull.socket = text_of(line, "socket");
  pull.limit = line.value("limit", std::uint64_t{0});
  pull.served = text_of(line, "served");
  record.pull = std::move(pull);
}

// What a run made, and what it set aside for it.
bool apply_files(RunRecord &record, const std::string &event, const Json &line) {
  if (event == "staging") {
    record.staging = text_of(line, "folder");
  } else if (event == "aside") {
    record.aside.push_back({fs::path(decoded(line.at("file"))), fs::path(decoded(line.at("kept"))),
                            line.value("inode", std::uint64_t{0}), line.value("ctime", std::int64_t{0})});
  } else if (event == "replace") {
    record.replaced =
        ReplacedDomain{decoded(line.at("domain")), decoded(line.at("uuid")), fs::path(decoded(line.at("saved")))};
  } else if (event == "publish") {
    record.published.push_back(made_of(line));
  } else if (event == "published") {
    record.published.clear();
    for (const Json &file : line.at("files")) record.published.push_back(made_of(file));
    record.all_published = true;
  } else if (event == "moved") {  // away for another run, and back
    const MadeFile moved = made_of(line);
    for (MadeFile &made : record.published) {
      if (made.file == moved.file) made = moved;
    }
  } else if (event == "state_folder") {
    record.state_folder = StateFolder{fs::path(decoded(line.at("folder"))), line.value("made", false)};
  } else if (event == "state") {
    record.state.push_back(made_of(line));
  } else {
    return false;
  }
  return true;
}

void apply(RunRecord &record, const Json &line) {
  const std::string event = line.at("event");
  if (event == "begin") {
    apply_begin(record, line);
  } else if (event == "define") {
    apply_domain(record, line);
  } else if (event == "pull") {
    apply_pull(record, line);
  } else if (!apply_files(record, event, line)) {
    if (event == "defined") record.defined = true;
    if (event == "start") record.started = true;
    if (event == "pulled") record.pulled = true;
    if (event == "done") record.done = true;
    if (event == "kept") record.kept = true;
    if (event == "undone") record.undone = true;
  }
}

}  // namespace

namespace lines {

std::string event(std::string_view name) { return one_line({{"event", name}}); }

std::string begin(const Journal::Begin &begin) {
  Json files = Json::array();
  for (const SourceFile &file : begin.files) {
    Json entry{{"file", encoded(file.file)}};
    entry.update(encoded(file.status));
    files.push_back(std::move(entry));
  }
  Json line{{"event", "begin"},
            {"source", encoded(begin.source)},
            {"machine", encoded(begin.machine)},
            {"uuid", encoded(begin.uuid)},
            {"connect", encoded(begin.connect)},
            {"dest", encoded(begin.dest)},
            {"plan", begin.plan},
            {"files", std::move(files)}};
  for (const std::string &change : begin.changes) line["changes"].push_back(encoded(change));
  return one_line(line);
}

std::string staging(const fs::path &folder) { return one_line({{"event", "staging"}, {"folder", encoded(folder)}}); }

std::string aside(const SetAside &what) {
  return one_line({{"event", "aside"},
                   {"file", encoded(what.file)},
                   {"kept", encoded(what.kept)},
                   {"inode", what.inode},
                   {"ctime", what.changed}});
}

std::string replace(const ReplacedDomain &domain) {
  return one_line({{"event", "replace"},
                   {"domain", encoded(domain.name)},
                   {"uuid", encoded(domain.uuid)},
                   {"saved", encoded(domain.saved)}});
}

std::string made(std::string_view event, const MadeFile &file) {
  Json line{{"event", event}};
  line.update(encoded(file));
  return one_line(line);
}

std::string published(const std::vector<MadeFile> &files) {
  Json list = Json::array();
  for (const MadeFile &file : files) list.push_back(encoded(file));
  return one_line({{"event", "published"}, {"files", std::move(list)}});
}

std::string state_folder(const StateFolder &folder) {
  return one_line({{"event", "state_folder"}, {"folder", encoded(folder.folder)}, {"made", folder.made}});
}

std::string pull(const PullRecord &what) {
  Json disks = Json::array();
  for (const fs::path &file : what.disks) disks.push_back(encoded(file));
  return one_line({{"event", "pull"},
                   {"disks", std::move(disks)},
                   {"socket", encoded(what.socket)},
                   {"limit", what.limit},
                   {"served", encoded(what.served)}});
}

std::string define(const Journal::Domain &domain) {
  Json snapshots = Json::array(), disks = Json::array();
  for (const std::string &name : domain.snapshots) snapshots.push_back(encoded(name));
  for (const fs::path &file : domain.disks) disks.push_back(encoded(file));
  return one_line({{"event", "define"},
                   {"domain", encoded(domain.name)},
                   {"uuid", encoded(domain.uuid)},
                   {"snapshots", std::move(snapshots)},
                   {"disks", std::move(disks)}});
}

}  // namespace lines

bool detail::apply_line(RunRecord &record, const std::string &line, std::uint64_t number) {
  const Json json = Json::parse(line, nullptr, false);
  if (json.is_discarded()) return false;
  try {
    apply(record, json);
  } catch (const Json::exception &error) {
    throw Error(ErrorKind::malformed, {.where = {.file = journal_file(record.run), .line = number},
                                       .message = std::string("the journal is damaged: ") + error.what()});
  }
  return true;
}

}  // namespace ferry::migration
