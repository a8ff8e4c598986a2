// SPDX-License-Identifier: Apache-2.0
// What the trials of whole runs share: a source, the program in a world of its own, and a look at what is left.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

namespace ferry {

namespace fs = std::filesystem;

// FERRY_TRIALS=long: through every moment, otherwise some of them are taken.
inline bool is_long() {
  const char *form = std::getenv("FERRY_TRIALS");
  return form != nullptr && std::string_view(form) == "long";
}

struct Ended {
  int code = -1;  // -1: by a signal
  int signal = 0;
  std::string output;
};

class Trial : public testing::Test {
 protected:
  Trial() {
    const fs::path probe = fs::path(FERRY_SOURCE_DIR) / "fixtures/probe-machine";
    for (const char *name : {"probe.vbox", "probe.vmdk"}) folder_.write(source() / name, test::read_text(probe / name));
    write_disk('a');
  }

  [[nodiscard]] fs::path source() const { return folder_ / "source"; }
  [[nodiscard]] fs::path dest() const { return folder_ / "out"; }

  void write_disk(char letter) const { folder_.write(source() / "probe-flat.vmdk", std::string(1U << 20U, letter)); }

  using Environment = std::vector<std::pair<std::string, std::string>>;

  // The program in a world of its own: no qemu-img, which would take most of the time.
  [[nodiscard]] pid_t begin(const std::vector<std::string> &arguments, const Environment &environment = {},
                            const std::function<void()> &prepare = {}) const {
    const fs::path log = folder_ / "log";
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child != 0) return child;
    std::vector<std::string> words{FERRY_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char *> argv;
    for (std::string &word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    setenv("HOME", (folder_ / "home").c_str(), 1);
    setenv("PATH", "/nowhere", 1);
    unsetenv("XDG_STATE_HOME");
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
    for (const auto &[name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    if (prepare) prepare();
    if (std::freopen(log.c_str(), "w", stdout) == nullptr || dup2(fileno(stdout), 2) < 0) _exit(99);
    execv(FERRY_PROGRAM, argv.data());
    _exit(99);
  }

  [[nodiscard]] Ended end(pid_t child) const {
    int status = 0;
    waitpid(child, &status, 0);
    Ended out;
    if (WIFSIGNALED(status)) out.signal = WTERMSIG(status);
    if (WIFEXITED(status)) out.code = WEXITSTATUS(status);
    out.output = test::read_text(folder_ / "log");
    return out;
  }

  [[nodiscard]] Ended ferry(const std::vector<std::string> &arguments, const Environment &environment = {}) const {
    return end(begin(arguments, environment));
  }

  [[nodiscard]] std::vector<std::string> migration(bool overwrite) const {
    std::vector<std::string> out{"migrate", source(), "--no-define", "--dest", dest(), "--progress", "none"};
    if (overwrite) out.emplace_back("--overwrite");
    return out;
  }
  [[nodiscard]] Ended migrate(bool overwrite, const Environment &environment = {}) const {
    return ferry(migration(overwrite), environment);
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

  test::TempFolder folder_;
};

}  // namespace ferry
