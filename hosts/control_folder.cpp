// SPDX-License-Identifier: Apache-2.0
#include "hosts/control_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <unistd.h>

#include "hosts/ssh_configuration.hpp"
#include "support/error.hpp"
#include "support/subprocess.hpp"
#include "support/text.hpp"

namespace ferry::hosts {
namespace {

namespace fs = std::filesystem;

// A socket's path may have 107 bytes (unix(7)); ssh appends ".", 16 letters and a NUL while it makes one.
constexpr std::size_t kLongestFolder = 107 - 18 - 8;
constexpr auto kMoment = std::chrono::seconds(10);

struct Control {
  std::mutex guard;
  std::string folder;                          // empty: none was made
  std::map<std::string, std::string> paths;    // by authority
  std::map<std::string, std::string> targets;  // of those with a socket: the authority
};

Control &control() {
  static Control known;
  return known;
}

std::string make_folder() {
  for (const char *above : {static_cast<const char *>(std::getenv("XDG_RUNTIME_DIR")), "/tmp"}) {
    if (above == nullptr || *above != '/') continue;
    std::string name = std::string(above) + "/virt-ferry-XXXXXX";
    if (name.size() <= kLongestFolder && mkdtemp(name.data()) != nullptr) return name;
  }
  return {};
}

}  // namespace

std::string control_path_for(const std::string &authority) {
  const std::lock_guard lock(control().guard);
  if (const auto known = control().paths.find(authority); known != control().paths.end()) return known->second;
  std::string out;
  if (!configuration_of(authority).shares_connections) {
    if (control().folder.empty()) control().folder = make_folder();
    if (!control().folder.empty()) out = control().folder + "/" + std::to_string(control().paths.size() + 1);
  }
  if (!out.empty()) control().targets[out] = authority;
  return control().paths[authority] = out;
}

void end_control() {
  const std::lock_guard lock(control().guard);
  for (const auto &[path, authority] : control().targets) {
    std::error_code none;
    if (!fs::exists(path, none)) continue;
    subprocess::Command command{.program = "ssh",
                                .arguments = {"-Oexit", "-oControlPath=" + path},
                                .limits = {},
                                .locked_in = {},
                                .on_line = {}};
    for (std::string &word : destination_of(authority)) command.arguments.push_back(std::move(word));
    command.limits.deadline = kMoment;
    try {
      static_cast<void>(subprocess::run(command));
    } catch (const Error &) {  // it ends by itself, a minute after the last session
    }
  }
  control().targets.clear();
  std::error_code ignored;
  if (!control().folder.empty()) fs::remove_all(control().folder, ignored);
  control().folder.clear();
}

}  // namespace ferry::hosts
