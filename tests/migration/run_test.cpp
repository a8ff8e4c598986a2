// SPDX-License-Identifier: Apache-2.0
// Whole runs in this process, without libvirt: what ends well, what is taken back, what is gone on with.
#include "migration/run.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "exporters/libvirt/target.hpp"
#include "migration/migrate.hpp"
#include "migration/undo.hpp"
#include "tests/kit/scratch.hpp"
#include "tests/paths.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// Does something when the first disk is being converted.
class Meanwhile : public Progress {
 public:
  explicit Meanwhile(std::function<void()> what) : what_(std::move(what)) {}
  void begin(std::string_view, std::uint64_t) override {
    if (what_) what_();
    what_ = nullptr;
  }
  void advance(std::uint64_t) override {}
  void end() override {}

 private:
  std::function<void()> what_;
};

class WholeRun : public testing::Test {
 protected:
  WholeRun() {
    const fs::path probe = test::tree() / "fixtures/probe-machine";
    for (const char *name : {"probe.vbox", "probe.vmdk"}) scratch_.write(in() / name, test::read_text(probe / name));
    scratch_.write(extent(), std::string(1U << 20U, 'a'));
    options_.define = false;
    options_.dest = out();
    options_.threads = 2;
    host_.target =
        std::make_unique<libvirt::Target>(libvirt::load_host_profile(test::tree() / "fixtures/hosts/debian-12.json"));
  }
  [[nodiscard]] fs::path in() const { return scratch_ / "in"; }
  [[nodiscard]] fs::path out() const { return scratch_ / "out"; }
  [[nodiscard]] fs::path extent() const { return in() / "probe-flat.vmdk"; }

  report::MachineReport migrate(std::function<void()> meanwhile = {}) {
    libvirt::Target target(libvirt::load_host_profile(test::tree() / "fixtures/hosts/debian-12.json"));
    auto planned = plan_source(find_source(in() / "probe.vbox"), options_, target, all_runs());
    EXPECT_EQ(planned.size(), 1U);
    Meanwhile progress(std::move(meanwhile));
    migrate_planned(planned.front(), options_, host_, &progress, {});
    return planned.front().report;
  }

  [[nodiscard]] std::size_t files_in_dest() const {
    return fs::exists(out()) ? static_cast<std::size_t>(std::distance(fs::directory_iterator(out()), {})) : 0;
  }

  static bool has(const report::MachineReport &report, std::string_view id) {
    return std::any_of(report.findings.begin(), report.findings.end(), [id](const auto &f) { return f.id == id; });
  }

  tests::Scratch scratch_;
  Options options_;
  Host host_;
};

TEST_F(WholeRun, ASourceThatChangesMeanwhileGivesNoResult) {
  const std::vector<std::function<void()>> changes{
      [this] { std::ofstream(extent(), std::ios::app) << "x"; },
      [this] {  // the same size and time, by rsync, perhaps
        const auto time = fs::last_write_time(extent());
        std::fstream(extent(), std::ios::in | std::ios::out) << "x";
        fs::last_write_time(extent(), time);
      },
      [this] { std::ofstream(in() / "probe.vbox", std::ios::app) << "\n"; }};
  for (const auto &change : changes) {
    scratch_.write(extent(), std::string(1U << 20U, 'a'));
    const auto report = migrate(change);
    ASSERT_TRUE(report.refusal);
    EXPECT_EQ(report.refusal->kind, ErrorKind::verify) << report.refusal->detail.message;
    EXPECT_EQ(report.status, report::Status::failed);
    EXPECT_EQ(files_in_dest(), 0U);
  }
  EXPECT_FALSE(migrate().refusal) << "left alone, it is migrated";
}

TEST_F(WholeRun, FoldersThatItMakesAreTheUsersAlone) {
  const mode_t before = umask(0);
  options_.dest = out() / "below";
  EXPECT_FALSE(migrate().refusal);
  umask(before);
  EXPECT_EQ(file::status_of(out())->mode & 07777U, 0700U);
  EXPECT_EQ(file::status_of(out() / "below")->mode & 07777U, 0700U);
}

TEST_F(WholeRun, WhatWasOverwrittenIsTold) {
  EXPECT_FALSE(migrate().refusal);
  options_.overwrite = true;
  const auto report = migrate();
  EXPECT_FALSE(report.refusal);
  EXPECT_TRUE(has(report, "run.replaced"));
  EXPECT_EQ(files_in_dest(), 2U);
}

// The second file cannot be moved aside: the first one, which had been, is back.
TEST_F(WholeRun, WhatWasToBeOverwrittenComesBack) {
  EXPECT_FALSE(migrate().refusal);
  const std::string old = test::read_text(out() / "probe.qcow2");
  scratch_.write(extent(), std::string(1U << 20U, 'b'));
  options_.overwrite = true;
  const auto report = migrate([this] {
    for (const RunRecord &run : all_runs()) {
      if (run.alive) fs::create_directories(staging_folder(out(), run.run) / "replaced/probe.xml/in the way");
    }
  });
  ASSERT_TRUE(report.refusal);
  EXPECT_NE(report.refusal->detail.advice.find("Restored what was there before"), std::string::npos)
      << report.refusal->detail.advice;
  EXPECT_EQ(test::read_text(out() / "probe.qcow2"), old);
}

TEST_F(WholeRun, ARunWithoutLibvirtIsFinishedByTheNext) {
  options_.define = true;
  host_.unreachable = Error(ErrorKind::unreachable, {.message = "nobody answers"});
  const auto first = migrate();
  ASSERT_TRUE(first.refusal);
  EXPECT_EQ(first.refusal->detail.message, "nobody answers");
  const auto disk = file::status_of(out() / "probe.qcow2");
  const auto second = migrate();
  EXPECT_TRUE(has(second, "run.finished"));
  EXPECT_EQ(second.run, first.run);
  EXPECT_TRUE(file::status_of(out() / "probe.qcow2")->same_file(*disk)) << "it is not converted again";
  // Of another source, what is there is no result.
  scratch_.write(extent(), std::string(1U << 20U, 'b'));
  EXPECT_FALSE(has(migrate(), "run.finished"));
}

}  // namespace
}  // namespace ferry::migration
