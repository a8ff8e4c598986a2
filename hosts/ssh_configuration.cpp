// SPDX-License-Identifier: Apache-2.0
#include "hosts/ssh_configuration.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>

#include "hosts/url.hpp"
#include "support/error.hpp"
#include "support/subprocess.hpp"

namespace ferry::hosts {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

// What `ssh -G` says of a host; nullopt when it does not. `files`: which configuration it reads.
std::optional<std::string> said_of(const std::string &authority, const std::vector<std::string> &files) {
  subprocess::Command command{.program = "ssh", .arguments = {"-G"}, .limits = {}, .locked_in = {}, .on_line = {}};
  command.arguments.insert(command.arguments.end(), files.begin(), files.end());
  for (std::string &word : destination_of(authority)) command.arguments.push_back(std::move(word));
  command.limits.deadline = kPatience;
  try {
    subprocess::Result said = subprocess::run(command);
    if (said.ok()) return std::move(said.output);
  } catch (const Error &) {  // it cannot be started, which is said when it is to connect
  }
  return std::nullopt;
}

// Empty: it has none.
std::string value_of(const std::string &said, const std::string &key) {
  const std::size_t at = ("\n" + said).find("\n" + key + " ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + key.size() + 1;
  return said.substr(begin, said.find('\n', begin) - begin);
}

Configuration ask(const std::string &authority) {
  const auto said = said_of(authority, {});
  if (!said) return {.shares_connections = true, .names_ciphers = true};
  Configuration out;
  // "controlpath none" is what ssh has by itself, in some of its versions.
  const std::string path = value_of(*said, "controlpath");
  out.shares_connections = !path.empty() && path != "none";
  const auto plain = said_of(authority, {"-F", "none"});
  const std::string ciphers = value_of(*said, "ciphers");
  out.names_ciphers = !plain || ciphers.empty() || ciphers != value_of(*plain, "ciphers");
  return out;
}

bool has_aes() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("aes") != 0;
#else
  return false;
#endif
}

}  // namespace

std::vector<std::string> destination_of(const std::string &authority) {
  const Authority parts = parts_of(authority);
  std::vector<std::string> out;
  if (!parts.user.empty()) out.push_back("-l" + parts.user);
  if (!parts.port.empty()) out.push_back("-p" + parts.port);
  out.emplace_back("--");
  out.push_back(parts.host);
  return out;
}

Configuration configuration_of(const std::string &authority) {
  static std::mutex guard;
  static std::map<std::string, Configuration> known;
  const std::lock_guard lock(guard);
  const auto found = known.find(authority);
  return found != known.end() ? found->second : known[authority] = ask(authority);
}

std::string preferred_ciphers(const std::string &authority) {
  if (!has_aes() || configuration_of(authority).names_ciphers) return {};
  return "^aes128-gcm@openssh.com,aes256-gcm@openssh.com";
}

}  // namespace ferry::hosts
