// SPDX-License-Identifier: Apache-2.0
#include "hosts/url.hpp"

#include <algorithm>
#include <array>

#include "support/error.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"

namespace ferry::hosts {
namespace {

constexpr std::string_view kScheme = "ssh://";
constexpr std::size_t kLongestName = 255;  // bytes; a host's name may have 253

[[noreturn]] void refuse(std::string_view url, std::string message) {
  throw Error(ErrorKind::usage, {.message = std::move(message),
                                 .found = "\"" + text::printable(std::string(url)) + "\"",
                                 .expected = "ssh://[USER@]HOST[:PORT]/PATH"});
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-' || c == '%' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

bool is_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']') && host.size() > 2) {
    const std::string_view inside = host.substr(1, host.size() - 2);
    return std::all_of(inside.begin(), inside.end(), [](char c) { return c == ':' || is_name_character(c); });
  }
  return is_name(host);
}

struct Split {
  std::string_view user, host, port;  // the host with its brackets
};

Split split(std::string_view authority) {
  Split out;
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    out.user = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    out.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  out.host = authority;
  return out;
}

}  // namespace

bool is_ssh_url(std::string_view text) { return text.starts_with(kScheme); }

std::filesystem::path path_of_url(std::string_view url) {
  const std::string_view rest = url.substr(std::min(kScheme.size(), url.size()));
  const std::size_t slash = rest.find('/');
  const std::string_view authority = rest.substr(0, slash);
  const Split parts = split(authority);
  if (!is_host(parts.host)) refuse(url, "no host is named");
  if (authority.find('@') != std::string_view::npos && !is_name(parts.user))
    refuse(url, "no user is named before the @");
  const auto port = text::parse_u64(parts.port);
  const bool has_port = parts.host.data() + parts.host.size() != authority.data() + authority.size();
  if (has_port && (!port || *port == 0 || *port > 65535)) refuse(url, "the port is not a number from 1 to 65535");
  if (slash == std::string_view::npos || rest.substr(slash).find('\0') != std::string_view::npos)
    refuse(url, "no file or folder of the host is named");
  const std::filesystem::path there(rest.substr(slash));
  const std::filesystem::path inside = there.lexically_normal();
  return std::string(on_host::kRemoteMark) + std::string(authority) +
         (inside.native().starts_with("//") ? inside.native().substr(1) : inside.native());
}

std::string with_urls(std::string_view text) {
  std::string out;
  for (;;) {
    const std::size_t at = text.find(on_host::kRemoteMark);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at);
    std::size_t end = on_host::kRemoteMark.size();
    while (end < text.size() && (is_name_character(text[end]) || text[end] == '@' || text[end] == ':' ||
                                 text[end] == '[' || text[end] == ']'))
      ++end;
    const bool is_ours = end < text.size() && text[end] == '/' && end > on_host::kRemoteMark.size();
    out += is_ours ? kScheme : on_host::kRemoteMark;
    text.remove_prefix(on_host::kRemoteMark.size());
  }
}

Authority parts_of(std::string_view authority) {
  const Split parts = split(authority);
  std::string_view host = parts.host;
  if (host.starts_with('[') && host.ends_with(']') && host.size() > 2) host = host.substr(1, host.size() - 2);
  return {std::string(parts.user), std::string(host), std::string(parts.port)};
}

}  // namespace ferry::hosts
