// SPDX-License-Identifier: Apache-2.0
// A report's JSON form, read back: what a run kept is shown in another form later.
#include <array>
#include <nlohmann/json.hpp>

#include "exporters/report/report.hpp"
#include "exporters/report/test_report.hpp"
#include "model/json.hpp"

namespace ferry::report {
namespace {

using Strings = std::vector<std::string>;

template <class T>
void read(const Json &json, const char *key, T &out) {
  if (const auto found = json.find(key); found != json.end()) out = found->get<T>();
}

template <class T>
void read(const Json &json, const char *key, std::optional<T> &out) {
  if (const auto found = json.find(key); found != json.end()) out = found->get<T>();
}

// The enumerator whose name the key's value is, of those from the first to `last`.
template <class T>
T named(const Json &json, const char *key, T last) {
  const std::string name = json.at(key);
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (to_string(static_cast<T>(i)) == name) return static_cast<T>(i);
  }
  throw Error(ErrorKind::malformed, {.where = {.path = key}, .message = "a word that no report has", .found = name});
}

Place place_of(const Json &json) {
  Place out;
  std::string file;
  read(json, "file", file);
  out.file = file;
  read(json, "line", out.line);
  read(json, "path", out.path);
  return out;
}

Finding finding_of(const Json &json) {
  return {json.at("id"), named(json, "severity", Severity::critical), place_of(json.at("where")), json.at("message"),
          json.at("advice")};
}

LedgerEntry entry_of(const Json &json) {
  LedgerEntry out;
  out.where = place_of(json.at("where"));
  read(json, "value", out.value);
  read(json, "field", out.field);
  out.disposition = named(json, "disposition", Disposition::irrelevant);
  read(json, "note", out.note);
  return out;
}

Disk disk_of(const Json &json) {
  Disk out;
  read(json, "source", out.source);
  read(json, "chain", out.chain);
  read(json, "format", out.format);
  read(json, "virtual_size", out.virtual_size);
  read(json, "allocated", out.allocated);
  read(json, "target", out.target);
  read(json, "engine", out.engine);
  read(json, "sha256", out.sha256);
  return out;
}

Nic nic_of(const Json &json) {
  Nic out;
  read(json, "mac", out.mac);
  read(json, "model", out.model);
  read(json, "network", out.network);
  read(json, "guest_name", out.guest_name);
  read(json, "forwards", out.forwards);
  return out;
}

SnapshotLine snapshot_of(const Json &json) {
  SnapshotLine out;
  read(json, "name", out.name);
  read(json, "id", out.id);
  read(json, "description", out.description);
  read(json, "created", out.created);
  read(json, "parent", out.parent);
  read(json, "current", out.current);
  return out;
}

Refusal refusal_of(const Json &json) {
  Refusal out{named(json, "kind", ErrorKind::internal), {}};
  out.detail.where = place_of(json.at("where"));
  read(json, "message", out.detail.message);
  read(json, "found", out.detail.found);
  read(json, "expected", out.detail.expected);
  read(json, "advice", out.detail.advice);
  return out;
}

Shard shard_of(const Json &json) { return {json.at("index"), json.at("count"), json.at("manifest_sha256")}; }

template <class T, class Convert>
void read_all(const Json &list, std::vector<T> &out, Convert convert) {
  for (const Json &one : list) out.push_back(convert(one));
}

Parts parts_of(const Json &json) {
  Parts out;
  read(json, "board", out.board);
  read_all(json.at("controllers"), out.controllers, [](const Json &one) {
    return Parts::Controller{.name = one.at("name"), .drives = one.at("drives").get<Strings>()};
  });
  read_all(json.at("cards"), out.cards,
           [](const Json &one) { return Parts::Card{.name = one.at("name"), .network = one.at("network")}; });
  return out;
}

MachineReport machine_of(const Json &json) {
  MachineReport out;
  read(json, "name", out.name);
  read(json, "source", out.source);
  read(json, "kind", out.kind);
  read(json, "number", out.number);
  out.status = named(json, "status", Status::failed);
  read(json, "run", out.run);
  read(json, "uuid", out.uuid);
  read(json, "guest_os", out.guest_os);
  read(json, "summary", out.summary);
  read(json, "observed", out.observed);
  if (json.contains("refusal")) out.refusal = refusal_of(json["refusal"]);
  read_all(json.at("disks"), out.disks, disk_of);
  read_all(json.at("nics"), out.nics, nic_of);
  read_all(json.at("snapshots"), out.snapshots, snapshot_of);
  std::vector<LedgerEntry> settings;
  read_all(json.at("settings").at("entries"), settings, entry_of);
  out.settings = Ledger(std::move(settings));
  read_all(json.at("findings"), out.findings, finding_of);
  read(json.at("space"), "needed", out.space_needed);
  read(json.at("space"), "available", out.space_available);
  read(json, "seconds", out.seconds);
  read(json, "written", out.written);
  read(json, "domain_xml", out.domain_xml);
  if (json.contains("picture"))
    out.picture = {parts_of(json["picture"].at("before")), parts_of(json["picture"].at("after"))};
  read(json, "files", out.files);
  read(json, "next_steps", out.next_steps);
  if (json.contains("test")) out.test = test_from_json(json["test"]);
  return out;
}

}  // namespace

Document from_json(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("schema") != std::string(kSchema)) {
      throw Error(ErrorKind::malformed, {.where = {.path = "schema"},
                                         .message = "this is not a report of this version",
                                         .found = json["schema"].dump(),
                                         .expected = std::string(kSchema)});
    }
    Document out;
    read(json, "tool", out.tool);
    read(json, "host", out.host);
    read(json, "batch", out.batch);
    read(json, "made", out.made);
    read(json, "command", out.command);
    read(json, "user", out.user);
    read(json, "rate", out.rate);
    if (json.contains("shard")) out.shard = shard_of(json["shard"]);
    read_all(json.at("machines"), out.machines, machine_of);
    return out;
  } catch (const nlohmann::json::exception &error) {
    throw Error(ErrorKind::malformed, {.message = "the report cannot be read: " + std::string(error.what())});
  }
}

}  // namespace ferry::report
