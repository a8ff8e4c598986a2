// SPDX-License-Identifier: Apache-2.0
// The script as text: what is set up before QEMU, its options, QEMU.
#include "exporters/script/script.hpp"

#include <algorithm>

#include "exporters/script/maker.hpp"

namespace ferry::script {
namespace {

class Text {
 public:
  explicit Text(const Maker &m) : m_(m) {}

  std::string write() {
    write_heading();
    out_ += "set -eu\numask 077\n";
    write_folders();
    write_store();
    write_tpm();
    if (!m_.start_date.empty()) out_ += "clock=" + m_.start_date + "\n";
    write_options();
    out_ += "\nexec " + emulator() + " \"${args[@]}\" \"$@\"\n";
    return out_;
  }

 private:
  void write_heading() {
    out_ = "#!/bin/bash\n# " + comment(m_.name) + ", written by virt-ferry " + comment(m_.request.heading) + ".\n";
    out_ += "# It needs QEMU alone. Options that are given to the script come last: -snapshot, -S, -m 4G.\n";
    if (!m_.findings.empty()) out_ += "#\n# What is different:\n";
    for (const Finding &finding : m_.findings) out_ += "# - " + comment(finding.message) + "\n";
  }

  [[nodiscard]] bool uses(std::string_view variable) const {
    const auto in = [&](const Word &word) { return word.uses(variable); };
    if (m_.store && (in(m_.store->file) || in(m_.store->made_from))) return true;
    if (m_.tpm_folder && in(*m_.tpm_folder)) return true;
    for (const Group &group : m_.groups) {
      for (const Option &option : group.options) {
        if (option.value && in(*option.value)) return true;
      }
    }
    return false;
  }

  // QEMU's lists have a comma between two keys, so one in a value is written twice.
  void quote_for_lists(const std::string &variable) {
    if (uses(variable + "_q")) out_ += variable + "_q=${" + variable + "//,/,,}\n";
  }

  void write_folders() {
    if (uses("here") || uses("here_q")) {
      out_ += "\n# Its files lie beside it.\nunset CDPATH\nhere=$(cd -- \"$(dirname -- \"$0\")\" && pwd)\n";
      quote_for_lists("here");
    }
    out_ += "\n# Sockets, for this user alone; and a lock, so that the machine does not run twice.\n";
    out_ += "run=\"${XDG_RUNTIME_DIR:-${HOME}/.cache}/" + m_.run_folder() + "\"\n";
    out_ += "mkdir -p -- \"${run}\"\nchmod 700 -- \"${run}\"\n";
    quote_for_lists("run");
    out_ += "exec 9>\"${run}/lock\"\n";
    out_ += "flock -n 9 || { echo \"$0: the machine runs already\" >&2; exit 1; }\n";
  }

  void write_store() {
    if (!m_.store) return;
    out_ += "\n# The firmware's variables, a fresh copy before the first start.\n";
    out_ += "store=" + m_.store->file.shell() + "\n";
    if (m_.store->made_from.shell() != "\"\"")
      out_ += "[ -e \"${store}\" ] || cp --no-preserve=mode -- " + m_.store->made_from.shell() + " \"${store}\"\n";
    quote_for_lists("store");
  }

  void write_tpm() {
    if (!m_.tpm_folder) return;
    out_ += "\n# The TPM, which ends with QEMU.\n";
    out_ += "tpm=" + m_.tpm_folder->shell() + "\nmkdir -p -- \"${tpm}\"\nln -sfn -- \"${tpm}\" \"${run}/tpm\"\n";
    out_ += std::string("swtpm socket ") + (m_.tpm_version == "1.2" ? "" : "--tpm2 ") +
            "--tpmstate \"dir=${run}/tpm,mode=0600\" --ctrl \"type=unixio,path=${run}/tpm.sock,mode=0600\" \\\n"
            "  --daemon --terminate 9>&-\n";
  }

  void write_options() {
    out_ += "\nargs=(\n";
    bool first = true;
    for (const Group &group : m_.groups) {
      if (group.options.empty()) continue;
      if (!first) out_ += "\n";
      first = false;
      out_ += "  # " + comment(group.comment) + "\n";
      for (const Option &option : group.options) {
        out_ += "  " + Word(option.name).shell();
        if (option.value) out_ += " " + option.value->shell();
        out_ += "\n";
      }
    }
    out_ += ")\n";
  }

  [[nodiscard]] std::string emulator() const {
    const std::filesystem::path file = text_of(m_.devices.child("emulator"));
    const std::string name = file.filename().string();
    if (name.starts_with("qemu-system-") && file.parent_path() == "/usr/bin") return Word(name).shell();
    return file.empty() ? "qemu-system-x86_64" : Word(file.string()).shell();
  }

  const Maker &m_;
  std::string out_;
};

}  // namespace

Script write_script(const Request &request) {
  Maker m(request);
  add_machine(m);
  add_firmware(m);
  add_smbios(m);
  add_clock(m);
  m.group("QEMU's own console: socat - unix:\"${XDG_RUNTIME_DIR}/" + m.run_folder() + "/monitor.sock\"");
  m.option("-chardev", Keys("socket")
                           .set("id", "monitor")
                           .set("path", Maker::in_run_folder("monitor.sock"))
                           .on("server")
                           .on("wait", false));
  m.option("-mon", Keys("chardev=monitor").set("mode", "readline"));
  add_controllers(m);
  add_disks(m);
  add_interfaces(m);
  add_ports(m);
  add_display(m);
  add_others(m);
  add_arguments(m);
  report_rest(m);
  std::string text = Text(m).write();
  return {std::move(text), std::move(m.findings)};
}

}  // namespace ferry::script
