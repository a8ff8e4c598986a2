// SPDX-License-Identifier: Apache-2.0
#include "exporters/libvirt/host/flatpak.hpp"

#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kit/folder.hpp"

#include "support/error.hpp"

namespace ferry::libvirt {
namespace {

namespace fs = std::filesystem;

class Flatpak : public ::testing::Test {
 public:
  ~Flatpak() override {
    for (const auto &[name, value] : {std::pair("HOME", home_), std::pair("PATH", path_)})
      setenv(name, value.c_str(), 1);
    unsetenv("XDG_RUNTIME_DIR");
  }
  Flatpak(const Flatpak &) = delete;
  Flatpak &operator=(const Flatpak &) = delete;

 protected:
  Flatpak() {
    setenv("HOME", folder_.path().c_str(), 1);
    fs::create_directories(folder_.path() / "bin");
    setenv("PATH", (folder_.path() / "bin").c_str(), 1);
    setenv("XDG_RUNTIME_DIR", "/run/user/it's mine", 1);
  }
  void install() {
    const fs::path program = folder_.write("bin/flatpak", "#!/bin/sh\n");
    fs::permissions(program, fs::perms::owner_all);
  }

  test::TempFolder folder_;

 private:
  std::string home_ = std::getenv("HOME") == nullptr ? "/" : std::getenv("HOME"), path_ = std::getenv("PATH");
};

TEST_F(Flatpak, ATunnelIsAProgramOfTheUsersAloneThatGoesWithIt) {
  install();
  fs::path program;
  {
    const FlatpakTunnel tunnel("org.gnome.Boxes");
    const std::string uri = tunnel.uri();
    ASSERT_TRUE(uri.starts_with("qemu+ext:///session?command=/")) << uri;
    program = uri.substr(uri.find('=') + 1);
    const std::string text = test::read_text(program);
    EXPECT_THAT(text, ::testing::HasSubstr("flatpak run --command=virt-ssh-helper org.gnome.Boxes qemu:///session\n"));
    EXPECT_THAT(text, ::testing::HasSubstr("export XDG_RUNTIME_DIR='/run/user/it'"));
    EXPECT_EQ(fs::status(program).permissions(), fs::perms::owner_all);
    EXPECT_EQ(fs::status(program.parent_path()).permissions(), fs::perms::owner_all);
  }
  EXPECT_FALSE(fs::exists(program));
}

TEST_F(Flatpak, WhatIsNoApplicationIsRefused) {
  install();
  for (const char *wrong : {"", "boxes", "--help", "-a.b", "a.b; ls", "a.b/../c", "a b.c"}) {
    try {
      const FlatpakTunnel tunnel(wrong);
      FAIL() << wrong;
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage) << wrong;
    }
  }
}

TEST_F(Flatpak, WithoutTheProgramThereIsNoWayIn) {
  try {
    const FlatpakTunnel tunnel("org.gnome.Boxes");
    FAIL() << "there is no flatpak";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::unreachable);
  }
}

TEST_F(Flatpak, ThoseThatWereStartedOnceAreKnown) {
  EXPECT_TRUE(flatpaks_with_libvirt().empty());
  fs::create_directories(folder_.path() / ".var/app/org.gnome.Boxes");
  fs::create_directories(folder_.path() / ".var/app/org.example.Game");
  EXPECT_EQ(flatpaks_with_libvirt(), std::vector<std::string>{"org.gnome.Boxes"});
  EXPECT_EQ(flatpak_image_folder("org.gnome.Boxes"),
            folder_.path() / ".var/app/org.gnome.Boxes/data/gnome-boxes/images");
}

}  // namespace
}  // namespace ferry::libvirt
