// SPDX-License-Identifier: Apache-2.0
#include "support/subprocess.hpp"

#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <signal.h>
#include <thread>
#include <unistd.h>

#include "tests/qemu_img/scratch.hpp"

#include "support/error.hpp"

namespace ferry::subprocess {
namespace {

using namespace std::chrono_literals;
using test::Scratch;

Result sh(const std::string &script, Limits limits = {}) {
  return run({.program = "sh", .arguments = {"-c", script}, .limits = limits, .on_line = {}});
}

ErrorKind kind_of(const Command &command, const std::stop_token &stop = {}) {
  try {
    (void)run(command, stop);
  } catch (const Error &error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::internal;
}

// True once no process of that id is left (a killed grandchild is reaped by init, a moment later).
bool is_gone(const std::filesystem::path &pid_file) {
  const auto pid = static_cast<pid_t>(std::stol(test::read_text(pid_file)));
  for (int tries = 0; tries < 2000; ++tries) {
    if (::kill(pid, 0) != 0) return true;
    // In a container without an init that reaps, it stays as a zombie: as good as gone.
    std::string state;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), state);
    if (state.find(") Z ") != std::string::npos) return true;
    ::usleep(1000);
  }
  return false;
}

TEST(Subprocess, GivesOutputAndErrorsApart) {
  const auto result = sh("echo one; echo two >&2");
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.output, "one\n");
  EXPECT_EQ(result.errors, "two\n");
}

TEST(Subprocess, PassesArgumentsUnchanged) {
  const std::vector<std::string> arguments = {"%s|", "a b", "", "$HOME", "\"q\"", "new\nline", "-rf", "\xff"};
  const auto result = run({.program = "printf", .arguments = arguments, .limits = {}, .on_line = {}});
  EXPECT_EQ(result.output, "a b||$HOME|\"q\"|new\nline|-rf|\xff|");
}

TEST(Subprocess, RefusesNulInAnArgument) {
  EXPECT_EQ(kind_of({.program = "true", .arguments = {std::string("a\0b", 3)}, .limits = {}, .on_line = {}}),
            ErrorKind::usage);
}

TEST(Subprocess, TellsExitStatusFromSignal) {
  EXPECT_EQ(sh("exit 7").exit_code, 7);
  EXPECT_EQ(sh("exit 7").how(), "exit status 7");
  const auto killed = sh("kill -SEGV $$");
  EXPECT_EQ(killed.signal, SIGSEGV);
  EXPECT_EQ(killed.exit_code, -1);
  EXPECT_FALSE(killed.ok());
  EXPECT_TRUE(killed.how().starts_with("signal 11")) << killed.how();
}

TEST(Subprocess, NamesAProgramThatIsNotThere) {
  EXPECT_EQ(kind_of({.program = "no-such-program-of-ferry", .arguments = {}, .limits = {}, .on_line = {}}),
            ErrorKind::missing);
  EXPECT_EQ(kind_of({.program = "/no/such/program", .arguments = {}, .limits = {}, .on_line = {}}), ErrorKind::missing);
}

TEST(Subprocess, NamesAProgramThatCannotBeStarted) {
  const Scratch scratch;
  const auto program = scratch.program("broken", "");
  scratch.write("broken", "#!/no/such/interpreter\n");
  EXPECT_EQ(kind_of({.program = program, .arguments = {}, .limits = {}, .on_line = {}}), ErrorKind::subprocess);
}

TEST(Subprocess, SpeaksEnglishAndHearsNothing) {
  ::setenv("LANG", "de_DE.UTF-8", 1);
  ::setenv("LC_MESSAGES", "de_DE.UTF-8", 1);
  const auto result = sh("echo \"$LANG|$LC_ALL|$LC_MESSAGES\"; cat");
  EXPECT_EQ(result.output, "|C|\n");
}

