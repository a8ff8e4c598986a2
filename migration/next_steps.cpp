// SPDX-License-Identifier: Apache-2.0
#include "migration/next_steps.hpp"

#include "migration/host.hpp"

#include "support/text.hpp"

namespace ferry::migration {
namespace {

// What 'virsh define' of the XML does not bring.
std::string left_out(const MachinePlan &plan, const Options &options) {
  const std::size_t count = plan.snapshots.size();
  std::string out;
  if (count > 0) out += count == 1 ? "its snapshot" : "its " + std::to_string(count) + " snapshots";
  if (!plan.tpm_state.empty()) out += std::string(out.empty() ? "" : " and ") + "the content of its TPM";
  if (out.empty()) return "";
  return "    # without " + out + "; " +
         (options.define ? "the same virt-ferry command, run again, makes the whole machine"
                         : "for the whole machine, migrate without --no-define");
}

}  // namespace

std::string virsh_of(const std::string &connect) {
  const std::string flatpak = flatpak_of(connect);
  return flatpak.empty() ? "virsh -c " + text::shell_word(connect)
                         : "flatpak run --command=virsh " + text::shell_word(flatpak) + " -c qemu:///session";
}

std::vector<std::string> next_steps(const MachinePlan &plan, const Options &options, const RunResult &result) {
  const std::string virsh = virsh_of(options.connect) + " ";
  std::vector<std::string> out = plan.next_steps;
  const std::string undo = "virt-ferry undo " + result.run;
  if (!out.empty()) {
    out.push_back(undo + "    # removes these files; what is in the cluster stays");
    return out;
  }
  if (!result.defined) {
    const std::filesystem::path definition = plan.definition_apart ? kept_definition(result.run) : plan.document;
    out.push_back(virsh + "define " + text::shell_word(definition.string()) + left_out(plan, options));
  }
  if (!result.started) out.push_back(virsh + "start " + text::shell_word(plan.name));
  if (result.defined && is_own_session(options.connect))
    out.push_back("virt-viewer -c " + text::shell_word(options.connect) + " " + text::shell_word(plan.name) +
                  "    # or open it in virt-manager or GNOME Boxes");
  if (const std::string flatpak = flatpak_of(options.connect); result.defined && !flatpak.empty())
    out.push_back("flatpak run " + text::shell_word(flatpak) + "    # shows it, when it is started the next time");
  if (result.started && plan.start_now)
    out.push_back("virt-ferry pull " + text::shell_word(plan.name) + "    # shows how far the copy is");
  // undo without --force keeps what a guest has written to; one that has been started will have.
  out.push_back(undo + (result.started ? " --force    # takes it all back, with what the guest has written"
                                       : "    # takes it all back"));
  return out;
}

}  // namespace ferry::migration
