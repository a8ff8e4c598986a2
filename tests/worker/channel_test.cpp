// SPDX-License-Identifier: Apache-2.0
// Messages and processes, with a worker that only repeats what it is told.
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "tests/kit/folder.hpp"
#include "tests/worker/served.hpp"

#include "support/cage.hpp"
#include "support/worker.hpp"

namespace ferry::worker {
namespace {

using test::TempFolder;

std::unique_ptr<Worker> start(const cage::Rules &rules = {}) {
  auto out = Worker::start(rules);
  EXPECT_TRUE(out);
  return out;
}

std::string answer(const Worker &worker, const std::string &question, const std::vector<int> &descriptors = {}) {
  if (!worker.channel().send(test::kEcho + question, descriptors)) return "cannot be sent";
  const auto said = worker.channel().receive();
  return said ? said->bytes : "no answer";
}

TEST(Worker, RepeatsMessagesOfAnySize) {
  const auto worker = start();
  for (const std::size_t length : {0U, 1U, 1000U, 1U << 20U, 5'000'001U}) {
    const std::string text(length, 'x');
    EXPECT_EQ(answer(*worker, "say " + text), text) << length;
  }
}

TEST(Worker, GetsDescriptorsAndNothingElse) {
  const TempFolder folder;
  const auto file = folder.write("target", "");
  const file::Descriptor descriptor(open(file.c_str(), O_RDWR | O_CLOEXEC));
  const auto worker = start();
  EXPECT_EQ(answer(*worker, "write here", {descriptor.get()}), "written");
  EXPECT_EQ(test::read_text(file), "here");
  // Its socket, the three standard ones, and the one that looks.
  EXPECT_EQ(answer(*worker, "count"), "4");
}

TEST(Worker, CannotOpenWhatItsRulesDoNotName) {
  if (cage::offered().landlock == 0) GTEST_SKIP() << "this kernel has no Landlock";
  const TempFolder folder;
  const auto open_to_it = folder.write("source/settings", "read me"), secret = folder.write("home/.ssh/id");
  const auto worker = start({.list = {}, .read = {folder / "source"}, .write = {}, .execute = {}});
  EXPECT_EQ(answer(*worker, "read " + open_to_it.string()), "opened");
  EXPECT_EQ(answer(*worker, "read " + secret.string()), "Permission denied");
}

TEST(Worker, EndIsToldWithItsReason) {
  for (const auto &[how, reason] : {std::pair("crash", "signal 11 (Segmentation fault)"),
                                    std::pair("abort", "signal 6 (Aborted)"), std::pair("leave", "exit status 7")}) {
    const auto worker = start();
    EXPECT_EQ(answer(*worker, how), "no answer");
    EXPECT_EQ(worker->how_it_ended(), reason);
    EXPECT_EQ(answer(*worker, "say more"), "cannot be sent");
  }
}

TEST(Worker, OneEndsWithoutTheOthers) {
  const auto first = start(), second = start();
  EXPECT_EQ(answer(*first, "crash"), "no answer");
  EXPECT_EQ(answer(*second, "say a"), "a");
}

bool ends(pid_t child) {
  for (int looks = 0; kill(child, 0) == 0 && looks < 2000; ++looks) usleep(5000);
  return kill(child, 0) != 0;
}

TEST(Worker, EndsWithItsOwner) {
  for (const char *doing : {"say nothing", "sleep", "spin"}) {
    pid_t child = 0;
    {
      const auto worker = start();
      child = static_cast<pid_t>(std::stol(answer(*worker, "process")));
      ASSERT_EQ(kill(child, 0), 0);
      ASSERT_TRUE(worker->channel().send(test::kEcho + std::string(doing)));
    }
    EXPECT_TRUE(ends(child)) << doing;
  }
}

// What is said of a worker that does `what`, once something is said: within ten seconds, or in the end.
Watch::Verdict verdict_on(const std::string &what, const Patience &patience, int most_looks = 50,
                          bool told_to_stop = false) {
  const TempFolder folder;
  const file::Descriptor file(open(folder.write("source", "text").c_str(), O_RDONLY | O_CLOEXEC));
  const auto worker = start();
  EXPECT_TRUE(worker->channel().send(test::kEcho + what, {file.get()}));
  Watch watch(*worker, patience);
  auto verdict = Watch::Verdict::goes_on;
  int looks = 0;
  const auto said = worker->channel().receive([&] {
    verdict = watch.look(told_to_stop);
    return verdict == Watch::Verdict::goes_on && ++looks < most_looks;
  });
  EXPECT_FALSE(said);
  return verdict;
}

TEST(Watch, TellsWhoComputesFromWhoWaitsAndFromWhoWorks) {
  const auto short_time = std::chrono::milliseconds(700);
  const auto long_time = std::chrono::minutes(10);
  using Verdict = Watch::Verdict;
  EXPECT_EQ(verdict_on("spin", {.computing = short_time, .waiting = long_time}), Verdict::computes);
  EXPECT_EQ(verdict_on("spin", {.computing = long_time, .waiting = short_time}), Verdict::waits);
  EXPECT_EQ(verdict_on("sleep", {.computing = short_time, .waiting = long_time}, 8), Verdict::goes_on);
  EXPECT_EQ(verdict_on("sleep", {.computing = long_time, .waiting = short_time}), Verdict::waits);
  EXPECT_EQ(verdict_on("copy", {.computing = short_time, .waiting = short_time}, 8), Verdict::goes_on);
  EXPECT_EQ(verdict_on("copy", {.stopping = short_time}, 8), Verdict::goes_on);
  EXPECT_EQ(verdict_on("copy", {.stopping = short_time}, 50, true), Verdict::does_not_stop);
}

TEST(Channel, RefusesWhatIsNoMessage) {
  const auto received = [](const std::string &bytes) {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const Channel channel{file::Descriptor(ends[0])};
    EXPECT_EQ(write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    close(ends[1]);
    return channel.receive().has_value();
  };
  const auto header = [](std::uint64_t length, std::uint64_t descriptors) {
    std::string out(16, '\0');
    memcpy(out.data(), &length, 8);
    memcpy(out.data() + 8, &descriptors, 8);
    return out;
  };
  EXPECT_TRUE(received(header(3, 0) + "abc"));
  EXPECT_FALSE(received(""));
  EXPECT_FALSE(received("short"));
  EXPECT_FALSE(received(header(4, 0) + "abc"));
  EXPECT_FALSE(received(header(kLargestMessage + 1, 0) + "abc"));
  EXPECT_FALSE(received(header(~0ULL, 0)));
  EXPECT_FALSE(received(header(3, 1) + "abc"));  // a descriptor that did not come
}

}  // namespace
}  // namespace ferry::worker
