// SPDX-License-Identifier: Apache-2.0
// What a box says of its machine: metadata.json and Vagrantfile through the ledger.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "importers/vagrant/box.hpp"
#include "importers/vagrant/vagrantfile.hpp"
#include "model/finding.hpp"
#include "model/ledger.hpp"

namespace ferry::vagrant {

// metadata.json's "provider"; empty when it has none or is none.
[[nodiscard]] std::string provider_of(std::string_view metadata);

struct DiskOfBox {
  std::string path;    // of the member, as written
  std::string format;  // "qcow2", "raw"; empty: not said
  Place where;
};

// Of a box for libvirt. Throws Error malformed.
struct Metadata {
  std::string provider, architecture;
  std::vector<DiskOfBox> disks;
};
[[nodiscard]] Metadata read_metadata(const Box &box, Ledger &ledger);

// Options that hold for a provider; reading one takes it into a field of the model.
class Options {
 public:
  // `names`: of the provider, as Vagrantfiles write it.
  Options(const Box &box, std::vector<std::string> names, Ledger &ledger, std::vector<Finding> &findings);

  // "memory", "config.vm.base_mac": the last plain value; nullopt without one and for nil.
  [[nodiscard]] std::optional<std::string> text(std::string_view option, std::string_view field);
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view option, std::string_view field,
                                                    std::uint64_t most);
  [[nodiscard]] bool on(std::string_view option, std::string_view field);
  // Whether it is there in any form: options that are called, "random".
  [[nodiscard]] bool called(std::string_view option, std::string_view field);
  // The settings of that name with an index: {"memsize", "1024"} of vmx["memsize"] = "1024"; nil gives nullopt. `note`
  // says what became of them.
  struct Indexed {
    std::string key;
    std::optional<std::string> value;
  };
  [[nodiscard]] std::vector<Indexed> indexed(std::string_view option, std::string_view note);
  [[nodiscard]] Place place(std::string_view option) const;
  void bad_value(std::string_view option, const std::string &message);
  // What is left: how Vagrant works on the machine says nothing about it; the rest stays unknown, with a finding for
  // what is no plain value.
  void finish();

 private:
  struct Entry {
    Assignment assignment;
    std::string option;  // of the provider, without its name; "config..." as it is
    Ledger::Id id = 0;
    Place where;
    bool used = false;
  };
  [[nodiscard]] Entry *last(std::string_view option);

  std::vector<Entry> entries_;
  Ledger &ledger_;
  std::vector<Finding> &findings_;
};

}  // namespace ferry::vagrant
