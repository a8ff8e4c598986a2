// SPDX-License-Identifier: Apache-2.0
// Measured runs of programs.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace ferry::bench {

struct Sample {
  double wall = 0;         // seconds
  double cpu = 0;          // seconds, of the program and its children
  double peak_memory = 0;  // MiB, of the largest process
};

// One way to do a piece of work; `prepare` is not measured.
struct Contender {
  std::string name;
  std::vector<std::vector<std::string>> commands;  // one after the other
  std::function<void()> prepare;
  std::vector<Sample> samples = {};
  [[nodiscard]] Sample median() const;
  [[nodiscard]] double best() const;  // wall time
};

// Runs each contender `rounds` times, taking turns so that a noisy moment hits all of them. Directly before each run
// comes one that is not measured: it warms the page cache, and in a virtual machine that gives free memory back to its
// host (2 s/GiB to get it again, several times what is measured) it leaves the next one the same memory.
void compete(std::vector<Contender> &contenders, unsigned rounds);

// One line per contender, and how many times as long as the first it took: the median of its runs, and the best one.
void print(const std::string &title, const std::vector<Contender> &contenders);

// Runs a program and throws when it fails; its output is thrown away.
void run(const std::vector<std::string> &command);

}  // namespace ferry::bench
