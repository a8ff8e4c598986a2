// SPDX-License-Identifier: Apache-2.0
// Many machines at once, on several threads: what goes wrong at one is that machine's alone.
#include "migration/batch.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <set>
#include <unistd.h>

#include "exporters/libvirt/target.hpp"
#include "tests/kit/scratch.hpp"
#include "tests/paths.hpp"

#include "support/subprocess.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

void replace(std::string &text, const std::string &from, const std::string &to) {
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
}

class Batch : public testing::Test {
 protected:
  // The repository's probe machine under another name, with a UUID and a MAC of its own.
  void add(char letter) const {
    const std::string name(1, letter);
    std::string settings = test::read_text(test::tree() / "fixtures/probe-machine/probe.vbox");
    replace(settings, "uuid=\"{5c0f4a3e", "uuid=\"{5c0f4a3" + name);
    replace(settings, "name=\"probe\"", "name=\"" + name + "\"");
    replace(settings, "080027C0FFEE", "080027C0FFE" + name);
    scratch_.write("in/" + name + "/" + name + ".vbox", settings);
    scratch_.write("in/" + name + "/probe.vmdk", test::read_text(test::tree() / "fixtures/probe-machine/probe.vmdk"));
    scratch_.write("in/" + name + "/probe-flat.vmdk", std::string(1U << 20U, letter));
  }

  report::Document run(const BatchHooks &hooks, const std::stop_token &stop = {}) const {
    Options options;
    options.define = false;
    options.dest = scratch_ / "out";
    options.threads = 2;
    options.check_earlier = check_;
    Host host;
    host.target =
        std::make_unique<libvirt::Target>(libvirt::load_host_profile(test::tree() / "fixtures/hosts/debian-12.json"));
    return run_batch(batch_entries(scratch_ / "in", options), 4, false, host, hooks, stop);
  }

  tests::Scratch scratch_;
  bool check_ = false;
};

TEST_F(Batch, MachinesAreMigratedSideBySideAndReportedInOrder) {
  for (const char letter : {'a', 'b', 'c', 'd'}) add(letter);
  std::set<std::string> done;
  const report::Document document =
      run({.progress = {},
           .machine_done = [&](const report::MachineReport &machine, auto...) { done.insert(machine.name); }});
  ASSERT_EQ(document.machines.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    EXPECT_EQ(document.machines[i].name, name);
    EXPECT_FALSE(document.machines[i].refusal) << document.machines[i].refusal->detail.message;
    EXPECT_TRUE(fs::exists(scratch_ / ("out/" + name + ".qcow2")));
  }
  EXPECT_EQ(done.size(), 4U);
}

TEST_F(Batch, ADefectAtOneMachineDoesNotStopTheOthers) {
  for (const char letter : {'a', 'b', 'c'}) add(letter);
  struct Defect : Progress {
    void begin(std::string_view, std::uint64_t) override { throw std::logic_error("a defect"); }
    void advance(std::uint64_t) override {}
    void end() override {}
  } defect;
  const report::Document document = run({.progress = [&](const report::MachineReport &machine) -> Progress * {
                                           return machine.name == "b" ? &defect : nullptr;
                                         },
                                         .machine_done = {}});
  ASSERT_EQ(document.machines.size(), 3U);
  ASSERT_TRUE(document.machines[1].refusal);
  EXPECT_EQ(document.machines[1].refusal->kind, ErrorKind::internal);
  EXPECT_EQ(document.machines[1].refusal->detail.message, "a defect");
  EXPECT_FALSE(fs::exists(scratch_ / "out/b.qcow2"));
  for (const std::size_t i : {0U, 2U}) EXPECT_FALSE(document.machines[i].refusal);
}

