// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/machine_options.hpp"
#include "cli/output.hpp"
#include "cli/yaml_text.hpp"
#include "migration/look_inside.hpp"
#include "migration/outside.hpp"
#include "migration/reader.hpp"
#include "migration/source.hpp"
#include "migration/touched_files.hpp"
#include "model/json.hpp"

#include "support/secrets.hpp"
#include "support/text.hpp"

namespace ferry::cli {
namespace {

struct InspectCommand {
  std::string source;
  migration::Options options;  // those that say where the source's files are
  bool guest = false;
  OutputOptions output;
};

// What the model does not say, because nobody knows what it means.
Json unknown_settings(const ImportedMachine &imported, bool show_values) {
  Json out = Json::array();
  for (LedgerEntry entry : imported.ledger.entries()) {
    if (entry.disposition != Disposition::unknown) continue;
    if (!show_values && !entry.value.empty() && entry.value != secrets::kHidden) entry.value = secrets::kHiddenUnknown;
    const Json whole = to_json(entry, {{}, imported.machine.source.file});
    Json one{{"origin", whole["where"]}};
    if (whole["where"].contains("path")) one["setting"] = whole["where"]["path"];
    if (whole.contains("value")) one["value"] = whole["value"];
    out.push_back(std::move(one));
  }
  return out;
}

void run(const InspectCommand &command) {
  check_output(command.output, {command.source});
  Json machines = Json::array();
  std::vector<std::filesystem::path> touched;
  const migration::FoundSource source = migration::find_source(command.source);
  const auto reader = migration::reader_of(source, command.options);
  for (migration::ReadMachine &read : reader->import(migration::Newer::ignore)) {
    ImportedMachine &imported = read.imported;
    for (Finding &finding : migration::findings_of(migration::files_outside(imported.machine, command.options)))
      imported.findings.push_back(std::move(finding));
    if (auto said = migration::uncaged(*reader, imported.machine.source.file))
      imported.findings.push_back(std::move(*said));
    const auto files = migration::input_files(imported.machine, {});
    touched.insert(touched.end(), files.begin(), files.end());
    Json machine = to_json(imported.machine);
    for (const Finding &finding : imported.findings)
      machine["findings"].push_back(to_json(finding, {{}, imported.machine.source.file}));
    if (Json unknown = unknown_settings(imported, command.options.show_values); !unknown.empty())
      machine["unknown_settings"] = std::move(unknown);
    if (command.guest) machine["observed"] = to_json(migration::look_inside(imported.machine, command.options, reader));
    machines.push_back(std::move(machine));
  }
  std::string out;
  if (command.output.format == "json") {
    out = Json{{"schema", "virt-ferry-machine/1"}, {"machines", machines}}.dump(2, ' ', false,
                                                                                Json::error_handler_t::replace) +
          "\n";
  } else {
    out = as_yaml(machines);
  }
  check_output(command.output, touched);
  write_output(command.output, out);
}

}  // namespace

void setup_inspect(CLI::App &app, Context &context) {
  auto command = std::make_shared<InspectCommand>();
  context.state.push_back(command);
  CLI::App *sub = app.add_subcommand("inspect", "Show what the source says, as the common machine model in YAML.");
  sub->add_option("SOURCE", command->source,
                  "a .vbox, .vmx, .ovf, .ova or .box file, a QEMU script, pid:N, a folder with one, "
                  "ssh://[USER@]HOST/PATH, or a "
                  "name that 'list' shows")
      ->required();
  add_machine_options(*sub, command->options,
                      {"show-values", "ovf-configuration", "ovf-property", "search", "allow-outside", "input-format",
                       "virtualbox-registry", "set", "base", "machine"});
  sub->add_flag("--guest", command->guest, "look into the disks too, and show what is on them (docs/guest.md)");
  add_output_options(*sub, command->output, false);
  sub->callback([command, &context] {
    with_refusal(command->output, "virt-ferry-machine/1", [&command] { run(*command); });
    context.exit_code = 0;
  });
}

}  // namespace ferry::cli
