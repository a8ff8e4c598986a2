// SPDX-License-Identifier: Apache-2.0
// Runs onto a target that is not libvirt: what they ask of it, and what they leave when it refuses.
#include <gtest/gtest.h>

#include "migration/migrate.hpp"
#include "migration/places.hpp"
#include "migration/take_back.hpp"
#include "tests/kit/files.hpp"
#include "tests/kit/scratch.hpp"
#include "tests/migration/plain_target.hpp"
#include "tests/paths.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

using Asked = std::vector<std::string>;

class TargetRun : public testing::Test {
 protected:
  TargetRun() {
    const fs::path probe = fs::path(FERRY_SOURCE_DIR) / "fixtures/probe-machine";
    for (const char *name : {"probe.vbox", "probe.vmdk"}) scratch_.write(in() / name, test::read_text(probe / name));
    write_disk('a');
    options_.dest = out();
    options_.threads = 2;
    host_.target = std::make_unique<tests::PlainTarget>();
    auto machines = std::make_unique<tests::PlainMachines>();
    machines_ = machines.get();
    host_.machines = std::move(machines);
  }
  [[nodiscard]] fs::path in() const { return scratch_ / "in"; }
  [[nodiscard]] fs::path out() const { return scratch_ / "out"; }
  void write_disk(char content) { scratch_.write(in() / "probe-flat.vmdk", std::string(1U << 20U, content)); }

  report::MachineReport migrate() {
    tests::PlainTarget target;
    target.facts.image_folder = out();
    auto planned = plan_source(find_source(in() / "probe.vbox"), options_, target, all_runs());
    EXPECT_EQ(planned.size(), 1U);
    migrate_planned(planned.front(), options_, host_, nullptr, {});
    return planned.front().report;
  }

  tests::Scratch scratch_;
  Options options_;
  Host host_;
  tests::PlainMachines *machines_ = nullptr;
};

TEST_F(TargetRun, TheMachineIsDefinedWithTheRunsMarkAndStarted) {
  options_.start = true;
  const auto report = migrate();
  ASSERT_FALSE(report.refusal) << report.refusal->detail.message;
  EXPECT_EQ(machines_->asked, (Asked{"define probe", "start probe"}));
  const auto machine = machines_->machine_named("probe");
  ASSERT_TRUE(machine);
  EXPECT_EQ(machine->run, report.run);
  EXPECT_EQ(machine->files.disks, std::set<fs::path>{out() / "probe.qcow2"});
  EXPECT_TRUE(machine->running);
  EXPECT_EQ(all_runs().back().disks, std::vector<fs::path>{out() / "probe.qcow2"});
}

TEST_F(TargetRun, WithoutDefiningItIsAskedNothing) {
  options_.define = false;
  EXPECT_FALSE(migrate().refusal);
  EXPECT_EQ(machines_->asked, Asked{});
  EXPECT_NE(test::read_text(out() / "probe.xml").find("run " + all_runs().back().run), std::string::npos);
}

