// SPDX-License-Identifier: Apache-2.0
// Kills whole runs of the program before each thing that they do, one after the other, and looks at what is left: the
// source as it was, the old files or the new ones, and a next run that ends well. Without libvirt; session/ has it.
// FERRY_TRIALS=long goes through every moment, otherwise every third is taken.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

namespace ferry {
namespace {

namespace fs = std::filesystem;

bool is_long() {
  const char *form = std::getenv("FERRY_TRIALS");
  return form != nullptr && std::string_view(form) == "long";
}

struct Ended {
  int code = -1;  // -1: by a signal
  bool killed = false;
  std::string output;
};

class Killed : public testing::Test {
 protected:
  Killed() {
    const fs::path probe = fs::path(FERRY_SOURCE_DIR) / "fixtures/probe-machine";
    for (const char *name : {"probe.vbox", "probe.vmdk"}) folder_.write(source() / name, test::read_text(probe / name));
    write_disk('a');
  }

  [[nodiscard]] fs::path source() const { return folder_ / "source"; }
  [[nodiscard]] fs::path dest() const { return folder_ / "out"; }

  void write_disk(char letter) const { folder_.write(source() / "probe-flat.vmdk", std::string(1U << 20U, letter)); }

  // The program in a world of its own: no qemu-img, which would take most of the time.
  [[nodiscard]] Ended ferry(const std::vector<std::string> &arguments, long stop_at = 0) const {
    const fs::path log = folder_ / "log";
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      std::vector<std::string> words{FERRY_PROGRAM};
      words.insert(words.end(), arguments.begin(), arguments.end());
      std::vector<char *> argv;
      for (std::string &word : words) argv.push_back(word.data());
      argv.push_back(nullptr);
      setenv("HOME", (folder_ / "home").c_str(), 1);
      setenv("PATH", "/nowhere", 1);
      unsetenv("XDG_STATE_HOME");
      if (stop_at > 0) {
        setenv("LD_PRELOAD", FERRY_STOP_SHIM, 1);
        setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
        setenv("FERRY_STOP_AT", std::to_string(stop_at).c_str(), 1);
      }
      if (std::freopen(log.c_str(), "w", stdout) == nullptr || dup2(fileno(stdout), 2) < 0) _exit(99);
      execv(FERRY_PROGRAM, argv.data());
      _exit(99);
    }
    int status = 0;
    waitpid(child, &status, 0);
    Ended out;
    out.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (WIFEXITED(status)) out.code = WEXITSTATUS(status);
    out.output = test::read_text(log);
    return out;
  }

  [[nodiscard]] Ended migrate(bool overwrite, long stop_at = 0) const {
    std::vector<std::string> arguments{"migrate", source(), "--no-define", "--dest", dest(), "--progress", "none"};
    if (overwrite) arguments.emplace_back("--overwrite");
    return ferry(arguments, stop_at);
  }

  // Name and content of all below a folder; long contents by size and hash, so that a difference can be read.
  [[nodiscard]] static std::map<std::string, std::string> content(const fs::path &folder) {
    std::map<std::string, std::string> out;
    if (!fs::exists(folder)) return out;
    for (const auto &entry : fs::recursive_directory_iterator(folder)) {
      std::string text = entry.is_regular_file() ? test::read_text(entry.path()) : "a folder";
      if (text.size() > 4096)
        text = std::to_string(text.size()) + " bytes, hash " + std::to_string(std::hash<std::string>()(text));
      out[entry.path().lexically_relative(folder)] = std::move(text);
    }
    return out;
  }

  [[nodiscard]] bool holds_disk(char letter) const {
    return test::read_text(dest() / "probe.qcow2").find(std::string(65536, letter)) != std::string::npos;
  }

  // A run other than `first`, or that one when there is no other, and how it stands: "done", "cut off".
  [[nodiscard]] std::pair<std::string, std::string> newest(const std::string &first = "-") const {
    std::istringstream lines(ferry({"undo", "--list"}).output);
    std::pair<std::string, std::string> out;
    for (std::string line; std::getline(lines, line);) {
      const std::string run = line.substr(0, line.find(' '));
      if (run == first && !out.first.empty()) continue;
      out = {run, line.find("  done ") != std::string::npos ? "done" : "cut off"};
    }
    return out;
  }

  void clear() const {
    fs::remove_all(dest());
    fs::remove_all(folder_ / "home");
  }

  // Calls `check` after a kill at each moment, until a run comes to its end.
  void at_every_moment(const std::function<void()> &prepare, bool overwrite, const std::function<void()> &check) const {
    const long stride = is_long() ? 1 : 3;
    long kills = 0;
    for (long moment = 1;; moment += stride, ++kills) {
      SCOPED_TRACE("before step " + std::to_string(moment));
      clear();
      prepare();
      const auto before = content(source());
      const Ended ended = migrate(overwrite, moment);
      EXPECT_EQ(content(source()), before) << "the source";
      if (!ended.killed) {
        EXPECT_EQ(ended.code, 0) << ended.output;
        break;
      }
      check();
      if (HasFailure()) break;
    }
    EXPECT_GT(kills, is_long() ? 30 : 10) << "the shim counts nothing";
    RecordProperty("kills", std::to_string(kills));
  }

  test::TempFolder folder_;
};

TEST_F(Killed, a_run_can_be_run_again) {
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

TEST_F(Killed, a_run_can_be_undone) {
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
TEST_F(Killed, what_was_to_be_overwritten_is_there_or_comes_back) {
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

TEST_F(Killed, overwriting_can_be_run_again) {
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

}  // namespace
}  // namespace ferry
