// SPDX-License-Identifier: Apache-2.0
// A start that would fail is refused before a disk is converted.
#include "exporters/libvirt/host/start_needs.hpp"

#include <gtest/gtest.h>

#include "tests/kit/scratch.hpp"

namespace ferry::libvirt {
namespace {

struct StartNeeds : ::testing::Test {
  tests::Scratch scratch;
  target::Start start;

  StartNeeds() {
    start.folder = scratch.folder() / "out";
    start.made = {start.folder / "web.qcow2"};
    start.memory = 1U << 20U;
  }

  // What keeps the machine from starting; "" when nothing does.
  std::string refusal(const std::string &devices, const std::string &os = "") {
    start.document = "<domain type='qemu'><os>" + os + "</os><devices>" + devices + "</devices></domain>";
    try {
      refuse_what_cannot_start(start, {"vf-br0"}, scratch.folder() / "vhost-user");
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::unsupported);
      EXPECT_NE(error.detail().advice.find("--start"), std::string::npos);
      return error.detail().message + " " + error.detail().found;
    }
    return {};
  }
  static std::string disk(const std::string &file) {
    return "<disk type='file' device='cdrom'><source file='" + file + "'/></disk>";
  }
};

TEST_F(StartNeeds, NothingThatIsThereOrThatTheRunMakes) {
  const std::string iso = scratch.write("a.iso", "x").string();
  EXPECT_EQ(refusal(disk((start.folder / "web.qcow2").string()) + disk(iso) + "<disk device='cdrom'/>" +
                        "<emulator>/bin/sh</emulator><serial type='pty'/><serial type='file'><source path='" +
                        (start.folder / "serial.log").string() + "'/></serial><serial type='file'><source path='" +
                        (scratch.folder() / "log").string() + "'/></serial><interface type='user'/>",
                    "<loader>" + iso + "</loader><nvram template='" + iso + "'/>"),
            "");
}

TEST_F(StartNeeds, EachOfThemIsNamed) {
  const auto names = [&](const std::string &text, const std::string &what) {
    EXPECT_NE(text.find(what), std::string::npos) << text;
  };
  names(refusal("<emulator>/no/qemu</emulator>"), "/no/qemu");
  names(refusal("", "<loader>/no/CODE.fd</loader>"), "/no/CODE.fd");
  names(refusal("", "<nvram template='/no/VARS.fd'>/x</nvram>"), "/no/VARS.fd");
  names(refusal(disk("/no/a.iso")), "/no/a.iso");
  names(refusal("<serial type='file'><source path='/no/folder/log'/></serial>"), "/no/folder/log");
  names(refusal("<serial type='unix'><source mode='bind' path='/no/folder/s'/></serial>"), "/no/folder/s");
  names(refusal("<parallel type='dev'><source path='/dev/no-parport'/></parallel>"), "/dev/no-parport");
  names(refusal("<interface type='bridge'><source bridge='no-br0'/></interface>"), "no-br0");
  EXPECT_EQ(refusal("<interface type='bridge'><source bridge='vf-br0'/></interface>"), "");
  start.memory = std::uint64_t{1} << 60U;
  names(refusal(""), "memory");
}

TEST_F(StartNeeds, SharedFoldersAndWhatServesThem) {
  const auto shares = [](const std::string &folder, const std::string &more = "") {
    return "<filesystem type='mount'><driver type='virtiofs'/>" + more + "<source dir='" + folder +
           "'/><target dir='x'/></filesystem>";
  };
  const std::string folder = scratch.folder().string();
  EXPECT_NE(refusal(shares(folder)).find("virtiofsd"), std::string::npos);
  EXPECT_EQ(refusal(shares(folder, "<binary path='/bin/sh'/>")), "");
  EXPECT_NE(refusal(shares(folder, "<binary path='/no/virtiofsd'/>")).find("/no/virtiofsd"), std::string::npos);
  scratch.write("vhost-user/50-virtiofsd.json", R"({"type": "fs", "binary": "/bin/sh"})");
  EXPECT_EQ(refusal(shares(folder)), "");
  EXPECT_NE(refusal(shares(folder + "/gone")).find("/gone"), std::string::npos);
  EXPECT_EQ(refusal("<filesystem><driver type='path'/><source dir='/gone'/></filesystem>"), "") << "QEMU's own 9p";
}

}  // namespace
}  // namespace ferry::libvirt
