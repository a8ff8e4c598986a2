// SPDX-License-Identifier: Apache-2.0
// The program and signals: whatever it is doing, it stops in time, says so and leaves nothing.
#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <gmock/gmock.h>
#include <random>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "tests/kit/folder.hpp"
#include "tests/kit/silent_daemon.hpp"

namespace ferry::cli {
namespace {

using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// Conditions are looked at this often; a loaded host gets time enough before a test fails.
constexpr auto kLook = 5ms;
constexpr auto kPatience = 60s;

bool eventually(const std::function<bool()> &holds) {
  for (const auto until = Clock::now() + kPatience; Clock::now() < until; std::this_thread::sleep_for(kLook)) {
    if (holds()) return true;
  }
  return false;
}

class Program {
 public:
  // `prepare` runs in the child before the program.
  Program(const test::TempFolder &folder, std::vector<std::string> words, const std::function<void()> &prepare = {})
      : said_(folder / "stderr") {
    words.insert(words.begin(), FERRY_PROGRAM);
    std::vector<char *> pointers;
    for (std::string &word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    child_ = fork();
    if (child_ != 0) return;
    setenv("HOME", folder.path().c_str(), 1);
    for (const char *name : {"XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "LIBVIRT_DEFAULT_URI"})
      unsetenv(name);
    const int out = open((folder / "stdout").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int err = open(said_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(out, 1);
    dup2(err, 2);
    std::signal(SIGHUP, SIG_DFL);  // whoever runs the tests may have it ignored
    if (prepare) prepare();
    execv(pointers[0], pointers.data());
    _exit(127);
  }
  ~Program() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  Program(const Program &) = delete;
  Program &operator=(const Program &) = delete;

  void send(int signal) const { kill(child_, signal); }
  // Its exit status; 1000 and the signal's number when one killed it.
  int wait() {
    int status = 0;
    if (!eventually([&] { return waitpid(child_, &status, WNOHANG) == child_; })) return -1;
    child_ = 0;
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  [[nodiscard]] bool is_ready() const {
    // The signals are blocked once it waits for them.
    std::string status = test::read_text("/proc/" + std::to_string(child_) + "/status");
    const std::size_t at = status.find("SigBlk:\t");
    return at != std::string::npos && (std::stoull(status.substr(at + 8, 16), nullptr, 16) & (1U << (SIGINT - 1))) != 0;
  }
  [[nodiscard]] std::string said() const { return test::read_text(said_); }

 private:
  std::filesystem::path said_;
  pid_t child_ = -1;
};

constexpr const char *kMachine = R"(.encoding = "UTF-8"
config.version = "8"
virtualHW.version = "14"
guestOS = "debian10-64"
displayName = "web"
memsize = "256"
)";

class Waiting : public ::testing::TestWithParam<int> {};

TEST_P(Waiting, APlanEndsAtOnceAndSaysSo) {
  const test::TempFolder folder;
  folder.write("web/web.vmx", kMachine);
  for (const std::vector<std::string> &command : {std::vector<std::string>{"plan", (folder / "web").string()},
                                                  {"migrate", (folder / "web").string()},
                                                  {"batch", folder.path().string(), "--dry-run"}}) {
    std::vector<std::string> words = command;
    test::SilentDaemon daemon(folder / ("sock-" + command.front()));
    words.insert(words.end(), {"--connect", daemon.uri()});
    Program program(folder, words);
    ASSERT_TRUE(eventually([&] { return daemon.is_asked(); })) << program.said();
    const auto before = Clock::now();
    program.send(GetParam());
    // A cluster that ends a task of a batch is to start it again.
    const bool again = command.front() == "batch" && GetParam() == SIGTERM;
    EXPECT_EQ(program.wait(), again ? 5 : 130) << program.said();
    EXPECT_LT(Clock::now() - before, 5s);
    EXPECT_THAT(program.said(), HasSubstr("interrupted"));
  }
}

INSTANTIATE_TEST_SUITE_P(Signal, Waiting, ::testing::Values(SIGINT, SIGTERM, SIGHUP));

std::vector<std::string> hidden_files(const std::filesystem::path &folder) {
  std::vector<std::string> out;
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.') || name.ends_with(".qcow2")) out.push_back(name);
  }
  return out;
}

std::string noise(std::size_t bytes) {
  std::mt19937_64 random(1);
  std::string out(bytes, '\0');
  for (char &c : out) c = static_cast<char>(random() & 63U);  // compresses a little, and takes its time
  return out;
}

class Conversion : public ::testing::Test {
 protected:
  void SetUp() override { folder_.write("disk.raw", noise(std::size_t{96} << 20U)); }
  [[nodiscard]] std::vector<std::string> words() const {
    return {"disk",
            "convert",
            (folder_ / "disk.raw").string(),
            (folder_ / "disk.qcow2").string(),
            "--input-format",
            "raw",
            "--compress",
            "zlib",
            "--jobs",
            "1"};
  }
  bool has_begun() {
    return eventually([&] { return !hidden_files(folder_.path()).empty(); });
  }
  test::TempFolder folder_;
};

TEST_F(Conversion, IsStoppedAndLeavesNothing) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    Program program(folder_, words());
    ASSERT_TRUE(has_begun()) << program.said();
    program.send(signal);
    EXPECT_EQ(program.wait(), 130) << program.said();
    EXPECT_THAT(program.said(), HasSubstr("stopping"));
    EXPECT_THAT(hidden_files(folder_.path()), ::testing::IsEmpty());
  }
}

TEST_F(Conversion, WhatAKilledOneLeftGoesWithTheNext) {
  {
    Program program(folder_, words());
    ASSERT_TRUE(has_begun()) << program.said();
    program.send(SIGKILL);
    EXPECT_EQ(program.wait(), 1000 + SIGKILL);
  }
  EXPECT_EQ(hidden_files(folder_.path()).size(), 1U);
  folder_.write("small.raw", "small");
  Program program(folder_, {"disk", "convert", (folder_ / "small.raw").string(), (folder_ / "other.raw").string(),
                            "--input-format", "raw", "--format", "raw"});
  EXPECT_EQ(program.wait(), 0) << program.said();
  EXPECT_THAT(hidden_files(folder_.path()), ::testing::IsEmpty());
}

TEST_F(Conversion, ALimitOfTheFileSizeIsAnError) {
  Program program(folder_, words(), [] {
    const rlimit limit{1U << 20U, 1U << 20U};
    setrlimit(RLIMIT_FSIZE, &limit);
  });
  EXPECT_EQ(program.wait(), 1) << program.said();
  EXPECT_THAT(program.said(), HasSubstr("virt-ferry: "));
  EXPECT_THAT(hidden_files(folder_.path()), ::testing::IsEmpty());
}

// `descriptor` of the child is a pipe that nobody reads.
std::function<void()> unread(int descriptor) {
  return [descriptor] {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) _exit(126);
    close(ends[0]);
    dup2(ends[1], descriptor);
    close(ends[1]);
  };
}

TEST_F(Conversion, ProgressThatNobodyReadsDoesNotStopTheWork) {
  std::vector<std::string> with_progress = words();
  with_progress.insert(with_progress.end(), {"--progress", "json"});
  Program program(folder_, with_progress, unread(2));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "disk.qcow2"));
}

TEST(Report, ThatNobodyReadsIsAnErrorWithItsWords) {
  const test::TempFolder folder;
  folder.write("web/web.vmx", kMachine);
  Program program(folder, {"plan", (folder / "web").string(), "--no-define"}, unread(1));
  EXPECT_EQ(program.wait(), 1);
  EXPECT_THAT(program.said(), HasSubstr("standard output: Broken pipe"));
}

TEST(NoDefine, AsksNothingOfLibvirt) {
  const test::TempFolder folder;
  folder.write("web/web.vmx", kMachine);
  test::SilentDaemon daemon(folder / "sock");
  const std::string uri = daemon.uri();
  for (const char *command : {"plan", "migrate"}) {
    Program program(folder, {command, (folder / "web").string(), "--no-define", "--dest", (folder / command).string()},
                    [&uri] { setenv("LIBVIRT_DEFAULT_URI", uri.c_str(), 1); });
    EXPECT_EQ(program.wait(), 0) << program.said();
    EXPECT_FALSE(daemon.is_asked());
  }
  // Who names a connection has it asked.
  Program program(folder, {"plan", (folder / "web").string(), "--no-define", "--connect", uri});
  EXPECT_TRUE(eventually([&] { return daemon.is_asked(); }));
}

}  // namespace
}  // namespace ferry::cli