TEST(Subprocess, LeaksNoDescriptor) {
  if (!std::filesystem::exists("/proc/self/fd")) GTEST_SKIP() << "/proc is not mounted";
  const int leaky = ::open("/dev/null", O_RDONLY);  // NOLINT: without O_CLOEXEC on purpose
  ASSERT_GE(leaky, 3);
  const auto result = sh("ls /proc/self/fd | wc -l");
  ::close(leaky);
  EXPECT_EQ(result.output, "4\n");  // 0, 1, 2 and the folder that ls reads
}

TEST(Subprocess, KeepsNothingOpenItself) {
  if (!std::filesystem::exists("/proc/self/fd")) GTEST_SKIP() << "/proc is not mounted";
  const auto count = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto before = count();
  for (int i = 0; i < 20; ++i) (void)sh("echo x");
  EXPECT_EQ(kind_of({.program = "/no/such/program", .arguments = {}, .limits = {}, .on_line = {}}), ErrorKind::missing);
  EXPECT_EQ(count(), before);
}

TEST(Subprocess, StopsAtTheDeadlineWithAllThatWasStarted) {
  const Scratch scratch;
  const auto pids = (scratch / "pid").string();
  const auto began = std::chrono::steady_clock::now();
  Limits limits;
  limits.deadline = 300ms;
  EXPECT_EQ(kind_of({.program = "sh",
                     .arguments = {"-c", "sleep 600 & echo $! > " + pids + "; wait"},
                     .limits = limits,
                     .on_line = {}}),
            ErrorKind::cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
  EXPECT_TRUE(is_gone(pids));
}

TEST(Subprocess, KillsWhatDoesNotListenToTerm) {
  const Scratch scratch;
  const auto pids = (scratch / "pid").string();
  Limits limits;
  limits.deadline = 300ms;
  EXPECT_EQ(kind_of({.program = "sh",
                     .arguments = {"-c", "trap '' TERM; echo $$ > " + pids + "; while :; do sleep 600; done"},
                     .limits = limits,
                     .on_line = {}}),
            ErrorKind::cancelled);
  EXPECT_TRUE(is_gone(pids));
}

TEST(Subprocess, DeadlineHoldsWhenThePipesAreClosed) {
  Limits limits;
  limits.deadline = 300ms;
  EXPECT_EQ(
      kind_of({.program = "sh", .arguments = {"-c", "exec >&- 2>&-; sleep 600"}, .limits = limits, .on_line = {}}),
      ErrorKind::cancelled);
}

TEST(Subprocess, StopsWhenAsked) {
  const Scratch scratch;
  const auto pids = (scratch / "pid").string();
  std::stop_source source;
  Command command{.program = "sh",
                  .arguments = {"-c", "echo $$ > " + pids + "; echo ready; exec sleep 600"},
                  .limits = {},
                  .on_line = [&](std::string_view) { source.request_stop(); }};
  EXPECT_EQ(kind_of(command, source.get_token()), ErrorKind::cancelled);
  EXPECT_TRUE(is_gone(pids));
}

TEST(Subprocess, StartsNothingWhenStoppedBefore) {
  const Scratch scratch;
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(kind_of({.program = "touch", .arguments = {(scratch / "made").string()}, .limits = {}, .on_line = {}},
                    source.get_token()),
            ErrorKind::cancelled);
  EXPECT_FALSE(std::filesystem::exists(scratch / "made"));
}

TEST(Subprocess, DoesNotWaitForAGrandchildThatKeepsThePipe) {
  const Scratch scratch;
  const auto pids = (scratch / "pid").string();
  const auto began = std::chrono::steady_clock::now();
  const auto result = sh("sleep 600 & echo $! > " + pids + "; echo done");
  EXPECT_EQ(result.output, "done\n");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 60s);
  EXPECT_TRUE(is_gone(pids));
}

