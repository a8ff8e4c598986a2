// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/connection_uri.hpp"

#include "support/folders.hpp"

namespace ferry::libvirt {

ConnectionUri ConnectionUri::parse(std::string_view uri) {
  ConnectionUri out;
  uri = uri.substr(0, uri.find_first_of("?#"));
  const std::size_t colon = uri.find(':');
  if (colon == std::string_view::npos) return out;
  const std::string_view scheme = uri.substr(0, colon);
  const std::size_t plus = scheme.find('+');
  out.driver = scheme.substr(0, plus);
  if (plus != std::string_view::npos) out.transport = scheme.substr(plus + 1);
  std::string_view rest = uri.substr(colon + 1);
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    out.host = rest.substr(0, rest.find('/'));
    rest.remove_prefix(out.host.size());
  }
  out.path = rest;
  return out;
}

bool ConnectionUri::is_local() const { return host.empty() && (transport.empty() || transport == "unix"); }

bool ConnectionUri::is_session() const { return path != "/system"; }

bool ConnectionUri::is_flatpak() const { return driver == "flatpak"; }

bool ConnectionUri::is_own_session() const { return driver == "qemu" && is_local() && path == "/session"; }

std::filesystem::path session_tpm_folders() { return folders::config_home() / "libvirt/qemu/swtpm"; }
std::filesystem::path session_store_folder() { return folders::config_home() / "libvirt/qemu/nvram"; }

}  // namespace ferry::libvirt
