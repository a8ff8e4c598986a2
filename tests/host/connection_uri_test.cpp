// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/connection_uri.hpp"

#include <gtest/gtest.h>

#include "exporters/libvirt/host/capabilities.hpp"

namespace ferry::libvirt {
namespace {

TEST(ConnectionUri, HasItsParts) {
  const auto uri = ConnectionUri::parse("qemu+ssh://admin@host.example:2222/system?keyfile=/home/me/session#x");
  EXPECT_EQ(uri.driver, "qemu");
  EXPECT_EQ(uri.transport, "ssh");
  EXPECT_EQ(uri.host, "admin@host.example:2222");
  EXPECT_EQ(uri.path, "/system");
  EXPECT_EQ(ConnectionUri::parse("qemu:/session").path, "/session");
  EXPECT_EQ(ConnectionUri::parse("somewhere").driver, "");
}

struct Verdict {
  const char *uri;
  bool local, session, own;
};

TEST(ConnectionUri, OnlyTheSystemDaemonIsNoSession) {
  for (const Verdict &verdict : {
           Verdict{"qemu:///session", true, true, true},
           Verdict{"qemu+unix:///session?socket=/run/system", true, true, true},
           Verdict{"qemu+ssh://host/session", false, true, false},
           Verdict{"qemu+ssh:///session", false, true, false},
           Verdict{"qemu:///system", true, false, false},
           Verdict{"qemu+unix:///system?socket=/run/user/1000/session", true, false, false},
           Verdict{"qemu+tls://host/system?pkipath=/home/me/session", false, false, false},
           // Parameters are paths of the user's: they say nothing of the daemon.
           Verdict{"qemu:///embed?root=/srv/system", true, true, false},
           Verdict{"qemu:///embed?root=/home/me/session", true, true, false},
           Verdict{"qemu+ssh://system/session", false, true, false},
           Verdict{"qemu+ssh://session/system", false, false, false},
           Verdict{"test:///default", true, true, false},
           Verdict{"flatpak:org.gnome.Boxes", true, true, false},
       }) {
    const auto uri = ConnectionUri::parse(verdict.uri);
    EXPECT_EQ(uri.is_local(), verdict.local) << verdict.uri;
    EXPECT_EQ(uri.is_session(), verdict.session) << verdict.uri;
    EXPECT_EQ(uri.is_own_session(), verdict.own) << verdict.uri;
  }
}

// Before libvirt 10.0 only a session refuses virtiofs.
TEST(ConnectionUri, DecidesWhatASessionCannot) {
  for (const auto &[uri, has_virtiofs] :
       {std::pair{"qemu+ssh://session/system", true}, std::pair{"qemu+unix:///system?socket=/run/x/session", true},
        std::pair{"qemu:///session?socket=/run/system", false}}) {
    HostProfile profile;
    profile.uri = uri;
    profile.libvirt_version = 9'000'000;
    profile.virtiofsd = true;
    profile.filesystem_drivers = {"path", "virtiofs"};
    apply_version_rules(profile);
    EXPECT_EQ(profile.filesystem_drivers.contains("virtiofs"), has_virtiofs) << uri;
  }
}

}  // namespace
}  // namespace ferry::libvirt
