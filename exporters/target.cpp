// SPDX-License-Identifier: Apache-2.0
#include "exporters/target.hpp"

namespace ferry::target {
namespace {

[[noreturn]] void cannot(const std::string &what) {
  throw Error(ErrorKind::unsupported, {.message = "this target cannot " + what});
}

}  // namespace

void Machines::boot(const std::string &) { cannot("start a machine that is not defined"); }
Condition Machines::condition(const std::string &) const { cannot("say how a machine stands"); }
std::optional<std::string> Machines::ask_agent(const std::string &, const std::string &, unsigned) const {
  cannot("ask a guest's agent");
}
std::optional<Screen> Machines::screen(const std::string &) const { cannot("show a machine's screen"); }
std::string Machines::crash_note(const std::string &) const { return {}; }
void Machines::shut_down(const std::string &, ShutDown) { cannot("shut a guest down"); }
void Machines::go_on(const std::string &) { cannot("let a machine go on"); }

void Taken::forget(const std::string &name) {
  names.erase(name);
  runs.erase(name);
  std::erase_if(uuids, [&](const auto &entry) { return entry.second == name; });
  std::erase_if(ports, [&](const auto &entry) { return entry.second == name; });
  std::erase_if(macs, [&](const auto &entry) { return entry.second == name; });
}

void Taken::forget_defined() {
  names.clear();
  uuids.clear();
  macs.clear();
  ports.clear();
}

}  // namespace ferry::target
