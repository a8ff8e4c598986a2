// SPDX-License-Identifier: Apache-2.0
#include "migration/kept_reports.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "migration/run_record.hpp"
#include "tests/kit/scratch.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

class KeptReports : public ::testing::Test {
 protected:
  static report::MachineReport machine(const std::string &name, report::Status status, const std::string &run = {}) {
    report::MachineReport out;
    out.name = name;
    out.source = "/vms/" + name + ".vbox";
    out.kind = "vbox";
    out.status = status;
    out.run = run;
    out.domain_xml = "<domain>" + name + "</domain>";
    return out;
  }

  static ErrorKind kind_of_reading(const std::string &id) {
    try {
      (void)kept_report(id);
    } catch (const Error &error) {
      return error.kind();
    }
    ADD_FAILURE() << "nothing was thrown";
    return ErrorKind::internal;
  }

  tests::Scratch scratch_;
};

TEST_F(KeptReports, ComeBackByRunAndByBatchInTheBatchsOrder) {
  EXPECT_EQ(newest_report(), "");
  report::Document batch{.tool = "virt-ferry 1", .host = "h", .batch = "batch-20261129-000000-0000"};
  batch.machines = {machine("a", report::Status::migrated, "20261129-000001-0000"),
                    machine("b", report::Status::refused),
                    machine("c", report::Status::skipped, "20261128-000000-0000"),
                    machine("d", report::Status::failed, "20261129-000002-0000")};
  keep_reports(batch);
  keep_batch(batch.batch, batch);
  const report::Document again = kept_report(batch.batch);
  EXPECT_EQ(as_json(again), as_json(batch));
  const report::Document one = kept_report("20261129-000002-0000");
  ASSERT_EQ(one.machines.size(), 1U);
  EXPECT_EQ(one.machines[0].name, "d");
  EXPECT_EQ(kind_of_reading("20261128-000000-0000"), ErrorKind::missing) << "that run was another batch's";
  EXPECT_EQ(newest_report(), batch.batch);

  const BatchRecord record = read_batch(batch.batch);
  ASSERT_EQ(record.machines.size(), 4U);
  EXPECT_EQ(record.machines[2].run, "") << "what a batch skips it has not made";
  EXPECT_EQ(record.machines[3].run, "20261129-000002-0000");
  EXPECT_EQ(all_batches().size(), 1U);

  report::Document later{.tool = "virt-ferry 1"};
  later.machines = {machine("e", report::Status::migrated, "20261130-000000-0000")};
  keep_reports(later);
  EXPECT_EQ(newest_report(), "20261130-000000-0000");
  EXPECT_TRUE(all_runs().empty()) << "a report is no journal";
  EXPECT_TRUE(is_batch_id(new_batch_id()));
}

TEST_F(KeptReports, ThatOthersCouldHaveWrittenAreNotShown) {
  report::Document one{.tool = "virt-ferry 1"};
  one.machines = {machine("a", report::Status::migrated, "20261129-000001-0000")};
  keep_reports(one);
  const fs::path file = journal_folder() / "20261129-000001-0000.report.json";
  ASSERT_EQ(chmod(file.c_str(), 0666), 0);
  EXPECT_EQ(kind_of_reading("20261129-000001-0000"), ErrorKind::unsafe);
  ASSERT_EQ(chmod(file.c_str(), 0600), 0);
  EXPECT_NO_THROW((void)kept_report("20261129-000001-0000"));
  EXPECT_EQ(kind_of_reading("../20261129-000001-0000"), ErrorKind::missing);
  EXPECT_EQ(kind_of_reading("batch-1"), ErrorKind::missing);
  fs::resize_file(file, 40);
  EXPECT_EQ(kind_of_reading("20261129-000001-0000"), ErrorKind::malformed);
}

}  // namespace
}  // namespace ferry::migration
