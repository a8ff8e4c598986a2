// SPDX-License-Identifier: Apache-2.0
#include "cli/machine_options.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "migration/option_values.hpp"
#include "migration/run_record.hpp"

namespace ferry::cli {

std::string default_connection() {
  const char *uri = std::getenv("LIBVIRT_DEFAULT_URI");
  return uri != nullptr && *uri != '\0' ? uri : migration::Options().connect;
}

void add_machine_options(CLI::App &command, migration::Options &options, const std::set<std::string> &only) {
  options.connect = default_connection();
  for (const migration::OptionSpec &spec : migration::option_specs()) {
    const std::string name(spec.name);
    if (!only.empty() && !only.contains(name)) continue;
    CLI::Option *option = nullptr;
    if (spec.value.empty()) {
      option = command.add_flag_callback(
          "--" + name, [&options, name] { migration::apply_option(options, name, "true"); }, std::string(spec.help));
    } else {
      option = command.add_option_function<std::vector<std::string>>(
          "--" + name,
          [&options, name](const std::vector<std::string> &values) {
            for (const std::string &value : values) migration::apply_option(options, name, value);
          },
          std::string(spec.help));
      option->option_text(std::string(spec.value))->expected(1);
      // CLI11 would let an option that may come again take whatever follows its value, SOURCE too.
      option->allow_extra_args(false);
      option->multi_option_policy(spec.repeatable ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast);
    }
    option->group(std::string(spec.group));
  }
}

void add_jobs_option(CLI::App &command, unsigned &jobs, const char *help) {
  command.add_option("--jobs", jobs, help)->option_text("N")->check(CLI::Range(1, 1024).description(""));
}

void add_state_option(CLI::App &command) {
  command
      .add_option_function<std::string>(
          "--state", [](const std::string &folder) { migration::keep_state_in(std::filesystem::absolute(folder)); },
          "where journals and reports are [~/.local/state/virt-ferry]")
      ->option_text("DIR");
}

}  // namespace ferry::cli
