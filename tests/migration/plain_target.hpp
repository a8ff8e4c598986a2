// SPDX-License-Identifier: Apache-2.0
// A target that no hypervisor stands behind: machines are kept in memory, their documents are plain lines ("name web").
#pragma once

#include <algorithm>
#include <sstream>

#include "exporters/target.hpp"

#include "support/error.hpp"

namespace ferry::tests {

class PlainTarget : public target::Target {
 public:
  PlainTarget() : Target(Facts{.name = "a plain target", .place = "plain:", .image_folder = {}, .taken = {}}) {}

  [[nodiscard]] std::optional<target::FirmwareImage> choose_firmware(const Hardware &, bool) const override {
    return std::nullopt;
  }
  [[nodiscard]] target::Result describe(const target::Request &request) const override {
    target::Result out;
    out.document = "name " + request.identity.name + "\nuuid " + request.identity.uuid.text() + "\n";
    for (const target::Medium &medium : request.media) {
      out.document += "disk " + medium.file.string() + "\n";
      out.disks.push_back({medium.controller, medium.drive, "disk" + std::to_string(out.disks.size()), "plain"});
    }
    return out;
  }
  [[nodiscard]] std::string describe_snapshot(const target::SnapshotRequest &request) const override {
    return "snapshot " + request.name + "\n" + request.machine_document;
  }
  [[nodiscard]] std::optional<Finding> snapshot_limits(const Hardware &) const override { return std::nullopt; }
  [[nodiscard]] std::string with_run_mark(const std::string &document, const std::string &run) const override {
    return document + "run " + run + "\n";
  }
  void add_files(const std::string &document, target::MachineFiles &files) const override {
    for (const std::string &file : values(document, "disk")) {
      files.all.insert(file);
      files.disks.insert(file);
    }
  }
  void refuse_start(const target::Start &) const override {}

  // Of the lines that begin with the word.
  static std::vector<std::string> values(const std::string &document, const std::string &word) {
    std::vector<std::string> out;
    std::istringstream lines(document);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(word + " ")) out.push_back(line.substr(word.size() + 1));
    }
    return out;
  }
};

class PlainMachines : public target::Machines {
 public:
  struct Machine {
    std::string document;
    std::vector<target::SavedMachine::Snapshot> snapshots;
    bool running = false, suspended = false, autostart = false;
  };
  std::vector<Machine> there;
  std::vector<std::string> asked;  // what was changed, in order: "define web"
  std::string refused;             // of those: what the target does not do

  [[nodiscard]] Machine *find(const std::string &word, const std::string &value) {
    const auto found = std::find_if(there.begin(), there.end(), [&](const Machine &machine) {
      return PlainTarget::values(machine.document, word) == std::vector{value};
    });
    return found == there.end() ? nullptr : &*found;
  }

  [[nodiscard]] std::optional<target::MachineFacts> machine_named(const std::string &name) const override {
    return facts("name", name);
  }
  [[nodiscard]] std::optional<target::MachineFacts> machine_of(const std::string &uuid) const override {
    return facts("uuid", uuid);
  }
  [[nodiscard]] std::vector<target::MachineFacts> machines() const override {
    std::vector<target::MachineFacts> out;
    for (const Machine &machine : there) out.push_back(facts_of(machine));
    return out;
  }
  [[nodiscard]] bool is_running(const std::string &name) const override { return facts("name", name)->running; }

  void define(const std::string &document) override {
    ask("define " + PlainTarget::values(document, "name").at(0));
    there.push_back({.document = document, .snapshots = {}});
  }
  void define_snapshot(const std::string &name, const std::string &document, bool current) override {
    const std::string snapshot = PlainTarget::values(document, "snapshot").at(0);
    ask("define snapshot " + snapshot);
    find("name", name)->snapshots.push_back({snapshot, document, current});
  }
  void undefine(const std::string &name) override {
    ask("undefine " + name);
    there.erase(there.begin() + (find("name", name) - there.data()));
  }
  [[nodiscard]] target::SavedMachine save(const std::string &name) const override {
    const Machine *machine = const_cast<PlainMachines *>(this)->find("name", name);
    return {.document = machine->document, .snapshots = machine->snapshots, .autostart = machine->autostart};
  }
  void restore(const std::string &name, const target::SavedMachine &saved) override {
    ask("restore " + name);
    there.push_back({.document = saved.document, .snapshots = saved.snapshots, .autostart = saved.autostart});
  }
  void start(const std::string &name) override {
    ask("start " + name);
    find("name", name)->running = true;
  }
  void switch_off(const std::string &name) override {
    ask("switch off " + name);
    find("name", name)->running = false;
  }
  void refresh(const std::filesystem::path &) override {}

 private:
  void ask(const std::string &what) {
    asked.push_back(what);
    if (what == refused) throw Error(ErrorKind::libvirt, {.message = "the target refused to " + what});
  }
  static target::MachineFacts facts_of(const Machine &machine) {
    target::MachineFacts out;
    out.name = PlainTarget::values(machine.document, "name").at(0);
    out.uuid = PlainTarget::values(machine.document, "uuid").at(0);
    const std::vector<std::string> runs = PlainTarget::values(machine.document, "run");
    if (!runs.empty()) out.run = runs.front();
    out.running = machine.running;
    out.suspended = machine.suspended;
    for (const auto &snapshot : machine.snapshots) out.snapshots.push_back(snapshot.name);
    PlainTarget().add_files(machine.document, out.files);
    return out;
  }
  [[nodiscard]] std::optional<target::MachineFacts> facts(const std::string &word, const std::string &value) const {
    const Machine *machine = const_cast<PlainMachines *>(this)->find(word, value);
    return machine == nullptr ? std::nullopt : std::optional(facts_of(*machine));
  }
};

}  // namespace ferry::tests
