// SPDX-License-Identifier: Apache-2.0
#include "support/secrets.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "support/text.hpp"

namespace ferry::secrets {
namespace {

constexpr std::array<std::string_view, 21> kWords{
    "password",   "passwd",     "pw",    "pwd",    "passphrase", "passcode", "pass",
    "secret",     "secrets",    "token", "tokens", "key",        "keys",     "apikey",
    "privatekey", "credential", "creds", "psk",    "osk",        "pin",      "keyid"};
// Parts that no harmless word has.
constexpr std::array<std::string_view, 8> kParts{"password", "passwd",     "passphrase",  "secret",
                                                 "keystore", "privatekey", "credentials", "keysafe"};
constexpr std::array<std::string_view, 4> kFamilies{"encryption.", "managedvm.", "datafilekey",
                                                    "vboxauthsimple/users/"};
// VMware's way to hand a guest its configuration (cloud-init, Ignition, OVF properties, Talos and any other program's),
// which is full of passwords, whatever its name is; but for what VMware Tools tell of themselves.
constexpr std::string_view kGuestData = "guestinfo.";
constexpr std::array<std::string_view, 4> kOfTools{"vmtools.", "toolsinstallerrcode", "detailed.data", "appinfo"};

bool is_guest_data(std::string_view lower) {
  if (!lower.starts_with(kGuestData)) return false;
  lower.remove_prefix(kGuestData.size());
  return std::none_of(kOfTools.begin(), kOfTools.end(),
                      [lower](std::string_view tools) { return lower.starts_with(tools); });
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// "VBoxInternal2/SmcDeviceKey" -> vbox, internal, smc, device, key.
std::vector<std::string> words_of(std::string_view key) {
  std::vector<std::string> out(1);
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    if (!is_lower(c) && !is_upper(c)) {
      out.emplace_back();
      continue;
    }
    const bool begins = is_upper(c) && i > 0 && (is_lower(key[i - 1]) || (i + 1 < key.size() && is_lower(key[i + 1])));
    if (begins) out.emplace_back();
    out.back() += is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

// "?user=joe&access_token=abc", and what stands behind a '#'.
std::string without_secret_parameters(std::string_view parameters) {
  constexpr std::string_view kBetween = "?&;#";
  std::string out;
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find_first_of(kBetween, 1), parameters.size());
    const std::string_view one = parameters.substr(0, end);
    const std::size_t equals = one.find('=');
    const bool secret = equals != std::string_view::npos && looks_secret(one.substr(1, equals - 1));
    out += secret ? std::string(one.substr(0, equals + 1)).append(kHidden) : std::string(one);
    parameters.remove_prefix(end);
  }
  return out;
}

}  // namespace

bool looks_secret(std::string_view key) {
  const std::string lower = text::lower_ascii(key);
  const auto has_part = [&lower](std::string_view part) { return lower.find(part) != std::string::npos; };
  const auto begins_with = [&lower](std::string_view family) { return lower.starts_with(family); };
  if (std::any_of(kParts.begin(), kParts.end(), has_part)) return true;
  if (std::any_of(kFamilies.begin(), kFamilies.end(), begins_with) || is_guest_data(lower)) return true;
  const std::vector<std::string> words = words_of(key);
  return std::any_of(words.begin(), words.end(), [](const std::string &word) {
    return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
  });
}

std::string without_credentials(std::string_view text) {
  constexpr std::string_view kScheme = "://";
  constexpr std::string_view kEnds = "\"' \t\r\n";  // of an address
  std::string out;
  for (std::size_t at = text.find(kScheme); at != std::string_view::npos; at = text.find(kScheme)) {
    at += kScheme.size();
    out += text.substr(0, at);
    text.remove_prefix(at);
    const std::string_view address = text.substr(0, text.find_first_of(kEnds));
    const std::string_view authority = address.substr(0, address.find_first_of("/?#"));
    const std::size_t host = authority.rfind('@');
    const std::size_t colon = authority.find(':');
    if (host != std::string_view::npos && colon != std::string_view::npos && colon < host) {
      out += kHidden;
      text.remove_prefix(host);
    }
    const std::size_t rest = text.substr(0, text.find_first_of(kEnds)).find_first_of("?#");
    if (rest == std::string_view::npos) continue;
    out += text.substr(0, rest);
    text.remove_prefix(rest);
    const std::string_view parameters = text.substr(0, text.find_first_of(kEnds));
    out += without_secret_parameters(parameters);
    text.remove_prefix(parameters.size());
  }
  return out.append(text);
}

}  // namespace ferry::secrets
