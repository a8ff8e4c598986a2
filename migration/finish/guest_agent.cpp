// SPDX-License-Identifier: Apache-2.0
// Facts: QEMU's qga/qapi-schema.json (guest-exec, guest-exec-status, guest-get-devices, guest-get-osinfo).
#include "migration/finish/guest_agent.hpp"

#include <nlohmann/json.hpp>

#include "model/json.hpp"

#include "support/base64.hpp"
#include "support/error.hpp"
#include "support/pause.hpp"
#include "support/text.hpp"

namespace ferry::migration {
namespace {

constexpr unsigned kPingSeconds = 5, kAnswerSeconds = 20;
constexpr std::size_t kMostDevices = 1000;
constexpr std::chrono::milliseconds kLookAgain(500);

// What stands in "return"; null: there is no answer.
Json value_of(const std::optional<std::string> &answer) {
  const Json whole = answer ? Json::parse(*answer, nullptr, false) : Json();
  return whole.is_object() && whole.contains("return") ? whole["return"] : Json();
}

std::string text_in(const Json &object, const char *key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return {};
  return object[key].get<std::string>();
}

std::optional<std::int64_t> number_in(const Json &object, const char *key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number_integer()) return std::nullopt;
  return object[key].get<std::int64_t>();
}

std::string pci_id(const Json &device) {
  const Json id = device.is_object() ? device.value("id", Json()) : Json();
  const auto vendor = number_in(id, "vendor-id"), number = number_in(id, "device-id");
  const auto fits = [](const auto &value) { return value && *value >= 0 && *value <= 0xFFFF; };
  if (!fits(vendor) || !fits(number)) return {};
  return text::hex(static_cast<std::uint64_t>(*vendor), 4) + ":" + text::hex(static_cast<std::uint64_t>(*number), 4);
}

std::string decoded_text(const Json &object, const char *key) {
  return base64::decoded(text_in(object, key)).value_or(std::string());
}

}  // namespace

bool GuestAgent::answers() const {
  return machines_.ask_agent(machine_, R"({"execute":"guest-ping"})", kPingSeconds).has_value();
}

std::string GuestAgent::system() const {
  const Json os = value_of(machines_.ask_agent(machine_, R"({"execute":"guest-get-osinfo"})", kAnswerSeconds));
  return text::excerpt(text_in(os, "id"), 100);
}

std::optional<std::vector<AgentDevice>> GuestAgent::devices() const {
  const Json list = value_of(machines_.ask_agent(machine_, R"({"execute":"guest-get-devices"})", kAnswerSeconds));
  if (!list.is_array()) return std::nullopt;
  std::vector<AgentDevice> out;
  for (const Json &device : list) {
    if (out.size() >= kMostDevices) break;
    out.push_back({pci_id(device), text::excerpt(text_in(device, "driver-name"), 200),
                   text::excerpt(text_in(device, "driver-version"), 100)});
  }
  return out;
}

std::optional<GuestScriptResult> GuestAgent::run(const std::string &script, std::chrono::seconds patience,
                                                 const std::stop_token &stop) const {
  // By its input, so that no word of it has to be quoted on the way.
  const Json begin{
      {"execute", "guest-exec"},
      {"arguments", {{"path", "/bin/sh"}, {"input-data", base64::encoded(script)}, {"capture-output", true}}}};
  const auto pid = number_in(value_of(machines_.ask_agent(machine_, begin.dump(), kAnswerSeconds)), "pid");
  if (!pid) return std::nullopt;
  const Json question{{"execute", "guest-exec-status"}, {"arguments", {{"pid", *pid}}}};
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const Json state = value_of(machines_.ask_agent(machine_, question.dump(), kAnswerSeconds));
    if (state.is_object() && state.value("exited", Json()) == Json(true)) {
      return GuestScriptResult{.code = static_cast<int>(number_in(state, "exitcode").value_or(-1)),
                               .output = decoded_text(state, "out-data"),
                               .errors = decoded_text(state, "err-data")};
    }
    if (stop.stop_requested())
      throw Error(ErrorKind::cancelled, {.message = "the wait for a program in the guest was interrupted"});
    if (std::chrono::steady_clock::now() >= until) {
      throw Error(ErrorKind::conflict, {.message = "a program that the guest's agent was asked to run does not end",
                                        .found = std::to_string(patience.count()) + " seconds have passed",
                                        .advice = "Look into the guest, then run the same command again."});
    }
    pause_for(kLookAgain, stop);
  }
}

}  // namespace ferry::migration
