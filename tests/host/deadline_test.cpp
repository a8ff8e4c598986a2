// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/deadline.hpp"

#include <condition_variable>
#include <future>
#include <gmock/gmock.h>
#include <mutex>
#include <stop_token>
#include <thread>

#include "exporters/libvirt/host/connection.hpp"
#include "tests/kit/folder.hpp"
#include "tests/kit/silent_daemon.hpp"

namespace ferry::libvirt {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

TEST(Within, GivesWhatTheWorkGivesOrThrows) {
  EXPECT_EQ(within<int>({10s, {}}, ErrorKind::libvirt, "test:///", "to count", [] { return 7; }), 7);
  EXPECT_THROW(within<void>({10s, {}}, ErrorKind::libvirt, "test:///", "to fail",
                            [] { throw Error(ErrorKind::conflict, {.message = "taken"}); }),
               Error);
}

TEST(Within, LeavesWorkAloneThatDoesNotEnd) {
  struct Shared {
    std::mutex guard;
    std::condition_variable changed;
    bool go_on = false, ended = false;
  };
  const auto shared = std::make_shared<Shared>();
  try {
    within<void>({50ms, {}}, ErrorKind::libvirt, "test:///", "to wait", [shared] {
      std::unique_lock lock(shared->guard);
      shared->changed.wait(lock, [&] { return shared->go_on; });
      shared->ended = true;
      shared->changed.notify_all();
    });
    FAIL();
  } catch (const Unanswered &error) {
    EXPECT_EQ(error.kind(), ErrorKind::libvirt);
    EXPECT_THAT(error.what(), HasSubstr("test:///"));
    EXPECT_THAT(error.what(), HasSubstr("to wait"));
    EXPECT_THAT(error.what(), HasSubstr("50 ms"));
  }
  EXPECT_TRUE(gave_up_on_libvirt());
  std::unique_lock lock(shared->guard);
  shared->go_on = true;
  shared->changed.notify_all();
  shared->changed.wait(lock, [&] { return shared->ended; });
}

TEST(Within, EndsSoonAfterItIsStopped) {
  std::stop_source stop;
  const auto released = std::make_shared<std::promise<void>>();
  const auto begun = std::make_shared<std::promise<void>>();
  std::jthread stopper([&] {
    begun->get_future().wait();
    stop.request_stop();
  });
  const auto before = std::chrono::steady_clock::now();
  try {
    within<void>({10min, stop.get_token()}, ErrorKind::libvirt, "test:///", "to wait", [begun, released] {
      begun->set_value();
      released->get_future().wait();
    });
    FAIL();
  } catch (const Unanswered &error) {
    EXPECT_EQ(error.kind(), ErrorKind::cancelled);
    EXPECT_THAT(error.what(), HasSubstr("to wait"));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, 20s);
  released->set_value();
}

TEST(Within, AsksStillWhatTakesBackAfterItWasStopped) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(within<int>({10s, stop.get_token()}, ErrorKind::libvirt, "test:///", "to count", [] { return 7; }), 7);
}

TEST(Connection, ADaemonThatDoesNotAnswerIsAnErrorInTime) {
  const test::TempFolder folder;
  const test::SilentDaemon daemon(folder / "sock");
  const auto before = std::chrono::steady_clock::now();
  try {
    const Connection connection(daemon.uri(), {.open = 200ms});
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::unreachable);
    EXPECT_THAT(error.what(), HasSubstr("does not answer"));
    EXPECT_THAT(error.detail().advice, HasSubstr("--no-define"));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, 20s);
}

}  // namespace
}  // namespace ferry::libvirt