// Three copies of one folder: one name, one UUID, one address.
TEST_F(Batch, CopiesOfAMachineAreToldApartAlsoWhenTheBatchIsRunAgain) {
  for (const char letter : {'a', 'b', 'c'}) {
    const std::string folder = std::string("in/copy-") + letter + "/";
    for (const char *file : {"probe.vbox", "probe.vmdk"})
      scratch_.write(folder + file, test::read_text(test::tree() / "fixtures/probe-machine" / file));
    scratch_.write(folder + "probe-flat.vmdk", std::string(1U << 20U, letter));
  }
  const auto ids_of = [](const report::MachineReport &machine) {
    std::set<std::string> ids;
    for (const Finding &finding : machine.findings) ids.insert(finding.id);
    return ids;
  };
  const report::Document document = run({});
  ASSERT_EQ(document.machines.size(), 3U);
  std::set<std::string> names, uuids, macs;
  for (const report::MachineReport &machine : document.machines) {
    EXPECT_EQ(machine.status, report::Status::migrated);
    names.insert(machine.name);
    uuids.insert(machine.uuid);
    macs.insert(machine.nics.at(0).mac);
  }
  EXPECT_EQ(names, (std::set<std::string>{"probe", "probe-2", "probe-3"}));
  EXPECT_EQ(uuids.size(), 3U);
  EXPECT_EQ(macs.size(), 3U);
  EXPECT_FALSE(ids_of(document.machines[0]).contains("smbios.uuid-shared"));
  for (const std::size_t i : {1U, 2U}) {
    EXPECT_TRUE(ids_of(document.machines[i]).contains("smbios.uuid-shared"));
    EXPECT_TRUE(ids_of(document.machines[i]).contains("nic.mac-shared"));
  }
  for (const report::MachineReport &machine : run({}).machines) EXPECT_EQ(machine.status, report::Status::skipped);
  // One that is made again does not take the first one's name for its own.
  fs::remove(scratch_ / "out/probe-2.qcow2");
  scratch_.write("in/copy-b/probe-flat.vmdk", std::string(1U << 20U, 'x'));
  EXPECT_EQ(run({}).machines.at(0).status, report::Status::skipped);
}

// Not the settings file alone decides whether a machine is done.
TEST_F(Batch, WhatIsDoneIsDoneWhileSourceAndResultAreAsTheyWere) {
  const std::vector<std::pair<std::string, std::function<void()>>> changes{
      {"an extent of the source", [this] { scratch_.write("in/a/probe-flat.vmdk", std::string(1U << 20U, 'z')); }},
      {"a result that is gone", [this] { fs::remove(scratch_ / "out/a.qcow2"); }},
      {"a result that is cut off", [this] { fs::resize_file(scratch_ / "out/a.qcow2", 65536); }}};
  for (const auto &[what, change] : changes) {
    fs::remove_all(scratch_ / "out");
    fs::remove_all(scratch_ / "state");
    add('a');
    EXPECT_EQ(run({}).machines.at(0).status, report::Status::migrated);
    EXPECT_EQ(run({}).machines.at(0).status, report::Status::skipped);
    change();
    EXPECT_NE(run({}).machines.at(0).status, report::Status::skipped) << what;
  }
}

TEST_F(Batch, AResultIsLookedAtByQemuImgOnRequest) {
  if (subprocess::find_program("qemu-img").empty()) GTEST_SKIP() << "there is no qemu-img";
  add('a');
  EXPECT_EQ(run({}).machines.at(0).status, report::Status::migrated);
  {
    // The L1 table's offset, big-endian: beyond the end.
    std::fstream image(scratch_ / "out/a.qcow2", std::ios::in | std::ios::out | std::ios::binary);
    image.seekp(40);
    image.write("\0\0\x7f\0\0\0\0\0", 8);
  }
  EXPECT_EQ(run({}).machines.at(0).status, report::Status::skipped) << "it has the size that it had";
  check_ = true;
  EXPECT_NE(run({}).machines.at(0).status, report::Status::skipped);
}

TEST_F(Batch, AMachineThatCannotBeReadIsARow) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  add('a');
  add('b');
  fs::permissions(scratch_ / "in/a/a.vbox", fs::perms::none);
  const report::Document document = run({});
  ASSERT_EQ(document.machines.size(), 2U);
  EXPECT_EQ(std::ranges::count_if(document.machines, [](const auto &machine) { return machine.refusal.has_value(); }),
            1);
}

TEST_F(Batch, WhatIsStoppedLeavesNothing) {
  for (const char letter : {'a', 'b'}) add(letter);
  std::stop_source stop;
  const report::Document document = run({.progress = [&](const report::MachineReport &) -> Progress * {
                                           stop.request_stop();
                                           return nullptr;
                                         },
                                         .machine_done = {}},
                                        stop.get_token());
  for (const report::MachineReport &machine : document.machines) {
    ASSERT_TRUE(machine.refusal);
    EXPECT_EQ(machine.refusal->kind, ErrorKind::cancelled);
  }
  EXPECT_FALSE(fs::exists(scratch_ / "out/a.qcow2"));
  EXPECT_FALSE(fs::exists(scratch_ / "out/b.qcow2"));
}

}  // namespace
}  // namespace ferry::migration
