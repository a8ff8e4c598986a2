// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "migration/reader.hpp"
#include "migration/registered_details.hpp"
#include "migration/source.hpp"
#include "model/json.hpp"

#include "support/columns.hpp"
#include "support/text.hpp"

namespace ferry::cli {
namespace {

std::string platform(SourceKind kind) { return kind == SourceKind::vbox ? "VirtualBox" : "VMware"; }

struct Listed {
  migration::RegisteredMachine machine;
  migration::RegisteredDetails details;
};

std::string as_json(const std::vector<Listed> &machines, const std::optional<Finding> &uncaged) {
  Json list = Json::array();
  for (const auto &[machine, details] : machines) {
    Json one{{"name", machine.name},           {"platform", platform(machine.kind)},
             {"file", machine.file.string()},  {"exists", machine.exists},
             {"guest_os", details.guest_os},   {"size", details.size},
             {"snapshots", details.snapshots}, {"state", details.state}};
    if (!details.run.empty()) one["run"] = details.run;
    if (details.read_by_run) one["read_by_run"] = true;
    list.push_back(std::move(one));
  }
  Json out{{"schema", "virt-ferry-list/1"}, {"machines", list}, {"findings", Json::array()}};
  if (uncaged) out["findings"].push_back(to_json(*uncaged));
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string as_table(const std::vector<Listed> &machines) {
  std::vector<std::vector<std::string>> rows{{"NAME", "PLATFORM", "GUEST", "SIZE", "SNAPSHOTS", "STATE", "FILE"}};
  for (const auto &[machine, details] : machines) {
    rows.push_back({text::printable(machine.name), platform(machine.kind), text::printable(details.guest_os),
                    details.size == 0 ? "-" : text::human_bytes(details.size),
                    details.snapshots == 0 ? "-" : std::to_string(details.snapshots),
                    details.run.empty()   ? details.state
                    : details.read_by_run ? "read by run " + details.run
                                          : "migrated (run " + details.run + ")",
                    text::printable(machine.file.string())});
  }
  return text::table(rows);
}

}  // namespace

void setup_list(CLI::App &app, Context &context) {
  auto output = std::make_shared<OutputOptions>();
  auto windows_root = std::make_shared<std::string>();
  context.state.push_back(output);
  context.state.push_back(windows_root);
  CLI::App *sub = app.add_subcommand(
      "list",
      "List the VirtualBox and VMware machines that are registered on this host, and whether they were migrated.");
  sub->add_option("--windows-root", *windows_root, "show the machines of the users of a mounted Windows volume instead")
      ->option_text("DIR")
      ->check(CLI::ExistingDirectory.description(""));
  add_output_options(*sub, *output, false);
  sub->callback([output, windows_root, &context] {
    const migration::Registered registered = migration::registered_machines(
        windows_root->empty() ? std::filesystem::path{} : std::filesystem::absolute(*windows_root));
    const std::vector<migration::RunRecord> runs = migration::all_runs();
    std::vector<Listed> machines;
    std::vector<std::filesystem::path> files;
    for (const auto &machine : registered.machines) {
      machines.push_back({machine, migration::details_of(machine, runs)});
      files.push_back(machine.file);
    }
    check_output(*output, files);
    const std::optional<Finding> uncaged = migration::uncaged(registered);
    write_output(*output, output->format == "json" ? as_json(machines, uncaged) : as_table(machines));
    context.exit_code = 0;
    if (uncaged) std::fputs(("virt-ferry: warning: " + text::printable(uncaged->message) + "\n").c_str(), stderr);
    for (const Listed &one : machines) {
      if (one.details.error) print_error(*one.details.error);
    }
    for (const Error &error : registered.unreadable) {
      print_error(error);
      context.exit_code = exit_code(error.kind());
    }
    if (machines.empty() && registered.unreadable.empty())
      std::fputs("virt-ferry: no VirtualBox or VMware machine is registered for this user\n", stderr);
  });
}

}  // namespace ferry::cli
