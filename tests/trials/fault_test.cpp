// SPDX-License-Identifier: Apache-2.0
// Lets the calls of whole runs fail, one after the other: each write, flush, rename, read, open, thread, process.
// Whatever fails, the source is as it was, all is there or nothing (or the old files), success is said of a whole
// result only, the next run ends well and can be undone. FERRY_TRIALS=long takes every call, otherwise every fifth.
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>

#include "tests/trials/trial.hpp"

namespace ferry {
namespace {

struct Kind {
  const char *name;
  std::vector<int> errors;
  long stride;  // of the short form
};

class Failing : public Trial, public testing::WithParamInterface<Kind> {
 protected:
  [[nodiscard]] Ended migrate_failing(bool overwrite, long at) const {
    const Kind &kind = GetParam();
    fs::remove(failed());
    const int error = kind.errors[static_cast<std::size_t>(at) % kind.errors.size()];
    return migrate(overwrite, {{"LD_PRELOAD", FERRY_FAULT_SHIM},
                               {"FERRY_FAIL_KIND", kind.name},
                               {"FERRY_FAIL_AT", std::to_string(at)},
                               {"FERRY_FAIL_WITH", std::to_string(error)},
                               {"FERRY_FAIL_BELOW", folder_.path().string() + "/"},
                               {"FERRY_FAIL_LOG", failed()}});
  }
  [[nodiscard]] fs::path failed() const { return folder_ / "failed"; }
  // The shim's second number: whether a call failed.
  [[nodiscard]] bool has_failed() const {
    std::array<long, 2> numbers{};
    std::ifstream(failed().string() + ".count", std::ios::binary)
        .read(reinterpret_cast<char *>(numbers.data()), sizeof numbers);
    return numbers[1] != 0;
  }

  // `look` is called after each run of which a call failed.
  void at_every_call(const std::function<void()> &prepare, bool overwrite,
                     const std::function<void(const Ended &)> &look) const {
    long tries = 0;
    for (long at = 1; !HasFailure(); at += is_long() ? 1 : GetParam().stride, ++tries) {
      SCOPED_TRACE("call " + std::to_string(at));
      clear();
      prepare();
      const auto before = content(source());
      const Ended ended = migrate_failing(overwrite, at);
      EXPECT_EQ(content(source()), before) << "the source";
      if (!has_failed()) {
        EXPECT_EQ(ended.code, 0) << ended.output;
        break;
      }
      EXPECT_EQ(ended.signal, 0) << ended.output;
      EXPECT_TRUE(ended.code == 0 || ended.code == 1 || ended.code == 3) << ended.code << "\n" << ended.output;
      EXPECT_EQ(ended.output.find("a bug in"), std::string::npos) << ended.output;
      look(ended);
    }
    EXPECT_GT(tries, 0) << "the shim counts nothing";
    std::printf("%s: %ld calls failed\n", GetParam().name, tries);
  }

  [[nodiscard]] std::map<std::string, std::string> visible() const {
    auto out = content(dest());
    std::erase_if(out, [](const auto &entry) { return entry.first.starts_with('.'); });
    return out;
  }
};

TEST_P(Failing, CallLeavesAllOrNothing) {
  at_every_call([] {}, false,
                [this](const Ended &ended) {
                  const auto made = visible();
                  EXPECT_TRUE(made.empty() || made.size() == 2) << made.begin()->first << "\n" << ended.output;
                  if (ended.code == 0) {
                    EXPECT_EQ(made.size(), 2U) << ended.output;
                  }
                  if (!made.empty()) {
                    EXPECT_TRUE(holds_disk('a'));
                  }
                  if (newest().second != "done") {
                    const Ended again = migrate(false);
                    EXPECT_EQ(again.code, 0) << ended.output << again.output;
                  }
                  EXPECT_EQ(content(dest()).size(), 2U);
                  EXPECT_TRUE(holds_disk('a'));
                  const Ended undone = ferry({"undo", newest().first});
                  EXPECT_EQ(undone.code, 0) << undone.output;
                  EXPECT_TRUE(content(dest()).empty());
                });
}

TEST_P(Failing, CallOfOneThatOverwritesLeavesTheOldOrTheNew) {
  std::map<std::string, std::string> old;
  const auto prepare = [&] {
    write_disk('a');
    EXPECT_EQ(migrate(false).code, 0);
    old = content(dest());
    write_disk('b');
  };
  at_every_call(prepare, true, [&](const Ended &ended) {
    const auto there = visible();
    if (there != old) {
      EXPECT_EQ(there.size(), 2U) << ended.output;
      EXPECT_TRUE(holds_disk('b')) << ended.output;
    } else {
      EXPECT_NE(ended.code, 0) << ended.output;
    }
    const Ended again = migrate(true);
    EXPECT_EQ(again.code, 0) << ended.output << again.output;
    EXPECT_EQ(content(dest()).size(), 2U);
    EXPECT_TRUE(holds_disk('b'));
  });
}

INSTANTIATE_TEST_SUITE_P(Every, Failing,
                         testing::Values(Kind{"write", {EIO, ENOSPC}, 5}, Kind{"sync", {EIO, ENOSPC}, 3},
                                         Kind{"name", {EIO, ENOSPC, EACCES}, 3}, Kind{"read", {EIO}, 5},
                                         Kind{"open", {EMFILE, EACCES, EIO}, 5}, Kind{"thread", {EAGAIN}, 1},
                                         Kind{"process", {EAGAIN}, 1}),
                         [](const auto &tried) { return std::string(tried.param.name); });

}  // namespace
}  // namespace ferry
