// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "exporters/report/report.hpp"
#include "exporters/report/test_report.hpp"
#include "model/json.hpp"

namespace ferry::report {
namespace {

Json disk_json(const Disk &disk) {
  Json out{{"source", disk.source},       {"chain", disk.chain},
           {"format", disk.format},       {"virtual_size", disk.virtual_size},
           {"allocated", disk.allocated}, {"target", disk.target},
           {"engine", disk.engine}};
  if (disk.sha256) out["sha256"] = *disk.sha256;
  return out;
}

Json nic_json(const Nic &nic) {
  Json out{{"mac", nic.mac}, {"model", nic.model}, {"network", nic.network}};
  if (nic.guest_name) out["guest_name"] = *nic.guest_name;
  if (!nic.forwards.empty()) out["forwards"] = nic.forwards;
  return out;
}

Json snapshot_json(const SnapshotLine &snapshot) {
  Json out{{"name", snapshot.name}, {"id", snapshot.id}};
  if (!snapshot.description.empty()) out["description"] = snapshot.description;
  if (snapshot.created) out["created"] = *snapshot.created;
  if (snapshot.parent) out["parent"] = *snapshot.parent;
  out["current"] = snapshot.current;
  return out;
}

Json refusal_json(const Refusal &refusal) {
  const ErrorDetail &detail = refusal.detail;
  Json out{
      {"kind", std::string(to_string(refusal.kind))}, {"where", to_json(detail.where)}, {"message", detail.message}};
  if (!detail.found.empty()) out["found"] = detail.found;
  if (!detail.expected.empty()) out["expected"] = detail.expected;
  if (!detail.advice.empty()) out["advice"] = detail.advice;
  out["retry"] = may_pass(refusal);
  return out;
}

template <class T, class Convert>
Json array(const std::vector<T> &values, Convert convert) {
  Json out = Json::array();
  for (const T &value : values) out.push_back(convert(value));
  return out;
}

Json parts_json(const Parts &parts) {
  return {{"board", parts.board},
          {"controllers", array(parts.controllers,
                                [](const Parts::Controller &one) {
                                  return Json{{"name", one.name}, {"drives", one.drives}};
                                })},
          {"cards", array(parts.cards, [](const Parts::Card &one) {
             return Json{{"name", one.name}, {"network", one.network}};
           })}};
}

Json machine_json(const MachineReport &machine) {
  Json out{{"name", machine.name},
           {"source", machine.source},
           {"kind", machine.kind},
           {"status", to_string(machine.status)}};
  if (machine.number != 0) out["number"] = machine.number;
  if (!machine.run.empty()) out["run"] = machine.run;
  out["uuid"] = machine.uuid;
  out["guest_os"] = machine.guest_os;
  if (!machine.summary.empty()) out["summary"] = machine.summary;
  if (machine.refusal) out["refusal"] = refusal_json(*machine.refusal);
  if (!machine.observed.empty()) out["observed"] = machine.observed;
  out["disks"] = array(machine.disks, disk_json);
  out["nics"] = array(machine.nics, nic_json);
  out["snapshots"] = array(machine.snapshots, snapshot_json);
  out["settings"] = to_json(machine.settings.counts());
  out["settings"]["entries"] =
      array(machine.settings.entries(), [](const LedgerEntry &entry) { return to_json(entry); });
  out["findings"] = array(machine.findings, [](const Finding &finding) { return to_json(finding); });
  out["space"] = Json{{"needed", machine.space_needed}};
  if (machine.space_available) out["space"]["available"] = *machine.space_available;
  if (machine.seconds) out["seconds"] = *machine.seconds;
  if (machine.written) out["written"] = *machine.written;
  out["domain_xml"] = machine.domain_xml;
  if (machine.picture)
    out["picture"] =
        Json{{"before", parts_json(machine.picture->before)}, {"after", parts_json(machine.picture->after)}};
  out["files"] = machine.files;
  if (!machine.next_steps.empty()) out["next_steps"] = machine.next_steps;
  if (machine.test) out["test"] = test_to_json(*machine.test);
  return out;
}

}  // namespace

std::string as_json(const Document &document) {
  Json out{{"schema", std::string(kSchema)}, {"tool", document.tool}, {"host", document.host}};
  const auto add = [&out](const char *key, const std::string &value) {
    if (!value.empty()) out[key] = value;
  };
  add("batch", document.batch);
  add("made", document.made);
  add("command", document.command);
  add("user", document.user);
  if (document.rate) out["rate"] = *document.rate;
  if (document.shard) {
    out["shard"] = Json{{"index", document.shard->index},
                        {"count", document.shard->count},
                        {"manifest_sha256", document.shard->manifest}};
  }
  out["machines"] = array(document.machines, machine_json);
  // File names need not be UTF-8; a report with a replacement character beats none.
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string refusal_as_json(std::string_view schema, const Refusal &refusal) {
  const Json out{{"schema", std::string(schema)}, {"refusal", refusal_json(refusal)}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ferry::report