TEST(Subprocess, CutsTheMiddleOutOfLongErrors) {
  Limits limits;
  limits.max_errors = 1000;
  const auto result = sh("echo first >&2; head -c 3000000 /dev/zero | tr '\\0' x >&2; echo last >&2; exit 1", limits);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(result.errors.starts_with("first\n"));
  EXPECT_TRUE(result.errors.ends_with("xxxlast\n"));
  EXPECT_NE(result.errors.find("[...]"), std::string::npos);
  EXPECT_LE(result.errors.size(), 1100U);
}

TEST(Subprocess, KillsWhatSaysTooMuch) {
  Limits limits;
  limits.max_output = 100000;
  EXPECT_EQ(
      kind_of(
          {.program = "sh", .arguments = {"-c", "while :; do echo xxxxxxxx; done"}, .limits = limits, .on_line = {}}),
      ErrorKind::subprocess);
}

TEST(Subprocess, CutsLinesAtCarriageReturnAndNewline) {
  std::vector<std::string> lines;
  const auto result = run({.program = "printf",
                           .arguments = {"  (0.00/100%%)\\r  (50.00/100%%)\\r\\nlast"},
                           .limits = {},
                           .on_line = [&](std::string_view line) { lines.emplace_back(line); }});
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(lines, (std::vector<std::string>{"  (0.00/100%)", "  (50.00/100%)", "last"}));
  EXPECT_EQ(result.output, "");
}

TEST(Subprocess, LimitsTheAddressSpace) {
  Limits limits;
  limits.address_space = std::uint64_t{64} << 20;
  EXPECT_EQ(sh("ulimit -v", limits).output, "65536\n");
}

TEST(Subprocess, LimitsWhatCanBeWrittenTo) {
  Limits limits;
  limits.data = std::uint64_t{64} << 20;
  EXPECT_EQ(sh("ulimit -d", limits).output, "65536\n");
}

TEST(Subprocess, LimitsTheProcessorTime) {
  Limits limits;
  limits.cpu_seconds = 1;
  const auto result = sh("while :; do :; done", limits);
  EXPECT_TRUE(result.signal == SIGXCPU || result.signal == SIGKILL) << result.how();
}

TEST(Subprocess, RunsFromManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::array<std::string, 8> outputs;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    threads.emplace_back([&outputs, i] {
      for (int round = 0; round < 5; ++round) outputs[i] = sh("echo " + std::to_string(i)).output;
    });
  for (auto &thread : threads) thread.join();
  for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_EQ(outputs[i], std::to_string(i) + "\n");
}

TEST(FindProgram, TakesNothingFromTheCurrentFolder) {
  const Scratch scratch;
  scratch.program("ferry-decoy", "exit 0");
  const auto old_path = std::string(std::getenv("PATH"));
  const auto old_folder = std::filesystem::current_path();
  std::filesystem::current_path(scratch.path());
  ::setenv("PATH", (":.:" + old_path).c_str(), 1);
  EXPECT_EQ(find_program("ferry-decoy"), "");
  ::setenv("PATH", (scratch.path().string() + ":" + old_path).c_str(), 1);
  EXPECT_EQ(find_program("ferry-decoy"), scratch / "ferry-decoy");
  ::setenv("PATH", old_path.c_str(), 1);
  std::filesystem::current_path(old_folder);
}

// An empty or relative entry means the current folder, where anybody may have put a program.
TEST(FindProgram, TakesNoRelativeEntryOfThePath) {
  const Scratch folder;
  folder.program("ferry-tool", "true");
  const std::filesystem::path before = std::filesystem::current_path();
  const std::string path = std::getenv("PATH");
  std::filesystem::current_path(folder.path());
  for (const std::string entry : {".", "", "./"}) {
    setenv("PATH", (entry + ":/nonexistent").c_str(), 1);
    EXPECT_EQ(find_program("ferry-tool"), "") << entry;
  }
  setenv("PATH", (".:" + folder.path().string()).c_str(), 1);
  EXPECT_EQ(find_program("ferry-tool"), folder / "ferry-tool");
  setenv("PATH", path.c_str(), 1);
  std::filesystem::current_path(before);
}

}  // namespace
}  // namespace ferry::subprocess
