// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/runs.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <numeric>
#include <random>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ferry::bench {

namespace {

double seconds(const timeval &time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

Sample measure(const std::vector<std::string> &command) {
  std::vector<char *> arguments;
  for (const std::string &argument : command) arguments.push_back(const_cast<char *>(argument.c_str()));
  arguments.push_back(nullptr);
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) {
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, STDOUT_FILENO);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0) {
    throw std::runtime_error("failed: " + command.front() + " " + command.back());
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  return {.wall = wall.count(),
          .cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime),
          .peak_memory = static_cast<double>(usage.ru_maxrss) / 1024};
}

Sample measure(const Contender &contender) {
  if (contender.prepare) contender.prepare();
  Sample sum;
  for (const auto &command : contender.commands) {
    const Sample sample = measure(command);
    sum.wall += sample.wall;
    sum.cpu += sample.cpu;
    sum.peak_memory = std::max(sum.peak_memory, sample.peak_memory);
  }
  return sum;
}

double middle(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

}  // namespace

Sample Contender::median() const {
  std::vector<double> wall, cpu, memory;
  for (const Sample &sample : samples) {
    wall.push_back(sample.wall);
    cpu.push_back(sample.cpu);
    memory.push_back(sample.peak_memory);
  }
  return {.wall = middle(wall), .cpu = middle(cpu), .peak_memory = middle(memory)};
}

double Contender::best() const { return std::ranges::min_element(samples, {}, &Sample::wall)->wall; }

void compete(std::vector<Contender> &contenders, unsigned rounds) {
  std::vector<std::size_t> order(contenders.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same orders in every run
  for (unsigned round = 0; round < rounds; ++round) {
    // In another order each time: what one leaves behind (dirty pages, blocks to be discarded) costs the next.
    std::ranges::shuffle(order, random);
    for (const std::size_t index : order) {
      (void)measure(contenders[index]);
      contenders[index].samples.push_back(measure(contenders[index]));
    }
  }
}

void print(const std::string &title, const std::vector<Contender> &contenders) {
  std::printf("\n%s\n  %-44s %8s %8s %8s %8s %7s %7s %7s\n", title.c_str(), "", "wall s", "best s", "cpu s", "MiB",
              "wall x", "best x", "cpu x");
  const Sample first = contenders.front().median();
  const double first_best = contenders.front().best();
  for (const Contender &contender : contenders) {
    const Sample sample = contender.median();
    std::printf("  %-44s %8.3f %8.3f %8.3f %8.1f %7.2f %7.2f %7.2f\n", contender.name.c_str(), sample.wall,
                contender.best(), sample.cpu, sample.peak_memory, sample.wall / first.wall,
                contender.best() / first_best, sample.cpu / first.cpu);
  }
  std::fflush(stdout);
}

void run(const std::vector<std::string> &command) { (void)measure(command); }

}  // namespace ferry::bench
