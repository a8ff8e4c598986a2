// SPDX-License-Identifier: Apache-2.0
// No more threads or processes (EAGAIN): what cannot be read in a worker is read all the same and the report says so;
// what needs a thread is refused with the limit's name.
#include <cerrno>
#include <gmock/gmock.h>

#include "tests/trials/trial.hpp"

namespace ferry {
namespace {

using testing::HasSubstr;
using testing::Not;

class ProcessLimit : public Trial, public testing::WithParamInterface<const char *> {
 protected:
  // `command`: plan or migrate, in the format of the parameter.
  [[nodiscard]] Ended failing(const std::string &command, const char *kind, long at) const {
    const std::string profile = FERRY_SOURCE_DIR "/fixtures/hosts/debian-12.json";
    return end(begin({command, (source() / "probe.vbox").string(), "--no-define", "--dest", dest().string(), "--format",
                      GetParam(), "--host-profile", profile},
                     limited(kind, at)));
  }
  // The environment in which the call of that number fails as at the limit.
  [[nodiscard]] Environment limited(const char *kind, long at) const {
    return {{"LD_PRELOAD", FERRY_FAULT_SHIM},
            {"FERRY_FAIL_KIND", kind},
            {"FERRY_FAIL_AT", std::to_string(at)},
            {"FERRY_FAIL_WITH", std::to_string(EAGAIN)},
            {"FERRY_FAIL_LOG", (folder_ / "failed").string()}};
  }
};

class ProcessLimitInABatch : public Trial {};

TEST_P(ProcessLimit, ReadingWithoutWorkersIsAFinding) {
  for (const char *command : {"plan", "migrate"}) {
    const Ended without = failing(command, "process", 1);
    EXPECT_EQ(without.code, 0) << without.output;
    EXPECT_THAT(without.output, HasSubstr("source.read-uncaged")) << command;
    EXPECT_THAT(without.output, HasSubstr("ulimit -u")) << command;
    EXPECT_THAT(without.output, HasSubstr("the limit on processes and threads is")) << command;
    clear();
    const Ended with = failing(command, "process", 1000);
    EXPECT_EQ(with.code, 0) << with.output;
    EXPECT_THAT(with.output, Not(HasSubstr("the limit on processes and threads is"))) << command;
    clear();
  }
}

// Whatever a command reads of somebody else's, it says that it did so without a cage.
TEST_P(ProcessLimit, EachCommandThatReadsSaysThatItReadWithoutWorkers) {
  const std::string image = (source() / "probe.vmdk").string();
  const std::vector<std::vector<std::string>> commands{
      {"inspect", (source() / "probe.vbox").string(), "--format", GetParam()},
      {"disk", "info", image, "--format", GetParam()},
      {"list", "--format", GetParam()},
  };
  for (const auto &command : commands) {
    const Ended without = end(begin(command, limited("process", 1)));
    EXPECT_EQ(without.code, 0) << command[0] << without.output;
    EXPECT_THAT(without.output, HasSubstr("ulimit -u")) << command[0];
    const Ended with = end(begin(command, {}));
    EXPECT_EQ(with.code, 0) << command[0] << with.output;
    EXPECT_THAT(with.output, Not(HasSubstr("ulimit -u"))) << command[0];
  }
  const Ended converted =
      end(begin({"disk", "convert", image, (folder_ / "out.qcow2").string()}, limited("process", 1)));
  EXPECT_EQ(converted.code, 0) << converted.output;
  EXPECT_THAT(converted.output, HasSubstr("ulimit -u"));
  std::filesystem::remove(folder_ / "out.qcow2");
}

TEST_P(ProcessLimit, ThreadThatCannotBeMadeNamesTheLimit) {
  int refused = 0;
  for (long at = 1; at <= 4; ++at, clear()) {
    const Ended ended = failing("plan", "thread", at);
    EXPECT_EQ(ended.signal, 0) << ended.output;
    EXPECT_THAT(ended.output, Not(HasSubstr("a bug in")));
    if (ended.code == 0) continue;
    ++refused;
    EXPECT_THAT(ended.output, HasSubstr("ulimit -u")) << at;
    EXPECT_THAT(ended.output, HasSubstr("pids.max")) << at;
  }
  EXPECT_GT(refused, 0) << "no call failed";
}

// Each machine of a batch has a row, whichever of them the limit stopped while it was planned.
TEST_F(ProcessLimitInABatch, IsTheRowOfOneMachine) {
  constexpr int kMachines = 3;
  std::string list = "machines:\n";
  for (int i = 0; i < kMachines; ++i) list += "- " + (source() / "probe.vbox").string() + "\n";
  const fs::path manifest = folder_.write("list.yaml", list);
  const std::string profile = FERRY_SOURCE_DIR "/fixtures/hosts/debian-12.json";
  int refused = 0;
  for (long at = 1; at <= 8; ++at, clear()) {
    const Ended ended = end(begin({"batch", manifest.string(), "--dry-run", "--no-define", "--dest", dest().string(),
                                   "--format", "json", "--host-profile", profile},
                                  {{"LD_PRELOAD", FERRY_FAULT_SHIM},
                                   {"FERRY_FAIL_KIND", "thread"},
                                   {"FERRY_FAIL_AT", std::to_string(at)},
                                   {"FERRY_FAIL_WITH", std::to_string(EAGAIN)},
                                   {"FERRY_FAIL_LOG", (folder_ / "failed").string()}}));
    EXPECT_EQ(ended.signal, 0) << ended.output;
    if (ended.code == 0) continue;
    EXPECT_THAT(ended.output, HasSubstr("ulimit -u")) << at;
    if (ended.code == 1) continue;  // a thread that no machine asked for
    ++refused;
    EXPECT_EQ(ended.code, 5) << at << ": " << ended.output;
    std::size_t rows = 0;
    for (std::size_t from = 0; (from = ended.output.find("\"source\": \"" + (source() / "probe.vbox").string() + "\"",
                                                         from)) != std::string::npos;
         ++from) {
      ++rows;
    }
    EXPECT_GE(rows, std::size_t{kMachines}) << at;
  }
  EXPECT_GT(refused, 0) << "no call of a machine's failed";
}

INSTANTIATE_TEST_SUITE_P(Formats, ProcessLimit, testing::Values("text", "json"),
                         [](const auto &tried) { return std::string(tried.param); });

}  // namespace
}  // namespace ferry
