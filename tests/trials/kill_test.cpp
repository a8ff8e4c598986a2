// SPDX-License-Identifier: Apache-2.0
// Kills whole runs of the program before each thing that they do, one after the other, and looks at what is left: the
// source as it was, the old files or the new ones, and a next run that ends well. Without libvirt; session/ has it.
// FERRY_TRIALS=long goes through every moment, otherwise every third is taken.
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "tests/trials/trial.hpp"

namespace ferry {
namespace {

class Killed : public Trial {
 protected:
  // Calls `check` after a kill at each moment, until a run comes to its end.
  void at_every_moment(const std::function<void()> &prepare, bool overwrite, const std::function<void()> &check) const {
    const long stride = is_long() ? 1 : 3;
    long kills = 0;
    for (long moment = 1;; moment += stride, ++kills) {
      SCOPED_TRACE("before step " + std::to_string(moment));
      clear();
      prepare();
      const auto before = content(source());
      const Ended ended =
          migrate(overwrite, {{"LD_PRELOAD", FERRY_STOP_SHIM}, {"FERRY_STOP_AT", std::to_string(moment)}});
      EXPECT_EQ(content(source()), before) << "the source";
      if (ended.signal != SIGKILL) {
        EXPECT_EQ(ended.code, 0) << ended.output;
        break;
      }
      check();
      if (HasFailure()) break;
    }
    EXPECT_GT(kills, is_long() ? 30 : 10) << "the shim counts nothing";
    std::printf("kills: %ld\n", kills);
  }
};

TEST_F(Killed, ARunCanBeRunAgain) {
  at_every_moment([] {}, false,
                  [this] {
                    if (newest().second == "done") return;
                    const Ended again = migrate(false);
                    EXPECT_EQ(again.code, 0) << again.output;
                    const auto made = content(dest());
                    EXPECT_EQ(made.size(), 2U);
                    EXPECT_TRUE(made.contains("probe.qcow2") && made.contains("probe.xml"));
                    EXPECT_EQ(ferry({"undo", newest().first}).code, 0);
                    EXPECT_TRUE(content(dest()).empty());
                  });
}

TEST_F(Killed, ARunCanBeUndone) {
  at_every_moment([] {}, false,
                  [this] {
                    const std::string run = newest().first;
                    if (run.empty()) return;  // before its journal was
                    const Ended undone = ferry({"undo", run});
                    EXPECT_EQ(undone.code, 0) << undone.output;
                    EXPECT_TRUE(content(dest()).empty());
                  });
}

// What stands there before, and a source that has changed since.
TEST_F(Killed, WhatWasToBeOverwrittenIsThereOrComesBack) {
  std::map<std::string, std::string> old;
  std::string first;
  const auto prepare = [&] {
    write_disk('a');
    EXPECT_EQ(migrate(false).code, 0);
    old = content(dest());
    first = newest().first;
    write_disk('b');
  };
  at_every_moment(prepare, true, [&] {
    const auto [run, state] = newest(first);
    if (run == first) {  // before the second one had said anything
      EXPECT_EQ(content(dest()), old);
    } else if (state == "done") {
      EXPECT_NE(content(dest()).at("probe.xml").find(run), std::string::npos);
      EXPECT_TRUE(holds_disk('b'));
    } else {
      const Ended undone = ferry({"undo", run});
      EXPECT_EQ(undone.code, 0) << undone.output;
      EXPECT_EQ(content(dest()), old);
    }
  });
}

TEST_F(Killed, OverwritingCanBeRunAgain) {
  const auto prepare = [&] {
    write_disk('a');
    EXPECT_EQ(migrate(false).code, 0);
    write_disk('b');
  };
  at_every_moment(prepare, true, [&] {
    const Ended again = migrate(true);
    EXPECT_EQ(again.code, 0) << again.output;
    EXPECT_EQ(content(dest()).size(), 2U);
    EXPECT_TRUE(holds_disk('b'));
  });
}

// Between the steps too, and while it reads and converts.
TEST_F(Killed, AtARandomMomentARunCanBeRunAgain) {
  using Clock = std::chrono::steady_clock;
  using std::chrono::microseconds;
  const int wanted = is_long() ? 200 : 10;
  const auto before = content(source());
  std::mt19937 random(20261128);
  microseconds whole = std::chrono::seconds(1);  // what a run takes; whoever ends before the kill says it anew
  int kills = 0, tries = 0;
  for (; kills < wanted && tries < 10 * wanted && !HasFailure(); ++tries) {
    const microseconds moment(std::uniform_int_distribution<long>(0, whole.count())(random));
    SCOPED_TRACE("after " + std::to_string(moment.count()) + " microseconds");
    clear();
    const auto began = Clock::now();
    const pid_t child = begin(migration(false));
    std::this_thread::sleep_for(moment);
    kill(child, SIGKILL);
    const Ended ended = end(child);
    EXPECT_EQ(content(source()), before) << "the source";
    if (ended.signal != SIGKILL) {
      whole = std::min(whole, std::chrono::duration_cast<microseconds>(Clock::now() - began)) * 3 / 4;
      continue;
    }
    ++kills;
    whole = whole * 21 / 20;  // slower again, perhaps
    // One that was done is there already; what a kill behind its end left goes all the same.
    const int expected = newest().second == "done" ? 3 : 0;
    const Ended again = migrate(false);
    EXPECT_EQ(again.code, expected) << again.output;
    EXPECT_EQ(content(dest()).size(), 2U);
    EXPECT_TRUE(holds_disk('a'));
    EXPECT_EQ(ferry({"undo", newest().first}).code, 0);
    EXPECT_TRUE(content(dest()).empty());
  }
  EXPECT_EQ(kills, wanted) << "of " << tries << " runs";
  std::printf("kills at random moments: %d of %d runs\n", kills, tries);
}

}  // namespace
}  // namespace ferry
