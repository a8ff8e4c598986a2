// SPDX-License-Identifier: Apache-2.0
// Asks the emulator for its device list. This is the one program that an exporter starts; the converters' wrapper
// is not reachable from here, and the need is small: one output, one deadline.
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "exporters/libvirt/local_host.hpp"

namespace ferry::libvirt {

namespace {

constexpr std::size_t max_output = std::size_t{1} << 20U;
constexpr auto deadline = std::chrono::seconds(20);

pid_t spawn(const std::filesystem::path &program, int output) {
  std::string name = program.string();
  std::array<std::string, 4> words = {"-machine", "none", "-device", "help"};
  std::array<char *, 6> arguments = {name.data(),     words[0].data(), words[1].data(),
                                     words[2].data(), words[3].data(), nullptr};
  // A fixed locale and nothing else of ours: module search variables must not change the answer.
  std::string locale = "LC_ALL=C";
  std::array<char *, 2> environment = {locale.data(), nullptr};
  posix_spawn_file_actions_t actions;
  if (posix_spawn_file_actions_init(&actions) != 0) return -1;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = -1;
  const int failed = posix_spawn(&child, name.c_str(), &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? child : -1;
}

// Reads until the end; false at the deadline, on an error, or past the limit.
bool read_all(int input, std::string &out) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  std::array<char, 16384> buffer{};
  while (out.size() <= max_output) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd watched{.fd = input, .events = POLLIN, .revents = 0};
    const int ready = poll(&watched, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t count = read(input, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count == 0;
    out.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return false;
}

}  // namespace

std::string emulator_device_help(const std::filesystem::path &emulator) {
  if (!emulator.is_absolute()) return {};
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const pid_t child = spawn(emulator, ends[1]);
  close(ends[1]);
  std::string out;
  const bool whole = child > 0 && read_all(ends[0], out);
  close(ends[0]);
  if (child <= 0) return {};
  if (!whole) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const bool good = whole && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return good ? out : std::string();
}

}  // namespace ferry::libvirt
