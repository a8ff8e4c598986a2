// SPDX-License-Identifier: Apache-2.0
#include "migration/script.hpp"

#include <ctime>

#include "converters/firmware/tpm_state.hpp"
#include "migration/host.hpp"
#include "migration/migrate.hpp"
#include "migration/run_record.hpp"

#include "support/file.hpp"
#include "support/text.hpp"
#include "support/xml.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::string out(16, '\0');
  out.resize(std::strftime(out.data(), out.size(), "%Y-%m-%d", &parts));
  return out;
}

fs::path folder_of(const fs::path &file) {
  return file.empty() ? fs::path() : fs::absolute(file).lexically_normal().parent_path();
}

// Where this user's libvirt keeps the state of the machine's TPM; empty when there is none.
fs::path tpm_state_of(const xml::Element &domain, const std::string &connect) {
  const xml::Element *uuid = domain.child("uuid");
  const xml::Element *devices = domain.child("devices");
  const xml::Element *tpm = devices == nullptr ? nullptr : devices->child("tpm");
  if (uuid == nullptr || tpm == nullptr || !is_own_session(connect)) return {};
  const xml::Element *backend = tpm->child("backend");
  const std::string *version = backend == nullptr ? nullptr : backend->attribute("version");
  fs::path out = tpm_folders() / uuid->text / (version != nullptr && *version == "1.2" ? "tpm1.2" : "tpm2");
  std::error_code error;
  return fs::is_directory(out, error) ? out : fs::path();
}

script::Request request_for(const xml::Element &domain, const std::string &from, const fs::path &file) {
  script::Request out;
  out.domain = &domain;
  out.folder = folder_of(file);
  out.heading = from + " on " + today();
  out.bridges = bridges_of_user();
  return out;
}

}  // namespace

std::optional<ScriptResult> script_of_machine(const std::string &name, const std::string &connect,
                                              const fs::path &file) {
  const auto machines = machines_at(connect);
  auto facts = machines->machine_named(name);
  if (!facts && Uuid::parse(name)) facts = machines->machine_of(name);
  if (!facts) return std::nullopt;
  const target::SavedMachine saved = machines->save(facts->name);
  const xml::Element domain = xml::parse(saved.document, "libvirt domain");
  script::Request request = request_for(domain, "from the domain \"" + facts->name + "\" of " + connect, file);
  request.tpm_state = tpm_state_of(domain, connect);
  request.snapshots = facts->snapshots.size();
  request.is_defined = true;
  return ScriptResult{.script = script::write_script(request)};
}

ScriptResult script_of_source(const std::string &source, const Options &given, const fs::path &file, Progress *progress,
                              const std::stop_token &stop) {
  Options options = given;
  options.define = false;
  options.tpm_beside = true;
  options.dest = folder_of(file);
  const FoundSource found = find_source(source);
  Host host = host_for_run(options);
  std::vector<Planned> all = plan_source(found, options, *host.target, all_runs());
  if (all.size() > 1) {
    throw Error(ErrorKind::usage, {.where = {.file = found.file},
                                   .message = "a script is of one machine, and the source has several",
                                   .found = std::to_string(all.size()) + " machines",
                                   .advice = "Migrate them, and write a script of each domain."});
  }
  Planned &planned = all.front();
  migrate_planned(planned, options, host, progress, stop);
  if (planned.report.refusal) throw Error(planned.report.refusal->kind, planned.report.refusal->detail);
  const xml::Element domain = xml::parse(planned.report.domain_xml, "domain");
  script::Request request = request_for(domain, "from " + found.file.string(), file);
  if (planned.plan && !planned.plan->tpm_state.empty())
    request.tpm_state = (planned.plan->tpm_folder / firmware::swtpm_state_name(planned.plan->tpm_kind)).parent_path();
  ScriptResult out{.script = script::write_script(request)};
  out.findings = planned.report.findings;
  out.run = planned.report.run;
  return out;
}

void write_script_file(const fs::path &file, const std::string &text, bool overwrite) {
  file::publish(file, text, overwrite ? file::Existing::replace : file::Existing::keep);
  fs::permissions(file, fs::perms::owner_exec, fs::perm_options::add);
}

}  // namespace ferry::migration
