// SPDX-License-Identifier: Apache-2.0
// What the parts of the script exporter share: the domain, the options so far, and the places that devices have.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "exporters/script/findings.hpp"
#include "exporters/script/script.hpp"
#include "exporters/script/words.hpp"

namespace ferry::script {

// ---- XML ----

[[nodiscard]] std::string attribute(const xml::Element *element, std::string_view name);  // "" without
[[nodiscard]] std::string text_of(const xml::Element *element);
[[nodiscard]] const xml::Element *child(const xml::Element *element, std::string_view name);
[[nodiscard]] std::vector<const xml::Element *> children(const xml::Element &element, std::string_view name);
[[nodiscard]] std::optional<unsigned> number(std::string_view text);  // decimal or 0x

// ---- the script so far ----

struct Option {
  std::string name;  // "-device"
  std::optional<Word> value;
};
struct Group {
  std::string comment;
  std::vector<Option> options;
};

// A firmware variable store, made of its template before the first start.
struct Store {
  Word file, made_from;
};

class Maker {
 public:
  explicit Maker(const Request &request);

  const Request &request;
  const xml::Element &domain;
  const xml::Element &devices;
  bool q35 = false, kvm = false;
  std::string machine, name, uuid;
  std::vector<Group> groups;
  std::vector<Finding> findings;
  std::optional<Store> store;
  std::optional<Word> tpm_folder;
  std::string tpm_version;
  std::string start_date;  // shell that sets `clock`; empty: not needed
  bool has_spice = false;

  void group(std::string comment) { groups.push_back({std::move(comment), {}}); }
  void option(std::string option) { groups.back().options.push_back({std::move(option), std::nullopt}); }
  void option(std::string option, Word value) {
    groups.back().options.push_back({std::move(option), std::move(value)});
  }
  void option(std::string its_name, const Keys &keys) { option(std::move(its_name), keys.word()); }
  // What the domain's <qemu:override> says of the device's alias takes the place of ours.
  void device(Keys keys, const xml::Element &element);
  [[nodiscard]] bool is_overridden(const xml::Element &element, std::string_view property) const;
  void report(const FindingKind &kind, const std::string &message, std::string advice = {});

  // A file of the host.
  [[nodiscard]] Word file(const std::string &path) const;
  [[nodiscard]] std::string run_folder() const { return "vm-" + (uuid.empty() ? std::string("script") : uuid); }
  [[nodiscard]] static Word in_run_folder(std::string_view name);

  // Adds bus and address: the domain's own, or a free slot of bus 0.
  void place_pci(Keys &keys, const xml::Element &element, std::optional<unsigned> usual = {});
  [[nodiscard]] std::string pci_bus(unsigned index) const;
  void place_usb(Keys &keys, const xml::Element &element);
  [[nodiscard]] unsigned free_number(const std::string &bus);  // of serial ports and the like, from 1
  void take_number(const std::string &bus, unsigned number) { numbers_[bus].insert(number); }
  [[nodiscard]] std::string id(const xml::Element &element, const std::string &ours) const;
  // <boot order=> of the device, or the place of its class in <os>, where it is the first of it; "" without.
  [[nodiscard]] std::string boot_place(const xml::Element &element, std::string_view boot_class);

 private:
  void collect_places();
  void read_overrides();
  std::set<std::pair<unsigned, unsigned>> slots_;  // taken: bus, slot
  std::map<std::string, std::set<unsigned>> numbers_;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> overrides_;  // by alias
  std::vector<std::string> boot_classes_;                                              // of <os>: "hd", "cdrom"
  std::set<std::string> booted_;
};

void add_machine(Maker &m);      // board.cpp
void add_cpu(Maker &m);          // cpu.cpp
void add_smbios(Maker &m);       // board.cpp
void add_firmware(Maker &m);     // board.cpp
void add_clock(Maker &m);        // board.cpp
void add_controllers(Maker &m);  // controllers.cpp
void add_disks(Maker &m);        // disks.cpp
void add_interfaces(Maker &m);   // network.cpp
void add_ports(Maker &m);        // ports.cpp
void add_display(Maker &m);      // display.cpp
void add_others(Maker &m);       // others.cpp
void add_arguments(Maker &m);    // others.cpp: <qemu:commandline>
void report_rest(Maker &m);      // others.cpp: what nothing above knows

// A character device's backend as -chardev. False, and reported, for what cannot be had.
bool add_chardev(Maker &m, const xml::Element &element, const std::string &id, const std::string &socket_name);

}  // namespace ferry::script