TEST_F(TargetRun, TheSessionsOwnPoolHasImagesAloneAndTheDefinitionIsKeptWithTheRun) {
  const auto made = [this] {
    std::vector<std::string> names;
    for (const auto &entry : fs::directory_iterator(out())) names.push_back(entry.path().filename().string());
    return names;
  };
  options_.dest.reset();
  machines_->refused = "define probe";
  const auto refused = migrate();
  ASSERT_TRUE(refused.refusal);
  EXPECT_EQ(made(), std::vector<std::string>{"probe.qcow2"});
  const fs::path definition = kept_definition(refused.run);
  EXPECT_NE(test::read_text(definition).find("run " + refused.run), std::string::npos);
  EXPECT_EQ(fs::status(definition).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  ASSERT_FALSE(refused.next_steps.empty());
  EXPECT_NE(refused.next_steps[0].find("define " + definition.string()), std::string::npos) << refused.next_steps[0];

  machines_->refused.clear();
  const auto finished = migrate();
  EXPECT_FALSE(finished.refusal);
  EXPECT_EQ(finished.run, refused.run);
  EXPECT_TRUE(fs::exists(definition));
  UndoResult undone;
  take_back(read_run(finished.run), machines_, undone);
  EXPECT_EQ(undone.failed, std::vector<std::string>{});
  EXPECT_FALSE(fs::exists(definition));
  EXPECT_EQ(made(), std::vector<std::string>{});
}

TEST_F(TargetRun, AMachineThatWasReplacedComesBackWhenTheTargetRefuses) {
  ASSERT_FALSE(migrate().refusal);
  machines_->there.at(0).snapshots = {{"own", "snapshot own\n", true}};
  machines_->there.at(0).autostart = true;
  const std::string before = machines_->there.at(0).document, disk = test::read_text(out() / "probe.qcow2");
  machines_->asked.clear();
  machines_->refused = "define probe";
  write_disk('b');
  options_.overwrite = true;
  const auto report = migrate();
  ASSERT_TRUE(report.refusal);
  EXPECT_EQ(report.refusal->detail.message, "the target refused to define probe");
  EXPECT_EQ(machines_->asked, (Asked{"undefine probe", "define probe", "restore probe"}));
  ASSERT_EQ(machines_->there.size(), 1U);
  EXPECT_EQ(machines_->there[0].document, before);
  EXPECT_EQ(machines_->there[0].snapshots.size(), 1U);
  EXPECT_TRUE(machines_->there[0].autostart);
  EXPECT_EQ(test::read_text(out() / "probe.qcow2"), disk);
}

TEST_F(TargetRun, AMachineInUseIsNotReplaced) {
  ASSERT_FALSE(migrate().refusal);
  options_.overwrite = true;
  for (bool tests::PlainMachines::Machine::*state :
       {&tests::PlainMachines::Machine::running, &tests::PlainMachines::Machine::suspended}) {
    machines_->asked.clear();
    machines_->there.at(0).*state = true;
    const auto report = migrate();
    ASSERT_TRUE(report.refusal);
    EXPECT_EQ(report.refusal->kind, ErrorKind::conflict);
    EXPECT_EQ(machines_->asked, Asked{});
    machines_->there.at(0).*state = false;
  }
}

TEST_F(TargetRun, AFileOfAnotherMachineIsNotReplaced) {
  machines_->there.push_back(
      {.document = "name other\nuuid 1\ndisk " + (out() / "probe.qcow2").string() + "\n", .snapshots = {}});
  scratch_.write(out() / "probe.qcow2", "theirs");
  options_.overwrite = true;
  const auto report = migrate();
  ASSERT_TRUE(report.refusal);
  EXPECT_EQ(report.refusal->kind, ErrorKind::conflict);
  EXPECT_NE(report.refusal->detail.message.find("other"), std::string::npos) << report.refusal->detail.message;
  EXPECT_EQ(test::read_text(out() / "probe.qcow2"), "theirs");
}

TEST_F(TargetRun, AnImageThatAnotherMachinesOverlayLiesOnIsNotReplaced) {
  ASSERT_FALSE(migrate().refusal);
  const std::string before = test::read_text(out() / "probe.qcow2");
  ASSERT_EQ(test::run({"qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", "out/probe.qcow2",
                       (scratch_ / "top.qcow2").string()}),
            0);
  machines_->there.push_back(
      {.document = "name clone\nuuid 1\ndisk " + (scratch_ / "top.qcow2").string() + "\n", .snapshots = {}});
  options_.overwrite = true;
  const auto report = migrate();
  ASSERT_TRUE(report.refusal);
  EXPECT_EQ(report.refusal->kind, ErrorKind::conflict);
  EXPECT_NE(report.refusal->detail.message.find("clone"), std::string::npos) << report.refusal->detail.message;
  EXPECT_EQ(test::read_text(out() / "probe.qcow2"), before);
}

TEST_F(TargetRun, AStartThatIsRefusedLeavesTheMachineAndTheNextRunFinishesIt) {
  options_.start = true;
  machines_->refused = "start probe";
  const auto first = migrate();
  ASSERT_TRUE(first.refusal);
  EXPECT_TRUE(machines_->machine_named("probe"));
  machines_->refused.clear();
  machines_->asked.clear();
  const auto second = migrate();
  EXPECT_FALSE(second.refusal);
  EXPECT_EQ(second.run, first.run);
  EXPECT_EQ(machines_->asked, Asked{"start probe"});
}

}  // namespace
}  // namespace ferry::migration
